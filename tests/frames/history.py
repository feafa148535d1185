"""Questions of the past, written into a ledger as sending and polling would have written them."""

from codevf_nb.ledger import Lease, Ledger, Store

DAY = 86400.0


class History:
    """One account's past. Times are seconds since 1970 UTC; ``took`` None leaves a question open."""

    def __init__(self, store: Store, account: str = "live-1", environment: str = "live") -> None:
        self.ledger = Ledger(store, account, environment)
        self.store = store
        self.account = account
        self.environment = environment
        # A second history of the same account goes on where the first one ended.
        self.count = len(self.ledger.questions.latest(10_000))

    def ask(self, at: float, *, cap: int = 240, **asked) -> str:
        """Ask a question that the service takes; return its task's id."""
        entry = self.prepare(at, cap=cap, **asked)
        task_id = f"task_{self.account}_{self.count}"
        self.ledger.sending.accept(entry, task_id=task_id, status="pending", created_at=at)
        return task_id

    def answer(self, task_id: str, used: float | None, at: float, status: str = "completed", **seen) -> None:
        """Let a task end."""
        entry = self.ledger.questions.task(task_id)
        self.ledger.questions.update_from_task(entry, status=status, credits_used=used, completed_at=at, **seen)

    def answered(self, at: float, *, used: float = 100.0, took: float = 60.0, **asked) -> str:
        """Ask a question that is answered after so many seconds."""
        task_id = self.ask(at, **asked)
        self.answer(task_id, used, at + took)
        return task_id

    def prepare(self, at: float, cap: int = 240, lease: Lease | None = None, **asked):
        """Prepare a question, with its first attempt, and do no more."""
        self.count += 1
        values = {
            "environment": self.environment,
            "origin": "somewhere",
            "credential": "c",
            "asked_by": "me",
            "identity": f"{self.account} {self.count}",
            "asking": 1,
            "idempotency_key": str(self.count),
            "project": "shop",
            "mode": "fast",
            "tag": "engineer",
            "attachments": [],
            "cost_cap": cap,
        }
        return self.ledger.sending.prepare(b"{}", lease or self.ledger.lease(10), at, **{**values, **asked})
