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
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import Connection, delete, insert, select

from codevf_nb.ledger.store import LedgerError, Store
from codevf_nb.ledger.tables import leases, limits
from codevf_nb.sdk.limits import HINT_CAP

# Requests must arrive a second apart; so much more lies between turns, since neither machines nor networks are even.
# A request that leaves or arrives later than the second figure puts off all the turns after it.
SPARE_SECONDS = 0.03
LATE_SECONDS = 0.015
# The shortest way there and back that was seen counts for this much more with every one after it: networks change.
LONGER = 1.05
# No more than this lies ahead unless a clock was set back: the longest hint, and as long a queue.
BELIEVABLE_SECONDS = 2 * HINT_CAP
ROUNDING_SECONDS = 1e-3

log = logging.getLogger("codevf_nb.ledger")


class Answer(Protocol):
    """What a limiter wants to know of an answer.

    ``began`` and ``came``, by ``time.monotonic()``: when its request began to leave and when the answer was here.
    ``stay_away``: the seconds that a 429 names, 0 for none, None for any other answer.
    """

    @property
    def began(self) -> float: ...
    @property
    def came(self) -> float: ...
    @property
    def stay_away(self) -> float | None: ...


@dataclass
class _Turns:
    """The turns of one key: what the ledger knows of them, how far apart they lie, and two clocks read together.

    They are given up to ``queue_until``, and those still to come can be put off all together: a turn is named by the
    moment it would have if none had ever been put off. None is used before ``next_allowed_at``.
    """

    now: float
    elapsed: float
    apart: float
    next_allowed_at: float
    queue_until: float
    put_off: float

    def give(self) -> float:
        """Give the next turn that nobody has."""
        at = max(self.now, self.next_allowed_at, self.queue_until)
        self.queue_until = at + self.apart
        return at - self.put_off

    def at(self, turn: float) -> float:
        """When a turn is, as things stand."""
        return turn + self.put_off

    def is_lost(self, turn: float) -> bool:
        """Whether a turn was slept through, or was due when a 429 came."""
        return self.at(turn) <= max(self.now - self.apart, self.next_allowed_at - ROUNDING_SECONDS)

    def delay(self, seconds: float) -> None:
        """Put off all turns that are still to come."""
        self.put_off += seconds
        self.queue_until += seconds

    def keep_free(self, until: float) -> None:
        """Let no turn be used before then: the next one to come is put off as far as that, and all others with it."""
        to_come = max(0, math.floor((self.queue_until - self.now) / self.apart))
        self.delay(max(0.0, until - (self.queue_until - to_come * self.apart)))
        self.next_allowed_at = max(self.next_allowed_at, until)


@dataclass(frozen=True)
class _Used:
    """The turn of a request: its name, and when it was by either clock."""

    turn: float
    at: float
    elapsed: float


class _Own(threading.local):
    """What a thread has sent and not heard of yet."""

    used: _Used | None = None


class Limiter:
    """At most so many requests per second with one key, over every process that shares the ledger.

    Who submits queues with ``wait``, first come, first served; who polls takes what is left over with ``free_in``. Each
    tells ``heard`` every answer, on the same thread. A disk, a machine or a network that is slow for a moment brings
    requests together that were to leave apart; an answer shows how late its request can have arrived at most, and the
    next one keeps its distance from that. What is late by more than a whole turn can't be made up for: others have gone
    by then. ``elapsed`` is ``time.monotonic`` outside of tests.
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
        self._shortest = 0.0

    def wait(self) -> None:
        """Queue for a turn and return when it has come."""
        turn: float | None = None
        while self._apart:
            with self._turns() as turns:
                if turn is None or turns.is_lost(turn):
                    turn = turns.give()
                left = turns.at(turn) - turns.now
                if left < -LATE_SECONDS:
                    turns.delay(-left)
                    left = 0.0
            if left <= 0:
                self._own.used = _Used(turn, turns.now + left, turns.elapsed + left)
                return
            self._sleep(max(0.0, turns.elapsed + left - self._elapsed()))

    def free_in(self) -> float:
        """Take a turn if one is free and return 0 when it is to be used; else the seconds to wait before asking again.

        None is free while somebody queues, so whoever polls stands back for those who submit or cancel.
        """
        if not self._apart:
            return 0.0
        with self._turns() as turns:
            left = max(turns.next_allowed_at, turns.queue_until) - turns.now
            if left > 0:
                return left
            turn = turns.give()
        self._own.used = _Used(turn, turns.now, turns.elapsed)
        return 0.0

    def heard(self, answer: Answer) -> None:
        """Let nobody go within a second of when a request can have arrived, nor before a 429 allows it."""
        if not self._apart:
            return
        used, self._own.used = self._own.used, None
        late = 0.0 if used is None else self._late(used, answer)
        if late <= LATE_SECONDS and answer.stay_away is None:
            return
        try:
            with self._turns() as turns:
                if used is not None and not self._others_have_gone(used, turns):
                    turns.keep_free(min(used.at + late, turns.now) + self._apart)
                if answer.stay_away is not None:
                    turns.keep_free(turns.now + min(max(answer.stay_away, self._apart), HINT_CAP))
        except LedgerError as error:  # the answer is there, and that matters more
            log.warning("others were not held back: %s", error)

    def _late(self, used: _Used, answer: Answer) -> float:
        """Tell how late a request can have arrived, and learn how long the way is, which nobody knows at first."""
        way = answer.came - answer.began
        late = answer.came - used.elapsed - min(way, self._shortest)
        self._shortest = min(way, LONGER * self._shortest) if self._shortest else way
        return late

    def _others_have_gone(self, used: _Used, turns: _Turns) -> bool:
        following = turns.at(used.turn) + self._apart
        return following < min(turns.now, turns.queue_until - ROUNDING_SECONDS)

    @contextlib.contextmanager
    def _turns(self) -> Iterator[_Turns]:
        """The row as it is now; what is changed of it is written back in the same transaction."""
        row = limits.c.credential == self._credential
        kept = (limits.c.next_allowed_at, limits.c.queue_until, limits.c.put_off)
        with self._store.write() as connection:
            found = connection.execute(select(*kept).where(row)).one_or_none()
            elapsed, now = self._elapsed(), self._store.now(connection)
            next_allowed_at, queue_until, put_off = found or (now, now, 0.0)
            if next_allowed_at > now + BELIEVABLE_SECONDS:
                next_allowed_at = now
            if queue_until > now + BELIEVABLE_SECONDS:  # all turns that were given are long over then
                put_off -= queue_until - now + BELIEVABLE_SECONDS
                queue_until = now + self._apart
            turns = _Turns(now, elapsed, self._apart, next_allowed_at, queue_until, put_off)
            yield turns
            new = {column.name: getattr(turns, column.name) for column in kept}
            if found is None or new != found._asdict():  # whoever only asks waits for no disk
                connection.execute(delete(limits).where(row))
                connection.execute(insert(limits).values(credential=self._credential, **new))


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
