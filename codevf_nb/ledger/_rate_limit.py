"""A rate limiter and a leader lease that all processes of a ledger share.

The state of each is one row, which is read and written in one writing transaction, so that two processes can't both get
the same turn or lease. Stored times are by the ledger's clock, which all processes share. Each process waits by its own
clock.
"""

from __future__ import annotations

import logging
import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import Connection, delete, insert, select, update

from codevf_nb.ledger._store import LedgerError, Store
from codevf_nb.ledger.tables import leases, limits
from codevf_nb.sdk.exceptions import RateLimitError
from codevf_nb.sdk.forks import reset_after_fork
from codevf_nb.sdk.limits import HINT_CAP, TIMEOUT

if TYPE_CHECKING:
    from codevf_nb.sdk.responses import RawAnswer

# Turns are this much further apart than the service requires, since the delay of a network varies.
SPARE_SECONDS = 0.07
# A turn is checked again this long before it starts, so that the query does not delay its request.
LOOK_SECONDS = 0.1

log = logging.getLogger("codevf_nb.ledger")


@dataclass
class Turn:
    """The time at which one request may be sent.

    Attributes:
        ends: The latest acceptable time, by ``time.monotonic``.
        at: The start, by the ledger's clock.
        starts: The start, by ``time.monotonic``.
        left: The seconds until the start, when the turn was reserved.
    """

    ends: float
    at: float = 0.0
    starts: float = 0.0
    left: float = 0.0


