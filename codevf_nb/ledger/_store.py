"""Opening the ledger: one engine, real transactions, one time for all, and the safety of what is written.

On SQLite and PostgreSQL alike a writing transaction waits for its turn before it reads anything, so that what it has
read still holds when it writes. The databases' own parts are in ``sqlite.py`` and ``postgresql.py``.
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
# A process that was suspended within a transaction must not lock a whole team out.
ABANDONED_SECONDS = 30.0


class _ThreadConnection(threading.local):
    """The connection that a thread keeps open."""

    connection: Connection | None = None


class Store:
    """A database with two ways in: ``read()`` and ``write()``, each one transaction.

    ``place`` names it without its password. ``digests`` keys the hashes of attachments: this home's, else by a
    secret that nobody keeps. ``clock`` replaces time in tests.
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
        # Machines that share a ledger have clocks of their own: there the database's is the one that counts.
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
        """One reading transaction: everything in it is seen as of one moment."""
        with self._raise_ledger_errors(), no_fork(), self._transaction(writes=False) as connection:
            yield connection

    @contextlib.contextmanager
    def write(self) -> Iterator[Connection]:
        """One writing transaction; on disk (synchronous FULL) when it ends well, else as if never begun."""
        with self._raise_ledger_errors(), no_fork(), self._transaction(writes=True) as connection:
            yield connection

    @contextlib.contextmanager
    def reuse_connection(self) -> Iterator[None]:
        """Keep one connection open over several transactions of this thread; each is committed by itself all the same.

        SQLite's journal comes with the first connection that is open and goes with the last, and either waits for the
        disk: for a dozen transactions one after another that would be most of the time they take.
        """
        if not self._database.keeps_journal or self._reused.connection is not None:
            yield
            return
        with no_fork():
            yield from self._with_reused()

    def _with_reused(self) -> Iterator[None]:
        try:
            with contextlib.suppress(DBAPIError):  # without it each transaction will tell by itself why it can't begin
                self._reused.connection = self._engine.connect()
            yield
        finally:
            reused, self._reused.connection = self._reused.connection, None
            if reused is not None:
                with contextlib.suppress(DBAPIError):
                    reused.close()
                self._database.empty_journal()

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
                # A COMMIT that failed is over for SQLAlchemy and not for SQLite, a BEGIN that was interrupted the other
                # way round: the next one begins on a new connection.
                if not reused.invalidated:
                    reused.invalidate()
                raise

    def _begun(self, *, writes: bool) -> RootTransaction:
        """Begin on a connection from the pool. One that turns out to be dead is replaced: nothing was done on it."""
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
    """Return the first line of what the database says: the others repeat statements and values.

    Where a host has several addresses, the first line only announces a line for each of them.
    """
    lines = str(getattr(error, "orig", None) or error).strip().splitlines() or [type(error).__name__]
    return lines[0] if not lines[0].endswith(":") else f"{lines[0]} {lines[-1].strip('- ')}"
