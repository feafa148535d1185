"""A ledger without a session: frames are made from what it holds, and from nothing else."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from codevf_nb.ledger import Store, sqlite_url
from tests.frames.history import History


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(sqlite_url(tmp_path / "frames" / "ledger.sqlite"))
    yield store
    store.close()


@pytest.fixture
def past(store: Store) -> History:
    return History(store)
