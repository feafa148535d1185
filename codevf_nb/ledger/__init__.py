"""The ledger: a database of questions, answers and credits that survives a killed kernel."""

from __future__ import annotations

import os
import socket
import uuid
from collections.abc import Callable

from codevf_nb.ledger._accounts import Accounts, KnownAccount, present_name
from codevf_nb.ledger._budgets import (
    Budget,
    BudgetExceededError,
    Budgets,
    Period,
)
from codevf_nb.ledger._catalog import Catalogue
from codevf_nb.ledger._digests import Digests
from codevf_nb.ledger._errors import LedgerError
from codevf_nb.ledger._lease import Lease
from codevf_nb.ledger._memory import MemoryStore
from codevf_nb.ledger._pages import (
    STATE_FILTERS,
    Order,
    PageFilter,
    Pages,
    State,
)
from codevf_nb.ledger._rate_limit import LeaderLease, RateLimiter, Turn
from codevf_nb.ledger._retention import Retention
from codevf_nb.ledger._store import Store
from codevf_nb.ledger._url import ledger_file, sqlite_url
from codevf_nb.ledger.book import Balances
from codevf_nb.ledger.changes import Change, Repeat
from codevf_nb.ledger.questions import Questions
from codevf_nb.ledger.records import UNKNOWN, Entry, SendState
from codevf_nb.ledger.sending import Sending

__all__ = [
    "STATE_FILTERS",
    "UNKNOWN",
    "Accounts",
    "Balances",
    "Budget",
    "BudgetExceededError",
    "Budgets",
    "Catalogue",
    "Change",
    "Digests",
    "Entry",
    "KnownAccount",
    "Lease",
    "Ledger",
    "LedgerError",
    "MemoryStore",
    "Order",
    "PageFilter",
    "Pages",
    "Period",
    "Questions",
    "RateLimiter",
    "Repeat",
    "SendState",
    "Sending",
    "State",
    "Store",
    "Turn",
    "ledger_file",
    "present_name",
    "sqlite_url",
]


class Ledger:
    """One account's access to the ledger.

    Args:
        store: The database.
        account: The account's name.
        environment: live, test or sandbox.
        clock: Returns the time in seconds since 1970 UTC; the store's clock by default.
        owner: The name of this process in leader leases.
    """

    def __init__(
        self,
        store: Store,
        account: str,
        environment: str,
        clock: Callable[[], float] | None = None,
        owner: str | None = None,
    ) -> None:
        self.store = store
        self.lasts = not isinstance(store, MemoryStore)
        self.clock = clock or store.clock
        self.owner = owner or f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self.questions = Questions(store, account)
        self.pages = Pages(store, account)
        self.retention = Retention(store, account)
        self.sending = Sending(store, account)
        self.balances = Balances(store, account, environment)
        self.budgets = Budgets(store, environment, self.clock)
        self.accounts = Accounts(store, account, environment)
        self.catalogue = Catalogue(store, account)

    def identities(self, identity: Callable[[str], str]) -> tuple[str, ...]:
        """Return a question's identity under each name of this account, the current name first."""
        return tuple(identity(name) for name in self.accounts.names())

    def leader_lease(self, name: str, seconds: float) -> LeaderLease:
        """Return a lease on work that one process does for all; it expires ``seconds`` after its last renewal."""
        return LeaderLease(self.store, name, self.owner, seconds)

    def lease(self, seconds: float) -> Lease:
        """Return a lease for one sender of this process; it expires in ``seconds``."""
        return Lease.take(self.clock() + seconds)
