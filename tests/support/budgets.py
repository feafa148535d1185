"""Questions that a budget counts, prepared with whatever they may cost."""

import threading
from datetime import UTC, datetime

from codevf_nb.ledger import Ledger, Store

NOON = datetime(2026, 11, 18, 12, tzinfo=UTC).timestamp()  # a Wednesday


class Asking:
    """Questions of one account, prepared with whatever they may cost."""

    def __init__(self, store: Store, account: str = "live-1") -> None:
        self.now = NOON
        self.ledger = Ledger(store, account, "live", clock=lambda: self.now)
        self.count = 0

    def prepare(self, cost_cap: int, project: str = "shop", identity: str | None = None):
        self.count += 1
        lease = self.ledger.lease(90)
        with lease.held():
            asked = question(identity or f"{threading.get_ident()} {self.count}", cost_cap, project)
            entry = self.ledger.sending.prepare(b"bytes", lease, self.now, **asked)
        return entry, lease

    @property
    def taken(self) -> float:
        return self.ledger.budgets.standing()[0].taken


def question(identity: str, cost_cap: int, project: str = "shop") -> dict:
    """The columns of a question, as far as a budget cares."""
    texts = ("origin", "credential", "asked_by", "idempotency_key", "prompt")
    numbers = {"identity": identity, "asking": 1, "attachments": [], "project": project, "cost_cap": cost_cap}
    return dict.fromkeys(texts, "x") | numbers | {"environment": "live"}
