"""A ledger in a SQLite file."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from codevf_nb.ledger import _journal as journal
from codevf_nb.ledger._database import Database, driver_connection


class SQLite(Database):
    """A SQLite file. Each transaction has its own connection, so a forked or killed kernel leaves no lock."""

    keeps_journal = True

    def __init__(self, path: Path, busy_seconds: float) -> None:
        # SQLite gives its journal files the same mode, 0600.
        path.touch(mode=0o600, exist_ok=True)
        journal.set_mode(path, busy_seconds)
        url = URL.create("sqlite", database=str(path))
        self.engine = create_engine(
            url, poolclass=NullPool, connect_args={"timeout": busy_seconds}, hide_parameters=True
        )
        event.listen(self.engine, "connect", _prepare)
        self._journal = Path(f"{path}-wal")

    def begin(self, connection: Connection, *, writes: bool) -> None:
        """Begin a transaction through the driver, which is much faster than through SQLAlchemy."""
        driver_connection(connection).execute("BEGIN IMMEDIATE" if writes else "BEGIN")

    def empty_journal(self) -> None:
        """Truncate the journal if another kernel keeps it open; otherwise the last closed connection has deleted it."""
        if self._journal.exists():
            with (
                contextlib.suppress(DBAPIError, sqlite3.Error),
                self.engine.connect() as connection,
            ):  # another process is reading
                driver = driver_connection(connection)
                driver.execute("PRAGMA busy_timeout = 0")
                driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _prepare(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None  # ``begin`` executes BEGIN
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA secure_delete = ON")
