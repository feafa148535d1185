"""Opens the ledger's database, and runs its transactions.

On SQLite and PostgreSQL, a writing transaction takes an exclusive lock before its first read, so that no other process
changes what it has read. The code for each database is in ``_sqlite.py`` and ``_postgresql.py``.
"""

from __future__ import annotations

import contextlib
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator

from sqlalchemy import Connection, RootTransaction, func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnectionError

from codevf_nb.ledger._database import Database
from codevf_nb.ledger._digests import Digests
from codevf_nb.ledger._errors import LedgerError
from codevf_nb.ledger._postgresql import PostgreSQL
from codevf_nb.ledger._sqlite import SQLite
from codevf_nb.ledger._url import FileAddress, parse
from codevf_nb.sdk.forks import no_fork, reset_after_fork

__all__ = ["BUSY_SECONDS", "LedgerError", "Store"]

BUSY_SECONDS = 15.0
# A process that is suspended during a transaction must not block a whole team.
ABANDONED_SECONDS = 30.0


class _ThreadConnection(threading.local):
    """The open connection of a thread."""

    connection: Connection | None = None


class Store:
    """A database with ``read()`` and ``write()`` transactions.

    Attributes:
        place: The database's name for messages, without its password.
        digests: Computes the keyed hashes of attachments.

    Args:
        url: The URL of the ledger.
        clock: Replaces the time in tests.
        digests: The hashes of this home; by default those of a random secret, which is not stored.

    Raises:
        LedgerError: The ledger can't be opened.
    """

    def __init__(self, url: str, clock: Callable[[], float] | None = None, digests: Digests | None = None) -> None:
        address = parse(url)
        del url  # so that no traceback shows its password among the locals
        in_file = isinstance(address, FileAddress)
        try:
            database = (
                SQLite(address.path, BUSY_SECONDS)
                if isinstance(address, FileAddress)
                else PostgreSQL(address, BUSY_SECONDS, ABANDONED_SECONDS)
            )
        except (OSError, sqlite3.Error) as error:
            raise LedgerError(f"the ledger at {address.place} can't be opened: {error}") from error
        # Machines that share a ledger have different clocks, so they use the server's.
        self._open(database, address.place, time.time if clock is None and in_file else clock, digests)

    def _open(self, database: Database, place: str, clock: Callable[[], float] | None, digests: Digests | None) -> None:
        self.digests = digests or Digests(secrets.token_bytes(32))
        self.place = place
        self._forget_connections()
        reset_after_fork(self._forget_connections)
        self._clock = clock
        self._database = database
        self._engine = database.engine
        with self.write() as connection:
            try:
                database.set_up(connection, self.digests)
            except LedgerError as error:
                raise LedgerError(f"the ledger at {place} can't be used: {error}") from None

    def _forget_connections(self) -> None:
        self._reused = _ThreadConnection()

    @contextlib.contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a read-only transaction, which sees one snapshot of the database.

        Raises:
            LedgerError: The database can't be read.
        """
        with self._raise_ledger_errors(), no_fork(), self._transaction(writes=False) as connection:
            yield connection

    @contextlib.contextmanager
    def write(self) -> Iterator[Connection]:
        """Open a writing transaction: it is committed to disk (synchronous FULL), or rolled back after an exception.

        Raises:
            LedgerError: The database can't be written.
        """
        with self._raise_ledger_errors(), no_fork(), self._transaction(writes=True) as connection:
            yield connection

    @contextlib.contextmanager
    def reuse_connection(self) -> Iterator[None]:
        """Use one connection for all transactions of this thread in this context; each is still committed separately.

        SQLite creates its journal with the first open connection and deletes it with the last. Both wait for the disk,
        which takes most of the time of a series of short transactions.
        """
        if not self._database.keeps_journal or self._reused.connection is not None:
            yield
            return
        with no_fork():
            yield from self._with_reused()

    def _with_reused(self) -> Iterator[None]:
        try:
            with contextlib.suppress(DBAPIError):  # each transaction then reports its own error
                self._reused.connection = self._engine.connect()
            yield
        finally:
            reused, self._reused.connection = self._reused.connection, None
            if reused is not None:
                with contextlib.suppress(DBAPIError):
                    reused.close()
                self._database.empty_journal()

    def now(self, connection: Connection) -> float:
        """Return the ledger's time, which all its processes share, in seconds since 1970 UTC."""
        if self._clock is not None:
            return self._clock()
        return float(connection.scalar(select(func.extract("epoch", func.clock_timestamp()))) or 0.0)

    def clock(self) -> float:
        """Return the same time as ``now``, in a transaction of its own."""
        if self._clock is not None:
            return self._clock()
        with self.read() as connection:
            return self.now(connection)

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    @contextlib.contextmanager
    def _transaction(self, *, writes: bool) -> Iterator[Connection]:
        if self._database.keeps_journal and no_fork.interrupted_work:
            raise LedgerError(
                f"the ledger at {self.place} can't be used here: this process was forked while another thread of its "
                "parent was using it. Start it again, or by spawn"
            )
        reused = self._reused.connection
        if reused is None or reused.in_transaction():
            transaction = self._begun(writes=writes)
            with contextlib.closing(transaction.connection) as connection, transaction:
                yield connection
        else:
            try:
                with reused.begin():
                    self._database.begin(reused, writes=writes)
                    yield reused
            except BaseException:
                # After a failed COMMIT or an interrupted BEGIN, SQLAlchemy and SQLite disagree on whether a transaction
                # is open. The next transaction therefore uses a new connection.
                if not reused.invalidated:
                    reused.invalidate()
                raise

    def _begun(self, *, writes: bool) -> RootTransaction:
        """Begin a transaction on a connection from the pool; replace a dead connection once."""
        try:
            return self._begin(self._engine.connect(), writes=writes)
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
        return self._begin(self._engine.connect(), writes=writes)

    def _begin(self, connection: Connection, *, writes: bool) -> RootTransaction:
        try:
            transaction = connection.begin()
            self._database.begin(connection, writes=writes)
        except BaseException:
            connection.close()
            raise
        return transaction

    @contextlib.contextmanager
    def _raise_ledger_errors(self) -> Iterator[None]:
        try:
            yield
        except (DBAPIError, NoConnectionError, sqlite3.Error, OverflowError) as error:
            advice = self._database.advice(error)
            raise LedgerError(f"the ledger at {self.place} can't be used: {_reason(error)}{advice}") from error


def _reason(error: BaseException) -> str:
    """Return the first line of the database's message; the other lines repeat statements and values.

    For a host with several addresses, the first line is a heading, and the last line has the reason.
    """
    lines = str(getattr(error, "orig", None) or error).strip().splitlines() or [type(error).__name__]
    return lines[0] if not lines[0].endswith(":") else f"{lines[0]} {lines[-1].strip('- ')}"
