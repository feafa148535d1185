"""Turns taken by all processes of a ledger: the shared rate limit, and work that one process does for all.

Both are one row, read and written within one writing transaction, so that two processes can't both win. Moments are
told by the ledger's clock, which all who share it have in common; waiting is done by each process on its own.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from sqlalchemy import Connection, delete, insert, select

from codevf_nb.ledger.store import Store
from codevf_nb.ledger.tables import leases, limits
from codevf_nb.sdk.limits import HINT_CAP

# Requests must arrive a second apart; so much more between their leaving makes up for a way that is uneven.
SPARE_SECONDS = 0.045
# Places in the queue lie this much further apart than requests, so that one that left late holds up few of the others.
SLACK_SECONDS = 0.005
# Who follows another one closely leaves so long after taking a turn, so that it doesn't matter how long the disk took
# to write that down; where it took longer, the turn is taken anew, so many times at most: some disks are never faster.
STEADY_SECONDS = 0.1
TAKEN_ANEW = 2
# No more than this lies ahead unless a clock was set back: the longest hint, and as long a queue.
BELIEVABLE_SECONDS = 2 * HINT_CAP


@dataclass
class _Turns:
    """The row of one key: when the next request may leave, and until when every place in the queue is taken."""

    now: float
    free_at: float
    queue_until: float


@dataclass(frozen=True)
class _Turn:
    """The right to one request: when it was taken, and whether it follows another one closely."""

    at: float
    follows: bool


class Limiter:
    """At most so many requests per second with one key, over every process that shares the ledger.

    Who submits queues with ``wait``, first come, first served; who polls takes what is left over with ``free_in``.
    """

    def __init__(
        self,
        store: Store,
        credential: str,
        per_second: float | None,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._store = store
        self._credential = credential
        self._apart = 0.0 if per_second is None else 1 / per_second + SPARE_SECONDS
        self._sleep = sleep

    def wait(self) -> None:
        """Queue for a turn and return when it has come."""
        place: float | None = None
        while self._apart:
            with self._turns() as turns:
                # The service has said to wait since the place was taken: all of them queue again, in the same order.
                if place is None or turns.free_at - turns.now > self._apart:
                    place = max(turns.now, turns.free_at, turns.queue_until)
                    turns.queue_until = place + self._apart + SLACK_SECONDS
                left = max(place, turns.free_at) - turns.now
                taken = self._take(turns) if left <= 0 else None
            if taken is not None:
                self._leave(taken)
                return
            self._sleep(left)

    def free_in(self) -> float:
        """Take a turn if one is free and return 0 when it is to be used; else the seconds to wait before asking again.

        None is free while somebody queues, so whoever polls stands back for those who submit or cancel.
        """
        if not self._apart:
            return 0.0
        with self._turns() as turns:
            left = max(turns.free_at, turns.queue_until) - turns.now
            if left > 0:
                return left
            taken = self._take(turns)
        self._leave(taken)
        return 0.0

    def heard(self, status: int, retry_after: float | None) -> None:
        """Let nobody go before the time the service has named, if an answer says that requests come too fast."""
        if status == 429 and self._apart:
            seconds = min(max(retry_after or 0.0, self._apart), HINT_CAP)
            with self._turns() as turns:
                turns.free_at = max(turns.free_at, turns.now + seconds)

    def _take(self, turns: _Turns) -> _Turn:
        turn = _Turn(turns.now, follows=turns.now - turns.free_at < STEADY_SECONDS)
        turns.free_at = turn.at + self._apart
        return turn

    def _leave(self, turn: _Turn) -> None:
        """Return when a turn's request is to leave."""
        late = self._store.clock() - turn.at
        for _ in range(TAKEN_ANEW):
            if late <= STEADY_SECONDS:
                break
            with self._turns() as turns:
                if turns.free_at != turn.at + self._apart:  # others have had turns since, so this one was long ago
                    break
                turn = self._take(turns)
            late = self._store.clock() - turn.at
        if turn.follows and 0 <= late < STEADY_SECONDS:
            self._sleep(STEADY_SECONDS - late)

    @contextlib.contextmanager
    def _turns(self) -> Iterator[_Turns]:
        """The row as it is now; what is changed of it is written back in the same transaction."""
        row = limits.c.credential == self._credential
        with self._store.write() as connection:
            found = connection.execute(select(limits.c.next_allowed_at, limits.c.queue_until).where(row)).one_or_none()
            now = self._store.now(connection)
            ahead = (
                moment if moment < now + BELIEVABLE_SECONDS else now
                for moment in found or [now - BELIEVABLE_SECONDS] * 2
            )
            turns = _Turns(now, *ahead)
            before = replace(turns)
            yield turns
            if turns == before:  # whoever only asks waits for no disk
                return
            connection.execute(delete(limits).where(row))
            connection.execute(
                insert(limits).values(
                    credential=self._credential, next_allowed_at=turns.free_at, queue_until=turns.queue_until
                )
            )


class Duty:
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

    def is_mine(self) -> bool:
        """Take the duty if nobody has it, renew it once half of its time is over; whether it is this process's."""
        if self._elapsed() >= self._renew_at:
            held = not self._is_anothers() and self._take()
            self._renew_at = self._elapsed() + self._seconds / 2 if held else -math.inf
        return self._renew_at > -math.inf

    def release(self) -> None:
        """Give the duty up, if it is ours."""
        self._renew_at = -math.inf
        with self._store.write() as connection:
            connection.execute(delete(leases).where(leases.c.name == self._name, leases.c.owner == self._owner))

    def _is_anothers(self) -> bool:
        """Look without a lock: those who only stand by don't make the others wait."""
        with self._store.read() as connection:
            return self._is_taken(connection)

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
