"""When to look at a task again: one place, for everybody who polls."""

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

# A task is first looked at so many seconds after its creation.
FIRST_POLL = 2.0
# [A] From then on after 2% of its age, and within these seconds: an answer is noticed within 5% of the time that it
# took, 1% on average, and the requests are no more than with the cadence that was published for each mode.
SHARE_OF_AGE = 0.02
LEAST_POLL, MOST_POLL = 2.0, 20.0


def next_poll(status: str, elapsed: float, retry_after: float | None = None) -> float:
    """Seconds until the next look at a task that was created `elapsed` seconds ago.

    A hint of the service (`retry_after`, also one that came with a 200) decides, even where it is shorter; it
    counts up to five minutes. A final status gives infinity: there is nothing left to look for.
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
    """Looks at a task until it is final; looks that fail for a while don't end the wait."""
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
    status = "was never seen" if seen is None else f"is still {seen.status}"
    return WaitTimeoutError(
        f"task {task_id} {status} after {timeout:g} s; it goes on: wait again, or cancel it", task=seen
    )
