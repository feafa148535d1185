"""A ledger that lasts as long as its kernel, for when the real one can't be opened: a copy of what can be read of that.

Answers can be looked at with it. A question that it alone remembers is forgotten with the kernel, so asking with it
takes a person's word (``--no-ledger``).
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import QueuePool

from codevf_nb.ledger import migrations
from codevf_nb.ledger.store import BUSY_SECONDS, Kept, Store


class MemoryStore(Store):
    """A database in memory. One connection serves all threads, in turns."""

    def __init__(self, copy_of: Path | None = None, clock: Callable[[], float] = time.time) -> None:
        self.place = "memory"
        self._kept = Kept()
        self._clock = clock
        self._engine: Engine = create_engine(
            "sqlite://",
            creator=lambda: _open(copy_of),
            poolclass=QueuePool,
            pool_size=1,
            max_overflow=0,
            pool_timeout=BUSY_SECONDS,
            hide_parameters=True,
        )
        event.listen(self._engine, "begin", _begin)
        with self.write() as connection:
            migrations.upgrade(connection)

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        """Keep nothing: the one connection is always there."""
        yield


def _open(copy_of: Path | None) -> sqlite3.Connection:
    memory = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    if copy_of is not None:
        # Read-only first; on a file system that can't even be locked, as it lies there.
        for way in ("mode=ro", "immutable=1"):
            with contextlib.suppress(sqlite3.Error):
                _copy(f"file:{quote(str(copy_of))}?{way}", memory)
                break
    return memory


def _copy(uri: str, memory: sqlite3.Connection) -> None:
    with contextlib.closing(sqlite3.connect(uri, uri=True, timeout=1.0)) as source:
        version = source.execute("SELECT value FROM meta WHERE name = 'version'").fetchone()
        if version is not None and int(version[0]) <= len(migrations.STEPS):
            source.backup(memory)


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
