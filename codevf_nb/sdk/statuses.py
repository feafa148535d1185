"""The table of task statuses. Everything that shows, filters, counts or waits for a status reads its row here."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class TaskStatus(StrEnum):
    """The statuses of a task that the API documents.

    Pending and processing tasks are open. So is a task with a status that is not in this list.

    Example:
        >>> TaskStatus.of("Canceled")
        <TaskStatus.CANCELLED: 'cancelled'>
        >>> TaskStatus.is_final("completed"), TaskStatus.is_final("on_holiday")
        (True, False)
    """

    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    FAILED = "failed"
    EXPIRED = "expired"

    @classmethod
    def of(cls, status: str) -> str:
        """Return the known status with this name.

        Args:
            status: A status, in upper or lower case. `canceled` is read as `cancelled`.

        Returns:
            The `TaskStatus`, or the text unchanged if it is not a known status.
        """
        name = status.strip().lower()
        name = "cancelled" if name == "canceled" else name
        return cls(name) if name in cls.__members__.values() else status

    @classmethod
    def is_final(cls, status: str) -> bool:
        """Return whether a task with this status will never change again. Any text is accepted."""
        return isinstance(status, str) and status_info(status).is_final


UNKNOWN_STATUS = "unknown"
"""The status of a task whose response had none. It counts as open."""

LAST_STEP = 3


@dataclass(frozen=True)
class StatusInfo:
    """One row of the table.

    Attributes:
        mark: The symbol that is shown before the status.
        step: The progress of the task, from 1 to `LAST_STEP`.
        meaning: The text that is shown after the status, or empty if the status needs no explanation.
        is_final: Whether the task will never change again. The inbox has a filter for each final status, and one filter
            for all open tasks.
        has_answer: Whether a task with this status has an answer.
    """

    mark: str
    step: int
    meaning: str = ""
    is_final: bool = False
    has_answer: bool = False


STATUS_TABLE: dict[str, StatusInfo] = {
    TaskStatus.PENDING: StatusInfo("○", 1),
    TaskStatus.PROCESSING: StatusInfo("◐", 2),
    TaskStatus.COMPLETED: StatusInfo("●", LAST_STEP, is_final=True, has_answer=True),
    TaskStatus.CANCELLED: StatusInfo("✕", LAST_STEP, is_final=True),
    TaskStatus.FAILED: StatusInfo("▲", LAST_STEP, "no answer will come", is_final=True),
    TaskStatus.EXPIRED: StatusInfo("⊘", LAST_STEP, "its time ran out, no answer will come", is_final=True),
    UNKNOWN_STATUS: StatusInfo("◌", 1),
}
FINAL = tuple(status.value for status in TaskStatus if STATUS_TABLE[status].is_final)
"""The statuses of a task that will never change again."""
ANSWERED = tuple(status.value for status in TaskStatus if STATUS_TABLE[status].has_answer)
"""The statuses of a task that has an answer."""


def status_info(status: str | None) -> StatusInfo:
    """Return the row for a status. A status that is not in the table has the row of `UNKNOWN_STATUS`."""
    return STATUS_TABLE.get(TaskStatus.of(status or UNKNOWN_STATUS), STATUS_TABLE[UNKNOWN_STATUS])
