"""The intervals for polling a task, for every part of the program that polls."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from codevf_nb.sdk.exceptions import (
    APIConnectionError,
    CodeVFError,
    RateLimitError,
    ServerError,
    WaitTimeoutError,
    WrongTaskError,
)
from codevf_nb.sdk.limits import HINT_CAP
from codevf_nb.sdk.models import TaskResponse
from codevf_nb.sdk.statuses import TaskStatus

if TYPE_CHECKING:
    from codevf_nb.sdk.tasks import Tasks

# Seconds from the creation of a task to its first poll.
FIRST_POLL = 2.0
# [A] Later intervals are 2% of the task's age, within these seconds. An answer is received at most 5% later than it was
# given, 1% on average, with no more requests than with the intervals that were published for each mode.
SHARE_OF_AGE = 0.02
LEAST_POLL, MOST_POLL = 2.0, 20.0


def next_poll(status: str, elapsed: float, retry_after: float | None = None) -> float:
    """Return the seconds until the next poll of a task.

    Args:
        status: The status of the task.
        elapsed: Seconds since the creation of the task.
        retry_after: The hint of the service, in seconds, also from a successful response. It replaces the interval, up
            to five minutes.

    Returns:
        Seconds. Infinity for a final status.

    Example:
        >>> next_poll("pending", 0.0), next_poll("pending", 600.0), next_poll("completed", 600.0)
        (2.0, 12.0, inf)
    """
    if TaskStatus.is_final(status):
        return math.inf
    if retry_after is not None:
        return min(max(0.0, retry_after), HINT_CAP)
    if elapsed < FIRST_POLL:
        return FIRST_POLL - max(0.0, elapsed)
    return min(max(LEAST_POLL, SHARE_OF_AGE * elapsed), MOST_POLL)


def wait_for(
    tasks: Tasks,
    task_id: str,
    timeout: float | None,
    on_progress: Callable[[TaskResponse], object] | None,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], object] = time.sleep,
) -> TaskResponse:
    """Poll a task until it is final. See `Tasks.wait`. Temporary errors do not end the wait."""
    began = clock()
    ends = math.inf if timeout is None else began + timeout
    seen: TaskResponse | None = None
    status, hint = str(TaskStatus.PENDING), None
    while True:
        delay = next_poll(status, clock() - began, hint)
        if clock() + delay >= ends:
            sleep(max(0.0, ends - clock()))
            raise _out_of_time(task_id, timeout, seen)
        sleep(delay)
        try:
            seen = tasks.retrieve(task_id, deadline=None if timeout is None else max(0.001, ends - clock()))
        except (APIConnectionError, RateLimitError, ServerError, WrongTaskError) as error:
            hint = getattr(error, "retry_after", None)
            continue
        if on_progress is not None:
            on_progress(seen)
        if seen.is_final:
            return seen
        status, hint = seen.status, seen.retry_after


def _out_of_time(task_id: str, timeout: float | None, seen: TaskResponse | None) -> CodeVFError:
    status = "was never retrieved" if seen is None else f"is still {seen.status}"
    return WaitTimeoutError(
        f"task {task_id} {status} after {timeout:g} s; it continues: wait again, or cancel it", task=seen
    )
