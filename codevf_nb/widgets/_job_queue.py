"""The queue of jobs that buttons submit, and the one thread that runs them.

A callback may run on any thread, at once or long after the click, so it only submits a job. The jobs run one after
another, so that data which two of them use needs no lock. The watcher has a thread of its own, since a question may
queue for its turn longer than polls may wait. The thread ends when no job is left.
"""

from __future__ import annotations

import contextvars
import logging
import threading
import time
from collections.abc import Callable, Hashable

from codevf_nb.sdk.forks import reset_after_fork

Job = Callable[[], None]

# Periodic jobs (they update how long ago something was asked) run this often, in seconds.
PERIOD_SECONDS = 1.0

log = logging.getLogger("codevf_nb.widgets")


class JobQueue:
    """Jobs in the order in which they were submitted, and periodic jobs."""

    def __init__(self, period_seconds: float = PERIOD_SECONDS) -> None:
        self._period_seconds = period_seconds
        self._reset()
        reset_after_fork(self._reset)

    def _reset(self) -> None:
        self._jobs: dict[Hashable, tuple[float, Job]] = {}
        self._periodic: list[Job] = []
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._busy = False
        self._periodic_at = 0.0

    def submit(self, key: Hashable, job: Job, after: float = 0.0) -> None:
        """Add a job to the queue.

        Args:
            key: A waiting job with the same key is replaced, so that many keystrokes are one job.
            job: The function to call.
            after: The delay, in seconds.
        """
        with self._changed:
            self._jobs.pop(key, None)
            self._jobs[key] = (time.monotonic() + after, job)
            self._start()

    def add_periodic(self, job: Job) -> None:
        """Run a job every second from now on."""
        with self._changed:
            self._periodic.append(job)
            self._start()

    def remove_periodic(self, job: Job) -> None:
        """Stop running a periodic job."""
        with self._changed:
            self._periodic = [known for known in self._periodic if known != job]
            self._changed.notify_all()

    def clear(self) -> None:
        """Remove all waiting and periodic jobs; a running job is finished."""
        with self._changed:
            self._jobs.clear()
            self._periodic.clear()
            self._changed.notify_all()

    def wait_idle(self, timeout: float) -> bool:
        """Wait at most ``timeout`` seconds until only periodic jobs are left; return whether that was reached."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._jobs and not self._busy, timeout)

    def _start(self) -> None:
        self._changed.notify_all()
        if self._thread is None:
            # ipykernel 7.0 looks for its parent message in the context of the thread that publishes a display.
            context = contextvars.copy_context()
            self._thread = threading.Thread(target=context.run, args=(self._run,), name="codevf-jobs", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while (job := self._next()) is not None:
            try:
                job()
            except Exception:  # without the thread no later click would have an effect
                log.exception("a job failed")

    def _next(self) -> Job | None:
        """Wait for the next due job and return it; None when the thread may end."""
        with self._changed:
            self._busy = False
            while self._jobs or self._periodic:
                self._changed.notify_all()
                now = time.monotonic()
                due = [key for key, (at, _) in self._jobs.items() if at <= now]
                if due:
                    self._busy = True
                    return self._jobs.pop(due[0])[1]
                if self._periodic and self._periodic_at <= now:
                    self._periodic_at = now + self._period_seconds
                    return self._run_periodic
                waiting = [at for at, _ in self._jobs.values()] + [self._periodic_at] * bool(self._periodic)
                self._changed.wait(min(waiting) - now)
            self._thread = None
            self._changed.notify_all()
            return None

    def _run_periodic(self) -> None:
        for job in list(self._periodic):
            try:
                job()
            except Exception:  # an error in one view must not stop the others
                log.exception("a periodic job failed")


job_queue = JobQueue()
"""The job queue of this kernel."""