class RateLimiter:
    """Limits the requests per second with one key, over all processes that share the ledger.

    A request reserves the next free turn with ``wait``, in order of arrival. A poll takes a turn with ``try_take``,
    which succeeds only if no request is waiting. A turn is reserved before it starts, so that no disk access delays its
    request. If two requests still arrive too close together, the service answers 429. That costs nothing, and the
    request is repeated.

    Args:
        store: The ledger's database.
        credential: The digest of the key.
        per_second: The highest number of requests per second; None for no limit.
        sleep: Waits for so many seconds. Replaced in tests.
        elapsed: A monotonic clock. Replaced in tests.
    """

    def __init__(
        self,
        store: Store,
        credential: str,
        per_second: float | None,
        sleep: Callable[[float], object] = time.sleep,
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._credential = credential
        self._apart = 0.0 if per_second is None else 1 / per_second + SPARE_SECONDS
        self._sleep = sleep
        self._elapsed = elapsed

    def wait(self, within: float = TIMEOUT) -> None:
        """Reserve the next free turn, and wait until it starts.

        Raises:
            RateLimitError: It starts later than ``within`` seconds from now, so it was not reserved.
        """
        turn = self.turn(within)
        while self._apart:
            with self._store.write() as connection:
                self.take(turn, connection)
            if self.wait_for(turn):
                return

    def turn(self, within: float = TIMEOUT) -> Turn:
        """Return a new turn, which must start ``within`` seconds; the caller reserves it with ``take``."""
        return Turn(self._elapsed() + min(within, TIMEOUT))

    def take(self, turn: Turn, connection: Connection) -> float:
        """Reserve the next free turn in the caller's writing transaction, and return the seconds until it starts.

        Raises:
            RateLimitError: It starts too late, so it was not reserved.
        """
        if not self._apart:
            return 0.0
        began, now = self._elapsed(), self._store.now(connection)
        turn.at = max(now, *self._moments(connection, now))
        turn.left = turn.at - now
        turn.starts = began + turn.left
        if turn.starts > turn.ends:
            raise RateLimitError(f"the rate limit allows this request in {turn.left:.0f} s", retry_after=turn.left)
        self._write(connection, next_allowed_at=turn.at + self._apart)
        return turn.left

    def wait_for(self, turn: Turn) -> bool:
        """Wait until a reserved turn starts; return False if it was lost meanwhile and another one is needed."""
        if turn.left <= 0:
            return True
        self._sleep(max(0.0, turn.starts - LOOK_SECONDS - self._elapsed()))
        is_lost = self._is_lost(turn.at)
        self._sleep(max(0.0, turn.starts - self._elapsed()))
        return not is_lost

    def try_take(self) -> float:
        """Take a turn if one is free and return 0; otherwise return the seconds to wait before the next try."""
        if not self._apart:
            return 0.0
        with self._store.write() as connection:
            now = self._store.now(connection)
            turn = max(now, *self._moments(connection, now))
            if turn == now:
                self._write(connection, next_allowed_at=now + self._apart)
        return turn - now

    def record_rate_limit(self, answer: RawAnswer) -> None:
        """After a 429 response, block the requests of all processes for the time that it names."""
        if answer.rate_limit_seconds is None or not self._apart:
            return
        seconds = min(max(answer.rate_limit_seconds, self._apart - SPARE_SECONDS), HINT_CAP)
        try:
            with self._store.write() as connection:
                now = self._store.now(connection)
                self._write(connection, closed_until=max(now + seconds, self._moments(connection, now)[1]))
        except LedgerError as error:  # the response itself matters more
            log.warning("the rate limit was not recorded for other processes: %s", error)

    def _is_lost(self, turn: float) -> bool:
        """Return whether a 429 came after the turn was reserved, or the turn is over because the machine slept."""
        with self._store.read() as connection:
            now = self._store.now(connection)
            return max(self._moments(connection, now)[1], now - self._apart) > turn

    def _moments(self, connection: Connection, now: float) -> tuple[float, float]:
        """Return when the next turn is free, and until when a 429 blocks all requests.

        A time too far in the future was written before a clock was set back, and is ignored.
        """
        row = connection.execute(select(limits).where(limits.c.credential == self._credential)).one_or_none()
        free_at, closed_until = (0.0, 0.0) if row is None else (row.next_allowed_at, row.closed_until)
        return (
            free_at if free_at <= now + TIMEOUT + self._apart else 0.0,
            closed_until if closed_until <= now + HINT_CAP else 0.0,
        )

    def _write(self, connection: Connection, **moments: float) -> None:
        ours = update(limits).where(limits.c.credential == self._credential)
        if not connection.execute(ours.values(moments)).rowcount:
            first = {"credential": self._credential, "next_allowed_at": 0.0, "closed_until": 0.0}
            connection.execute(insert(limits).values(first | moments))


class LeaderLease:
    """A lease on work that one process does for all, such as polling.

    The process keeps the lease while it renews it. After it exits, another process takes the lease when it expires.

    Args:
        store: The ledger's database.
        name: The name of the work.
        owner: The name of this process.
        seconds: How long the lease lasts without renewal.
        elapsed: A monotonic clock. Replaced in tests.
    """

    def __init__(
        self, store: Store, name: str, owner: str, seconds: float, elapsed: Callable[[], float] = time.monotonic
    ) -> None:
        self._store = store
        self._name = name
        self._owner = owner
        self._seconds = seconds
        self._elapsed = elapsed
        self._renew_at = -math.inf
        reset_after_fork(self._change_owner)

    def _change_owner(self) -> None:
        """Use another owner name in a forked process; its parent keeps the lease."""
        self._owner, self._renew_at = f"{self._owner} {os.getpid()}", -math.inf

    def acquire(self) -> bool:
        """Take the lease if it is free, or renew it after half its time; return whether this process has it."""
        if self._elapsed() >= self._renew_at:
            held = not self.is_held_elsewhere() and self._take()
            self._renew_at = self._elapsed() + self._seconds / 2 if held else -math.inf
        return self._renew_at > -math.inf

    def is_held_elsewhere(self) -> bool:
        """Return whether another process has the lease; this needs no lock and makes no process wait."""
        with self._store.read() as connection:
            return self._is_taken(connection)

    def release(self) -> None:
        """Release the lease if this process has it."""
        self._renew_at = -math.inf
        with self._store.write() as connection:
            connection.execute(delete(leases).where(leases.c.name == self._name, leases.c.owner == self._owner))

    def _take(self) -> bool:
        with self._store.write() as connection:
            if self._is_taken(connection):
                return False
            now = self._store.now(connection)
            connection.execute(delete(leases).where(leases.c.name == self._name))
            connection.execute(insert(leases).values(name=self._name, owner=self._owner, until=now + self._seconds))
        return True

    def _is_taken(self, connection: Connection) -> bool:
        row = connection.execute(select(leases).where(leases.c.name == self._name)).one_or_none()
        # A lease that ends later than a new one would was written before a clock was set back.
        left = 0.0 if row is None else row.until - self._store.now(connection)
        return row is not None and row.owner != self._owner and 0 <= left <= self._seconds
