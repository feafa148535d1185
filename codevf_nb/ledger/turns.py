"""Turns taken by all processes of a ledger: the shared rate limit, and leases on work that one process does for all.

Both are one row, read and written within one writing transaction, so that two processes can't both win. Clock and
waiting are passed in.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from sqlalchemy import Connection, delete, insert, select

from codevf_nb.ledger.store import Store
from codevf_nb.ledger.tables import leases, limits

# Arrivals must lie a second apart at the service; this much more makes up for the way there being uneven.
SPARE_SECONDS = 0.03
# A turn that is taken later than this (a suspended process) has lost its place and queues again.
LATE_SECONDS = 0.1


class Limiter:
    """At most so many requests per second with one key, over every process that shares the ledger."""

    def __init__(
        self,
        store: Store,
        credential: str,
        per_second: float | None,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._store = store
        self._credential = credential
        self._interval = 0.0 if per_second is None else 1 / per_second + SPARE_SECONDS
        self._clock = clock
        self._sleep = sleep

    def wait(self) -> None:
        """Take the next free turn and return when it has come."""
        while self._interval:
            turn = self._take()
            self._sleep(max(0.0, turn - self._clock()))
            if self._clock() - turn <= LATE_SECONDS:
                return

    def free_in(self) -> float:
        """Take a turn if one is free now and return 0; else return the seconds to wait before asking again."""
        if not self._interval:
            return 0.0
        with self._store.write() as connection:
            now = self._clock()
            free_at = self._next(connection)
            if free_at > now:
                return free_at - now
            self._set(connection, now + self._interval)
        return 0.0

    def push(self, seconds: float) -> None:
        """Let nobody go before so many seconds have passed: the service said so."""
        with self._store.write() as connection:
            self._set(connection, max(self._next(connection), self._clock() + seconds))

    def _take(self) -> float:
        with self._store.write() as connection:
            turn = max(self._clock(), self._next(connection))
            self._set(connection, turn + self._interval)
        return turn

    def _next(self, connection: Connection) -> float:
        row = select(limits.c.next_allowed_at).where(limits.c.credential == self._credential)
        return float(connection.scalar(row) or 0.0)

    def _set(self, connection: Connection, at: float) -> None:
        connection.execute(delete(limits).where(limits.c.credential == self._credential))
        connection.execute(insert(limits).values(credential=self._credential, next_allowed_at=at))


class Leases:
    """Named work that one process does for all, passed on when its holder is gone."""

    def __init__(self, store: Store, owner: str, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._owner = owner
        self._clock = clock

    def hold(self, name: str, seconds: float) -> bool:
        """Take or renew the lease for so many seconds; whether it is ours."""
        with self._store.write() as connection:
            now = self._clock()
            row = connection.execute(select(leases).where(leases.c.name == name)).one_or_none()
            if row is not None and row.owner != self._owner and row.until >= now:
                return False
            connection.execute(delete(leases).where(leases.c.name == name))
            connection.execute(insert(leases).values(name=name, owner=self._owner, until=now + seconds))
        return True

    def release(self, name: str) -> None:
        """Give the lease up, if it is ours."""
        with self._store.write() as connection:
            connection.execute(delete(leases).where(leases.c.name == name, leases.c.owner == self._owner))
