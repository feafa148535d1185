"""Connections to SQLite, of which one stays open for a moment, since the next transaction may follow at once.

SQLite's journal comes with the first connection that is open and goes with the last, and both wait for the disk:
several milliseconds, between Enter and the prompt. A second later the file alone is the ledger again.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from codevf_nb.sdk.deadlines import deadlines

# So long after it was opened a connection is closed, in seconds; what was deleted is in no journal then.
OPEN_SECONDS = 1.0

_all: weakref.WeakSet[Resting] = weakref.WeakSet()


class Resting:
    """Connections for one transaction each, the last one of which rests until somebody begins the next one."""

    def __init__(self, connect: Callable[[], Connection]) -> None:
        self._connect = connect
        self._lock = threading.Lock()
        self._rests: tuple[Connection, float] | None = None
        _all.add(self)

    @contextlib.contextmanager
    def connection(self) -> Iterator[Connection]:
        """Have a connection for oneself; what goes wrong with it closes it."""
        connection, until = self._take() or (self._connect(), time.monotonic() + OPEN_SECONDS)
        try:
            yield connection
        except BaseException:
            connection.close()
            raise
        self._leave(connection, until)

    def close(self) -> None:
        """Close the connection that rests, if one does."""
        if taken := self._take():
            _close(taken[0])

    def _take(self) -> tuple[Connection, float] | None:
        with self._lock:
            taken, self._rests = self._rests, None
        return taken

    def _leave(self, connection: Connection, until: float) -> None:
        left = until - time.monotonic()
        if left <= 0:
            _close(connection)
            return
        with self._lock:
            is_first = self._rests is None
            if is_first:
                self._rests = connection, until
        if is_first:
            deadlines.mind(self, left, self.close)
        else:
            connection.close()


def _close(connection: Connection) -> None:
    """What was deleted must not stand in the journal, however many other kernels have the ledger open."""
    with contextlib.suppress(DBAPIError, sqlite3.Error), contextlib.closing(connection):
        held: Any = connection.connection.driver_connection
        held.execute("PRAGMA busy_timeout = 0")  # somebody is reading: the last one to close does it
        held.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _close_all() -> None:
    for resting in list(_all):
        resting.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_close_all)  # no connection of SQLite's may be in two processes
