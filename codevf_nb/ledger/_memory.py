"""A ledger in memory, for when the real ledger can't be opened: a copy of everything that can be read.

It can show answers. A question that only this ledger has is lost when the kernel exits, so asking needs the user's
consent (``--no-ledger``).
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import Connection, create_engine
from sqlalchemy.pool import QueuePool

from codevf_nb.ledger import migrations, tables
from codevf_nb.ledger._database import Database, driver_connection
from codevf_nb.ledger._digests import Digests
from codevf_nb.ledger._store import BUSY_SECONDS, Store


class MemoryStore(Store):
    """A database in memory, with a copy of a ledger's file or of its readable part.

    Args:
        copy_of: The file to copy.
        clock: Returns the time in seconds since 1970 UTC.
        digests: Computes the keyed hashes of attachments.
    """

    def __init__(
        self, copy_of: Path | None = None, clock: Callable[[], float] = time.time, digests: Digests | None = None
    ) -> None:
        self._memory = _Memory(copy_of)
        self._open(self._memory, "memory", clock, digests)

    @property
    def copied(self) -> bool:
        """Whether it contains questions of the real ledger."""
        return self._memory.copied


class _Memory(Database):
    """A database with one connection, which one thread at a time uses."""

    def __init__(self, copy_of: Path | None) -> None:
        self.copied = False
        self._copy_of = copy_of
        self.engine = create_engine(
            "sqlite://",
            creator=self._connect,
            poolclass=QueuePool,
            pool_size=1,
            max_overflow=0,
            pool_timeout=BUSY_SECONDS,
            hide_parameters=True,
        )

    def begin(self, connection: Connection, *, writes: bool) -> None:  # noqa: ARG002 - there is one connection for all
        """Begin a transaction through the driver."""
        driver_connection(connection).execute("BEGIN IMMEDIATE")

    def set_up(self, connection: Connection, digests: Digests) -> None:
        """Create the tables; if the file could not be copied whole, copy its readable rows."""
        super().set_up(connection, digests)
        if self._copy_of is not None and not self.copied:
            with _reading(self._copy_of) as source:
                self.copied = source is not None and _copy_rows(source, driver_connection(connection))

    def _connect(self) -> sqlite3.Connection:
        memory = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        if self._copy_of is not None:
            with _reading(self._copy_of) as source:
                self.copied = source is not None and _copy_whole(source, memory)
        if not self.copied:
            memory.close()
            memory = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        return memory


@contextlib.contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection | None]:
    """Open a ledger read-only, without locks if the file system has none; None if that fails."""
    for way in ("mode=ro", "immutable=1"):
        with contextlib.ExitStack() as stack:
            try:
                uri = f"file:{quote(str(path))}?{way}"
                source = stack.enter_context(contextlib.closing(sqlite3.connect(uri, uri=True, timeout=1.0)))
                source.execute("SELECT count(*) FROM meta").fetchone()
            except sqlite3.Error:
                continue
            yield source
            return
    yield None


def _copy_whole(source: sqlite3.Connection, memory: sqlite3.Connection) -> bool:
    """Copy an intact ledger of a known version; return whether it was copied."""
    try:
        version = source.execute("SELECT value FROM meta WHERE name = 'version'").fetchone()
        if version is None or int(version[0]) > len(migrations.STEPS):
            return False
        source.backup(memory)
        return bool(memory.execute("PRAGMA quick_check(1)").fetchone() == ("ok",))
    except (sqlite3.Error, ValueError):
        return False


def _copy_rows(source: sqlite3.Connection, memory: sqlite3.Connection) -> bool:
    """Copy the shared columns up to the first unreadable row; return whether any question was copied."""
    for table in tables.metadata.sorted_tables:
        if table is not tables.meta:
            with contextlib.suppress(sqlite3.Error):
                theirs = {row[1] for row in source.execute(f"PRAGMA table_info({table.name})")}
                shared = [column.name for column in table.columns if column.name in theirs]
                rows = source.execute(f"SELECT {', '.join(shared)} FROM {table.name}")  # noqa: S608 - our own names
                marks = ", ".join("?" * len(shared))
                memory.executemany(f"INSERT INTO {table.name} ({', '.join(shared)}) VALUES ({marks})", rows)  # noqa: S608
    return bool(memory.execute("SELECT count(*) FROM questions").fetchone()[0])
