"""Fetches what a first question needs before it is asked, in turns of the rate limit that are free.

It runs once per session, on one short thread. A question has precedence: it never queues behind this thread, and waits
for it only while a request is in progress whose response it needs itself. A failure here is logged, and the question
makes the request itself.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from codevf_nb.ipython.publishing import thread_context
from codevf_nb.sdk.forks import reset_after_fork

# A turn is requested at least this often, in seconds: the request that took it may have returned it.
LOOK_SECONDS = 1.0
# A request that takes longer is cancelled, in seconds: a question may wait for it.
FETCH_SECONDS = 5.0
# A kernel that ends waits at most this long for the thread, in seconds.
STOP_SECONDS = 0.5

log = logging.getLogger("codevf_nb.prefetch")


@dataclass(frozen=True)
class Step:
    """One request: whether it is still needed, and how it is made without queueing for a turn."""

    name: str
    is_needed: Callable[[], bool]
    fetch: Callable[[], object]


class Prefetch:
    """Runs the steps one after the other, each in a free turn.

    Other code that makes the same requests holds ``lock`` meanwhile, so that nothing is fetched twice.
    """

    def __init__(self, steps: Sequence[Step], take_turn: Callable[[], float]) -> None:
        self._steps = steps
        self._take_turn = take_turn
        self._reset()
        reset_after_fork(self._reset)

    def _reset(self) -> None:
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self.lock = threading.Lock()

    @property
    def is_running(self) -> bool:
        """Whether there is anything left to fetch."""
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Start the thread, once."""
        if self._thread is None:
            run = thread_context().run
            self._thread = threading.Thread(target=run, args=(self._run,), name="codevf-prefetch", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """End after the request in progress, if there is one."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join(timeout=STOP_SECONDS)

    def _run(self) -> None:
        for step in self._steps:
            try:
                self._take(step)
            except Exception as error:  # noqa: BLE001 - the question makes this request itself, and reports its errors
                log.info("%s was not fetched before it is needed: %s", step.name, error)
                return

    def _take(self, step: Step) -> None:
        while not self._stopped.is_set():
            with self.lock:
                if not step.is_needed():
                    return
                wait = self._take_turn()
                if wait <= 0:
                    step.fetch()
                    return
            self._stopped.wait(min(wait, LOOK_SECONDS))
