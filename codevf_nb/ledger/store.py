"""Opening the ledger: one engine, real transactions, and the safety of what is written.

SQLAlchemy on SQLite begins no transaction for a SELECT, and a write that starts with a read can then be refused in the
middle. So every transaction here begins explicitly, a writing one with BEGIN IMMEDIATE, which waits for its turn first.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from codevf_nb.ledger import migrations
from codevf_nb.sdk.exceptions import CodeVFError

BUSY_SECONDS = 15.0


class LedgerError(CodeVFError):
    """The ledger can't be opened or written; the message says which file and why."""


class Store:
    """A database with two ways in: ``read()`` and ``write()``, each one transaction."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._engine = _open(url)
        self._reader = self._engine.execution_options(codevf_begin="BEGIN")
        self._writer = self._engine.execution_options(codevf_begin="BEGIN IMMEDIATE")
        with self.write() as connection:
            migrations.upgrade(connection)

    @contextlib.contextmanager
    def read(self) -> Iterator[Connection]:
        """One reading transaction: everything in it is seen as of one moment."""
        with self._told(), self._reader.begin() as connection:
            yield connection

    @contextlib.contextmanager
    def write(self) -> Iterator[Connection]:
        """One writing transaction; on disk (synchronous FULL) when it ends well, else as if never begun."""
        with self._told(), self._writer.begin() as connection:
            yield connection

    def close(self) -> None:
        """Let go of every connection."""
        self._engine.dispose()

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            raise LedgerError(f"the ledger at {self.url} can't be used: {error.orig}") from error


def sqlite_url(path: Path) -> str:
    """Return the URL of a SQLite ledger at ``path``, whose file is made 0600 before anything is in it."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600, exist_ok=True)
    except OSError as error:
        raise LedgerError(f"the ledger at {path} can't be made: {error.strerror}") from error
    return f"sqlite:///{path}"


def _open(url: str) -> Engine:
    if not url.startswith("sqlite"):
        return create_engine(url)
    # A connection per transaction: threads share nothing, and a forked or killed kernel leaves no lock behind.
    engine = create_engine(url, poolclass=NullPool, connect_args={"timeout": BUSY_SECONDS})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA secure_delete = ON")


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("codevf_begin", "BEGIN"))
