"""Opening the ledger: one engine, real transactions, one time for all, and the safety of what is written.

On SQLite and PostgreSQL alike a writing transaction waits for its turn before it reads anything, so that what it has
read still holds when it writes: SQLAlchemy by itself begins none for a SELECT on SQLite, and lets two of them read the
same row on PostgreSQL.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, func, make_url, select
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnectionError
from sqlalchemy.pool import NullPool

from codevf_nb.ledger import journal, migrations
from codevf_nb.sdk.exceptions import CodeVFError

BUSY_SECONDS = 15.0
CONNECT_SECONDS = 10
# A process that was suspended within a transaction must not lock a whole team out.
ABANDONED_SECONDS = 30

_READ, _WRITE = "codevf_read", "codevf_write"
_BEGIN = {
    "sqlite": {_READ: "BEGIN", _WRITE: "BEGIN IMMEDIATE"},
    "postgresql": {
        _READ: "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY",
        _WRITE: f"SELECT pg_advisory_xact_lock({int.from_bytes(b'codevf')})",
    },
}


class LedgerError(CodeVFError):
    """The ledger can't be opened or written; the message says which one and why."""


class Kept(threading.local):
    """The connection that a thread keeps open."""

    connection: Connection | None = None


class Store:
    """A database with two ways in: ``read()`` and ``write()``, each one transaction.

    ``place`` names it without its password. ``clock`` stands in for time in tests.
    """

    def __init__(self, url: str, clock: Callable[[], float] | None = None) -> None:
        parsed = _parsed(url)
        self.place = _place(parsed)
        self._kept = Kept()
        # Machines that share a ledger have clocks of their own: there the database's is the one that counts.
        self._clock = time.time if clock is None and parsed.get_backend_name() == "sqlite" else clock
        try:
            self._engine = _open_sqlite(parsed) if parsed.get_backend_name() == "sqlite" else _open_postgresql(parsed)
        except (OSError, sqlite3.Error) as error:
            raise LedgerError(f"the ledger at {self.place} can't be opened: {error}") from error
        with self.write() as connection:
            migrations.upgrade(connection)

    @contextlib.contextmanager
    def read(self) -> Iterator[Connection]:
        """One reading transaction: everything in it is seen as of one moment."""
        with self._told(), self._transaction(_READ) as connection:
            yield connection

    @contextlib.contextmanager
    def write(self) -> Iterator[Connection]:
        """One writing transaction; on disk (synchronous FULL) when it ends well, else as if never begun."""
        with self._told(), self._transaction(_WRITE) as connection:
            yield connection

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        """Keep one connection open over several transactions of this thread; each is committed by itself all the same.

        SQLite's journal comes with the first connection that is open and goes with the last, and either waits for the
        disk: for a dozen transactions one after another that would be most of the time they take.
        """
        if self._engine.dialect.name != "sqlite" or self._kept.connection is not None:
            yield
            return
        try:
            with contextlib.suppress(DBAPIError):  # without it each transaction will tell by itself why it can't begin
                self._kept.connection = self._engine.connect()
            yield
        finally:
            kept, self._kept.connection = self._kept.connection, None
            if kept is not None:
                with contextlib.suppress(DBAPIError), contextlib.closing(kept):
                    _empty_journal(kept)

    def now(self, connection: Connection) -> float:
        """Return the time that everybody who shares this ledger goes by, in seconds since 1970 UTC."""
        if self._clock is not None:
            return self._clock()
        return float(connection.scalar(select(func.extract("epoch", func.clock_timestamp()))) or 0.0)

    def clock(self) -> float:
        """As ``now``, outside of a transaction."""
        if self._clock is not None:
            return self._clock()
        with self.read() as connection:
            return self.now(connection)

    def close(self) -> None:
        """Let go of every connection."""
        self._engine.dispose()

    @contextlib.contextmanager
    def _transaction(self, kind: str) -> Iterator[Connection]:
        kept = self._kept.connection
        if kept is None or kept.in_transaction():
            with self._engine.connect() as connection, connection.execution_options(codevf_begin=kind).begin():
                yield connection
        else:
            try:
                with kept.execution_options(codevf_begin=kind).begin():
                    yield kept
            except BaseException:
                # A COMMIT that failed is over for SQLAlchemy and not for SQLite, a BEGIN that was interrupted the other
                # way round: the next one begins on a new connection.
                if not kept.invalidated:
                    kept.invalidate()
                raise

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (DBAPIError, NoConnectionError, sqlite3.Error) as error:
            why = str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
            raise LedgerError(f"the ledger at {self.place} can't be used: {why}") from error


