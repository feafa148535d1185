"""Where a task can be: the one table of statuses. Who shows, filters, counts or waits for them reads it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class TaskStatus(StrEnum):
    """Where a task stands. Pending and processing are open; a status that nobody knows is open too."""

    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    FAILED = "failed"
    EXPIRED = "expired"

    @classmethod
    def of(cls, status: str) -> str:
        """The known status of that name (in any case, `canceled` included), or the text as it is."""
        name = status.strip().lower()
        name = "cancelled" if name == "canceled" else name
        return cls(name) if name in cls.__members__.values() else status

    @classmethod
    def is_final(cls, status: str) -> bool:
        """Whether a task with this status will never change again. Any text may be asked about."""
        return isinstance(status, str) and look_of(status).is_final


UNKNOWN_STATUS = "unknown"
"""The status of a task whose answer did not say one; it counts as open."""

LAST_STEP = 3


@dataclass(frozen=True)
class Look:
    """What a status means to who reads it.

    `mark` stands before it, `meaning` after it (empty where the word says it all), and `filter` is what finds it in the
    inbox. `step` of `LAST_STEP` is how far along the task is. A task that `is_final` will never change again; only one
    that `answers` has an answer.
    """

    mark: str
    filter: str
    step: int
    meaning: str = ""
    is_final: bool = False
    answers: bool = False


LOOKS: dict[str, Look] = {
    TaskStatus.PENDING: Look("○", "open", 1),
    TaskStatus.PROCESSING: Look("◐", "open", 2),
    TaskStatus.COMPLETED: Look("●", "completed", LAST_STEP, is_final=True, answers=True),
    TaskStatus.CANCELLED: Look("✕", "cancelled", LAST_STEP, is_final=True),
    TaskStatus.FAILED: Look("▲", "failed", LAST_STEP, "no answer will come", is_final=True),
    TaskStatus.EXPIRED: Look("⊘", "expired", LAST_STEP, "its time ran out, no answer will come", is_final=True),
    UNKNOWN_STATUS: Look("◌", "open", 1),
}
FINAL = tuple(status.value for status in TaskStatus if LOOKS[status].is_final)
"""The statuses after which nothing changes."""
ANSWERED = tuple(status.value for status in TaskStatus if LOOKS[status].answers)
"""The statuses of a task that has an answer."""


def look_of(status: str | None) -> Look:
    """What a status means; one that nobody knows is somewhere on its way."""
    return LOOKS.get(TaskStatus.of(status or UNKNOWN_STATUS), LOOKS[UNKNOWN_STATUS])
