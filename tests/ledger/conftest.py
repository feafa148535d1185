"""The ledger's tests run on SQLite and on PostgreSQL alike: ask for ``store``, or for ``ledger_url``."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from codevf_nb.ledger import Store
from tests.postgres import Postgres


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server for the whole run."""
    server = Postgres()
    yield server
    server.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a ledger that nobody has used yet."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'ledger.sqlite'}"
    return request.getfixturevalue("postgres").database()


@pytest.fixture
def store(ledger_url: str) -> Iterator[Store]:
    """An empty ledger on each database."""
    store = Store(ledger_url)
    yield store
    store.close()