def sqlite_url(path: Path) -> str:
    """Return the URL of a SQLite ledger at ``path``, whose folder is made 0700."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise LedgerError(f"the ledger at {path} can't be made: {error.strerror}") from error
    return f"sqlite:///{path}"


def _parsed(url: str) -> URL:
    """Read a URL; what can't be read is not repeated, since a password may be in it."""
    try:
        parsed = make_url(url)
        backend = parsed.get_backend_name()
    except (ArgumentError, ValueError):
        backend = "no"
    if backend not in _BEGIN:
        raise LedgerError("CODEVF_LEDGER must be a sqlite:/// or postgresql+psycopg:// URL.") from None
    if backend == "sqlite" and not parsed.database:
        raise LedgerError("the ledger must be a file: sqlite:////home/me/ledger.sqlite, with four slashes.")
    return parsed if backend == "sqlite" else parsed.set(drivername="postgresql+psycopg")


def _place(url: URL) -> str:
    if url.get_backend_name() == "sqlite":
        return str(url.database)
    host = url.host or url.query.get("host") or "localhost"
    return f"postgresql://{host}/{url.database or ''}"


def _open_sqlite(url: URL) -> Engine:
    path = Path(str(url.database))
    # SQLite gives its journals the rights of the file, so they are 0600 as well.
    path.touch(mode=0o600, exist_ok=True)
    journal.settle(path, BUSY_SECONDS)
    # A connection per transaction: threads share nothing, and a forked or killed kernel leaves no lock behind.
    engine = create_engine(url, poolclass=NullPool, connect_args={"timeout": BUSY_SECONDS}, hide_parameters=True)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin)
    return engine


def _open_postgresql(url: URL) -> Engine:
    try:
        # One connection idle per kernel, since a team's kernels share the server; a stale one is noticed before use.
        engine = create_engine(
            url,
            pool_size=1,
            max_overflow=4,
            pool_timeout=BUSY_SECONDS,
            pool_pre_ping=True,
            connect_args={"connect_timeout": CONNECT_SECONDS},
            hide_parameters=True,
        )
    except ModuleNotFoundError:
        raise LedgerError("a ledger on PostgreSQL needs psycopg: pip install 'codevf_nb[postgres]'") from None
    event.listen(engine, "connect", _prepare_postgresql)
    event.listen(engine, "begin", _begin)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA secure_delete = ON")


def _empty_journal(connection: Connection) -> None:
    """What was deleted must not stand in the journal, however many other kernels have the ledger open."""
    if connection.invalidated:
        return
    with contextlib.suppress(DBAPIError, sqlite3.Error):  # one of them is reading: the last one to close does it
        held: Any = connection.connection.driver_connection
        held.execute("PRAGMA busy_timeout = 0")
        held.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _prepare_postgresql(connection: Any, _record: Any) -> None:
    connection.execute(f"SET lock_timeout = '{BUSY_SECONDS:.0f}s'")
    connection.execute(f"SET idle_in_transaction_session_timeout = '{ABANDONED_SECONDS}s'")
    connection.commit()


def _begin(connection: Connection) -> None:
    statement = _BEGIN[connection.dialect.name][connection.get_execution_options().get("codevf_begin", _READ)]
    held: Any = connection.connection.driver_connection
    if isinstance(held, sqlite3.Connection):
        held.execute(statement)  # by itself: SQLAlchemy's way to BEGIN takes longer than most that follows it
    else:
        connection.exec_driver_sql(statement)
