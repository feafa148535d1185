"""The functions that the watcher calls, and the attributes of a question that it uses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol


class WatchedQuestion(Protocol):
    """The attributes of a question that the watcher uses; ``prepared_at`` is in seconds since 1970 UTC."""

    @property
    def id(self) -> int: ...
    @property
    def status(self) -> str | None: ...
    @property
    def is_open(self) -> bool: ...
    @property
    def prepared_at(self) -> float: ...


@dataclass(frozen=True)
class PollResult:
    """The question after a poll, and in how many seconds the next poll is due."""

    entry: WatchedQuestion
    next_in: float


@dataclass(frozen=True)
class WatcherCallbacks:
    """The functions through which the watcher uses the service, the ledger and the lease.

    Attributes:
        poll: Polls a question by its id.
        look: Reads a question from the ledger; raises LookupError where it has none.
        open: Returns the open questions of the account.
        due_in: Returns in how many seconds a question that this process has not polled yet is due.
        may_poll: Acquires or renews the lease; returns whether this process holds it.
        turn_in: Takes a turn of the rate limit and returns 0, else returns the seconds to wait.
        release: Releases the lease.
        others_poll: Returns whether another process holds the lease.
        gone: Returns why the account can't answer any more; None while it can.
    """

    poll: Callable[[int], PollResult]
    look: Callable[[int], WatchedQuestion]
    open: Callable[[], Sequence[WatchedQuestion]]
    due_in: Callable[[WatchedQuestion], float]
    may_poll: Callable[[], bool]
    turn_in: Callable[[], float]
    release: Callable[[], None]
    others_poll: Callable[[], bool]
    gone: Callable[[], str | None]
