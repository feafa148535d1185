"""One thread that minds the time of every exchange: starting one for each would cost more than the client itself."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from logging import getLogger

from codevf_nb.sdk.forks import reset_after_fork

logger = getLogger("codevf_nb.sdk")

# Without anything to mind the thread stays for so long, in seconds: the next request follows soon or much later.
IDLE_SECONDS = 10.0


class Deadlines:
    """Calls back when time is up."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Begin anew, as a forked process must: it has no thread but its own, and perhaps another one's lock."""
        self._changed = threading.Condition()
        self._minded: dict[object, tuple[float, Callable[[], object]]] = {}
        self._wakes_at = 0.0
        self._thread: threading.Thread | None = None

    def mind(self, key: object, seconds: float, expire: Callable[[], object]) -> None:
        """Call `expire` after so many seconds, on another thread, unless `key` is dropped before."""
        ends = time.monotonic() + seconds
        with self._changed:
            self._minded[key] = ends, expire
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="codevf-deadlines", daemon=True)
                self._thread.start()
            elif ends < self._wakes_at:
                self._changed.notify()

    def drop(self, key: object) -> None:
        """Mind it no more."""
        with self._changed:
            self._minded.pop(key, None)

    def _run(self) -> None:
        while (due := self._due()) is not None:
            for expire in due:
                try:
                    expire()
                except Exception:  # whatever befalls one of them, the others are minded
                    logger.exception("an exchange could not be ended in time")

    def _due(self) -> list[Callable[[], object]] | None:
        """Wait until something is due and return it; None when there has been nothing to do for a while."""
        with self._changed:
            now = time.monotonic()
            soonest = min((ends for ends, _ in self._minded.values()), default=now + IDLE_SECONDS)
            self._wakes_at = soonest
            if soonest > now:
                self._changed.wait(min(soonest - now, threading.TIMEOUT_MAX))
            now = time.monotonic()
            due = [key for key, (ends, _) in self._minded.items() if ends <= now]
            if not due and not self._minded and now >= self._wakes_at:
                self._thread = None
                return None
            return [self._minded.pop(key)[1] for key in due]


deadlines = Deadlines()
"""This process's."""

reset_after_fork(deadlines.reset)
