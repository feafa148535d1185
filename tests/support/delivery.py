"""A clock and a kernel that submit questions, as fixtures."""

from collections.abc import Callable, Iterator

import pytest

from codevf_nb.accounts.settings import home
from codevf_nb.ledger import Store, sqlite_url
from codevf_nb.session import Session


class Clock:
    """The time of a ledger, moved by hand."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def kernel(account, clock: Clock) -> Iterator[Callable[..., Session]]:
    """Makes kernels on one account: ``kernel()`` on this home's ledger, ``kernel("other")`` on another one."""
    made = []

    def make(ledger: str = "ledger", of=account) -> Session:
        session = Session(of, Store(sqlite_url(home() / f"{ledger}.sqlite"), clock))
        session.client._transport.sleep = lambda _: None
        made.append(session)
        return session

    yield make
    for session in made:
        session.close()
