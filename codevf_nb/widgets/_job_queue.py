"""The one thread that does what buttons ask for.

A callback may run on any thread, at once or long after the click, so it does nothing but leave a job here. The jobs are
done one after another: what two of them touch needs no lock. The watcher's thread is left out of it, since a
question may queue for its turn for longer than polls may wait. The thread ends when there is nothing left to do.
"""

from __future__ import annotations

import contextvars
import logging
import threading
import time
from collections.abc import Callable, Hashable

from codevf_nb.sdk.forks import reset_after_fork

Job = Callable[[], None]

# What changes with time alone (how long ago something was asked) is drawn anew this often, in seconds.
TICK_SECONDS = 1.0

log = logging.getLogger("codevf_nb.widgets")


class JobQueue:
    """Jobs in the order in which they were asked for, and what is to be done again and again."""

    def __init__(self, tick_seconds: float = TICK_SECONDS) -> None:
        self._tick_seconds = tick_seconds
        self._reset()
        reset_after_fork(self._reset)

    def _reset(self) -> None:
        self._jobs: dict[Hashable, tuple[float, Job]] = {}
        self._ticking: list[Job] = []
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._busy = False
        self._tick_at = 0.0

    def do(self, key: Hashable, job: Job, after: float = 0.0) -> None:
        """Do this ``after`` so many seconds. What waits under the same key is replaced: many keystrokes are one job."""
        with self._changed:
            self._jobs.pop(key, None)
            self._jobs[key] = (time.monotonic() + after, job)
            self._start()

    def tick(self, job: Job) -> None:
        """Do this every second from now on."""
        with self._changed:
            self._ticking.append(job)
            self._start()

    def untick(self, job: Job) -> None:
        """Do it no more."""
        with self._changed:
            self._ticking = [known for known in self._ticking if known != job]
            self._changed.notify_all()

    def rest(self) -> None:
        """Leave undone what waits and what ticks; what is being done is done."""
        with self._changed:
            self._jobs.clear()
            self._ticking.clear()
            self._changed.notify_all()

    def idle(self, timeout: float) -> bool:
        """Wait until nothing is left to do but what ticks; whether it came to that."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._jobs and not self._busy, timeout)

    def _start(self) -> None:
        self._changed.notify_all()
        if self._thread is None:
            # ipykernel 7.0 looks for its parent message in the context of whichever thread shows something.
            context = contextvars.copy_context()
            self._thread = threading.Thread(target=context.run, args=(self._run,), name="codevf-desk", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while (job := self._next()) is not None:
            try:
                job()
            except Exception:  # a thread that dies would leave every later click undone
                log.exception("a job at the desk stumbled")

    def _next(self) -> Job | None:
        """Wait for the next job that is due and return it; None when the thread may end."""
        with self._changed:
            self._busy = False
            while self._jobs or self._ticking:
                self._changed.notify_all()
                now = time.monotonic()
                due = [key for key, (at, _) in self._jobs.items() if at <= now]
                if due:
                    self._busy = True
                    return self._jobs.pop(due[0])[1]
                if self._ticking and self._tick_at <= now:
                    self._tick_at = now + self._tick_seconds
                    return self._tick
                waiting = [at for at, _ in self._jobs.values()] + [self._tick_at] * bool(self._ticking)
                self._changed.wait(min(waiting) - now)
            self._thread = None
            self._changed.notify_all()
            return None

    def _tick(self) -> None:
        for job in list(self._ticking):
            try:
                job()
            except Exception:  # one view that stumbles must not stop the others
                log.exception("what ticks stumbled")


job_queue = JobQueue()
"""The kernel's desk."""
