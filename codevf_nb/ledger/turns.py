"""Turns taken by all processes of a ledger: the shared rate limit, and work that one process does for all.

Both are one row, read and written within one writing transaction, so that two processes can't both win. Moments are
told by the ledger's clock, which all who share it have in common; waiting is done by each process on its own.
"""

from __future__ import annotations

import contextlib
import logging
import math
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from sqlalchemy import Connection, delete, insert, select

from codevf_nb.ledger.store import LedgerError, Store
from codevf_nb.ledger.tables import leases, limits
from codevf_nb.sdk.limits import HINT_CAP

# Requests must arrive a second apart; so much more lies between turns, since neither machines nor networks are even.
# A request that leaves or arrives later than the second figure puts off all the turns after it.
SPARE_SECONDS = 0.03
LATE_SECONDS = 0.015
# No more than this lies ahead unless a clock was set back: the longest hint, and as long a queue.
BELIEVABLE_SECONDS = 2 * HINT_CAP

log = logging.getLogger("codevf_nb.ledger")


@dataclass
class _Turns:
    """The row of one key: turns lie ``apart`` seconds apart, and those still to come can be put off all together.

    A turn is named by the moment it would have if none had ever been put off. ``elapsed`` is read along with ``now``.
    """

    apart: float
    elapsed: float
    now: float
    next_allowed_at: float
    put_off: float

    def give(self) -> float:
        """Give the next turn that nobody has."""
        at = max(self.now, self.next_allowed_at)
        self.next_allowed_at = at + self.apart
        return at - self.put_off

    def at(self, turn: float) -> float:
        """When a turn is, as things stand."""
        return turn + self.put_off

    def keep_free(self, until: float) -> None:
        """Put off what comes next so far that nothing does before ``until``."""
        queued = max(0, math.floor((self.next_allowed_at - self.now) / self.apart))
        by = max(0.0, until - (self.next_allowed_at - queued * self.apart))
        self.put_off += by
        self.next_allowed_at += by


@dataclass(frozen=True)
class _Gone:
    """The turn that a request used: when that was by the ledger's clock, and by the one that never jumps."""

    at: float
    elapsed: float


class _Own(threading.local):
    """What a thread has sent and not heard of yet."""

    gone: _Gone | None = None


class Limiter:
    """At most so many requests per second with one key, over every process that shares the ledger.

    Who submits queues with ``wait``, first come, first served; who polls takes what is left over with ``free_in``. Each
    tells ``heard`` what was answered, on the same thread: a disk, a machine or a network that is slow at the moment
    brings requests together that left well apart, and an answer shows how late its request can have been.
    ``elapsed`` is a clock that never jumps.
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
        self._own = _Own()
        self._shortest: float | None = None

    def wait(self) -> None:
        """Queue for a turn and return when it has come."""
        turn: float | None = None
        while self._apart:
            with self._turns() as turns:
                # After a turn was slept through others have gone; and the clock it was given by may have been set back.
                if turn is None or not turns.now - self._apart < turns.at(turn) < turns.next_allowed_at:
                    turn = turns.give()
                late = turns.now - turns.at(turn)
                if late > LATE_SECONDS:
                    turns.put_off += late
                    turns.next_allowed_at += late
                    late = 0.0
            if late >= 0:
                self._own.gone = _Gone(turns.now - late, turns.elapsed - late)
                return
            self._sleep(max(0.0, turns.elapsed - late - self._elapsed()))

    def free_in(self) -> float:
        """Take a turn if one is free and return 0 when it is to be used; else the seconds to wait before asking again.

        None is free while somebody queues, so whoever polls stands back for those who submit or cancel.
        """
        if not self._apart:
            return 0.0
        with self._turns() as turns:
            left = turns.next_allowed_at - turns.now
            if left <= 0:
                turns.give()
        if left > 0:
            return left
        self._own.gone = _Gone(turns.now, turns.elapsed)
        return 0.0

    def heard(self, too_soon: float | None = None) -> None:
        """Let nobody go within a second of when this request can have arrived.

        Nor before a 429 allows it: ``too_soon`` are the seconds that it names, 0 for none, None for any other answer.
        """
        if not self._apart:
            return
        gone, self._own.gone = self._own.gone, None
        late = 0.0 if gone is None else self._late(self._elapsed() - gone.elapsed)
        if late <= LATE_SECONDS and too_soon is None:
            return
        try:
            with self._turns() as turns:
                if gone is not None:
                    turns.keep_free(min(gone.at + late, turns.now) + self._apart)
                if too_soon is not None:
                    turns.keep_free(turns.now + min(max(too_soon, self._apart), HINT_CAP))
        except LedgerError as error:  # the answer itself is still to be written down, and matters more
            log.warning("others were not held back: %s", error)

    def _late(self, took: float) -> float:
        """How much longer a request has taken than the way there and back does; of the first one, all of it."""
        late = took - min(took, self._shortest or 0.0)
        self._shortest = took if self._shortest is None else min(took, self._shortest)
        return late

    @contextlib.contextmanager
    def _turns(self) -> Iterator[_Turns]:
        """The row as it is now; what is changed of it is written back in the same transaction."""
        row = limits.c.credential == self._credential
        with self._store.write() as connection:
            found = connection.execute(select(limits.c.next_allowed_at, limits.c.put_off).where(row)).one_or_none()
            elapsed = self._elapsed()
            now = self._store.now(connection)
            next_allowed_at, put_off = found or (now, 0.0)
            if next_allowed_at > now + BELIEVABLE_SECONDS:
                next_allowed_at = now
            turns = _Turns(self._apart, elapsed, now, next_allowed_at, put_off)
            before = replace(turns)
            yield turns
            if turns == before:  # whoever only asks waits for no disk
                return
            connection.execute(delete(limits).where(row))
            connection.execute(
                insert(limits).values(
                    credential=self._credential, next_allowed_at=turns.next_allowed_at, put_off=turns.put_off
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
