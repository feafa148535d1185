"""The rate limit that all processes of a ledger share, and work that one process does for all of them.

Both are one row, read and written within one writing transaction, so that two processes can't both win. Moments are by
the ledger's clock, which all who share it have in common; waiting is done by each process on its own.
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

# Turns lie this much further apart than the service asks for, since machines and networks are uneven.
SPARE_SECONDS = 0.07
# Whether a turn still holds is looked up so much before it comes, so that no look-up makes its request late.
LOOK_SECONDS = 0.1

log = logging.getLogger("codevf_nb.ledger")


@dataclass
class Turn:
    """When one request may go: ``at`` by the ledger's clock, ``comes`` by ``time.monotonic``, and ``ends`` at latest.

    ``left`` is how many seconds there were until then when it was taken.
    """

    ends: float
    at: float = 0.0
    comes: float = 0.0
    left: float = 0.0


class RateLimiter:
    """At most so many requests per second with one key, over every process that shares the ledger.

    A request takes the next free turn with ``wait``, first come, first served; a poll takes one with ``try_take``, only
    where no request is waiting. A turn is taken ahead of its time, so that no disk stands between it and its request.
    Two requests that arrive too close together all the same are answered with a 429, which costs nothing: it is a
    certain refusal, and the call repeats itself. ``elapsed`` is ``time.monotonic`` outside of tests.
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
        """Take the next free turn, and return when it has come.

        Raises:
            RateLimitError: it comes later than ``within`` seconds from now, so it was not taken.
        """
        turn = self.turn(within)
        while self._apart:
            with self._store.write() as connection:
                self.take(turn, connection)
            if self.wait_for(turn):
                return

    def turn(self, within: float = TIMEOUT) -> Turn:
        """Make a request's turn, to be taken in a transaction of the caller's; it has to come ``within`` seconds."""
        return Turn(self._elapsed() + min(within, TIMEOUT))

    def take(self, turn: Turn, connection: Connection) -> float:
        """Take the next free turn within a writing transaction, and return the seconds until it comes.

        Raises:
            RateLimitError: it comes too late, so it was not taken.
        """
        if not self._apart:
            return 0.0
        began, now = self._elapsed(), self._store.now(connection)
        turn.at = max(now, *self._moments(connection, now))
        turn.left = turn.at - now
        turn.comes = began + turn.left
        if turn.comes > turn.ends:
            raise RateLimitError(f"the rate limit lets this go in {turn.left:.0f} s", retry_after=turn.left)
        self._write(connection, next_allowed_at=turn.at + self._apart)
        return turn.left

    def wait_for(self, turn: Turn) -> bool:
        """Wait until a turn that was taken comes; False if it was lost meanwhile, so that another one is needed."""
        if turn.left <= 0:
            return True
        self._sleep(max(0.0, turn.comes - LOOK_SECONDS - self._elapsed()))
        is_lost = self._is_lost(turn.at)
        self._sleep(max(0.0, turn.comes - self._elapsed()))
        return not is_lost

    def try_take(self) -> float:
        """Take a turn if one is free and return 0; else return the seconds to wait before asking again."""
        if not self._apart:
            return 0.0
        with self._store.write() as connection:
            now = self._store.now(connection)
            turn = max(now, *self._moments(connection, now))
            if turn == now:
                self._write(connection, next_allowed_at=now + self._apart)
        return turn - now

    def record_rate_limit(self, answer: RawAnswer) -> None:
        """After a 429, let no request of any process go for as long as it says."""
        if answer.rate_limit_seconds is None or not self._apart:
            return
        seconds = min(max(answer.rate_limit_seconds, self._apart - SPARE_SECONDS), HINT_CAP)
        try:
            with self._store.write() as connection:
                now = self._store.now(connection)
                self._write(connection, closed_until=max(now + seconds, self._moments(connection, now)[1]))
        except LedgerError as error:  # the answer is there, and that matters more
            log.warning("others were not held back: %s", error)

    def _is_lost(self, turn: float) -> bool:
        """Whether a 429 has come since the turn was taken, or the next turn has passed, as on a machine that slept."""
        with self._store.read() as connection:
            now = self._store.now(connection)
            return max(self._moments(connection, now)[1], now - self._apart) > turn

    def _moments(self, connection: Connection, now: float) -> tuple[float, float]:
        """Return when the next turn is free, and until when a 429 lets nothing go.

        A moment farther ahead than any that is ever written is from before a clock was set back.
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
    """Work that one process does for all, for as long as it renews its lease; passed on when its holder is gone.

    ``seconds`` is how long a holder that has died is still believed. ``elapsed`` is a clock that never jumps.
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
        """Have an owner of one's own in a forked process: the duty stays with the parent."""
        self._owner, self._renew_at = f"{self._owner} {os.getpid()}", -math.inf

    def acquire(self) -> bool:
        """Take the duty if nobody has it, renew it once half of its time is over; whether it is this process's."""
        if self._elapsed() >= self._renew_at:
            held = not self.is_held_elsewhere() and self._take()
            self._renew_at = self._elapsed() + self._seconds / 2 if held else -math.inf
        return self._renew_at > -math.inf

    def is_held_elsewhere(self) -> bool:
        """Whether another process has the duty; looked up without a lock: who stands by makes nobody wait."""
        with self._store.read() as connection:
            return self._is_taken(connection)

    def release(self) -> None:
        """Give the duty up, if it is ours."""
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
        # A lease that ends later than any that could be given out now is from before a clock was set back.
        left = 0.0 if row is None else row.until - self._store.now(connection)
        return row is not None and row.owner != self._owner and 0 <= left <= self._seconds
