"""The ledger: what was asked, answered, held and spent, kept where a killed kernel can't lose it."""

from __future__ import annotations

import os
import socket
import time
import uuid
from collections.abc import Callable

from codevf_nb.ledger.book import Balances
from codevf_nb.ledger.catalogue import Catalogue
from codevf_nb.ledger.questions import Lease, Questions
from codevf_nb.ledger.records import Entry, SendState
from codevf_nb.ledger.store import LedgerError, Store, sqlite_url
from codevf_nb.ledger.turns import Leases, Limiter

__all__ = [
    "Balances",
    "Catalogue",
    "Entry",
    "Lease",
    "Leases",
    "Ledger",
    "LedgerError",
    "Limiter",
    "Questions",
    "SendState",
    "Store",
    "sqlite_url",
]


class Ledger:
    """One account's view of the ledger; ``owner`` names this process in leases."""

    def __init__(
        self,
        store: Store,
        account: str,
        environment: str,
        clock: Callable[[], float] = time.time,
        owner: str | None = None,
    ) -> None:
        self.store = store
        self.clock = clock
        self.owner = owner or f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self.questions = Questions(store, account)
        self.balances = Balances(store, account, environment)
        self.catalogue = Catalogue(store, account)
        self.leases = Leases(store, self.owner, clock)

    def lease(self, seconds: float) -> Lease:
        """Make a lease for one sender of this process's that lasts so many seconds from now."""
        return Lease(f"{self.owner}:{uuid.uuid4().hex[:8]}", self.clock() + seconds)
