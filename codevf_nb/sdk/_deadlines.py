"""One thread that ends every exchange whose time is up. A thread for each exchange would be too slow."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from logging import getLogger

from codevf_nb.sdk.forks import reset_after_fork

logger = getLogger("codevf_nb.sdk")

# Seconds for which the thread stays alive without any deadline: the next request usually comes soon, or much later.
IDLE_SECONDS = 10.0


class Deadlines:
    """Deadlines of this process, each with a function that is called when its time is up."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Start again without deadlines. A forked process has no other thread, and its lock may be held."""
        self._changed = threading.Condition()
        self._running: dict[object, tuple[float, Callable[[], object]]] = {}
        self._wakes_at = 0.0
        self._thread: threading.Thread | None = None

    def start(self, key: object, seconds: float, expire: Callable[[], object]) -> None:
        """Call `expire` on another thread after `seconds`, unless `cancel` is called with the same key first."""
        ends = time.monotonic() + seconds
        with self._changed:
            self._running[key] = ends, expire
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="codevf-deadlines", daemon=True)
                self._thread.start()
            elif ends < self._wakes_at:
                self._changed.notify()

    def cancel(self, key: object) -> None:
        """Remove a deadline."""
        with self._changed:
            self._running.pop(key, None)

    def _run(self) -> None:
        while (due := self._due()) is not None:
            for expire in due:
                try:
                    expire()
                except Exception:  # the other deadlines must still be met
                    logger.exception("an exchange could not be ended in time")

    def _due(self) -> list[Callable[[], object]] | None:
        """Wait for the next deadlines and return their functions, or None after `IDLE_SECONDS` without one."""
        with self._changed:
            now = time.monotonic()
            soonest = min((ends for ends, _ in self._running.values()), default=now + IDLE_SECONDS)
            self._wakes_at = soonest
            if soonest > now:
                self._changed.wait(min(soonest - now, threading.TIMEOUT_MAX))
            now = time.monotonic()
            due = [key for key, (ends, _) in self._running.items() if ends <= now]
            if not due and not self._running and now >= self._wakes_at:
                self._thread = None
                return None
            return [self._running.pop(key)[1] for key in due]


deadlines = Deadlines()
"""The deadlines of this process."""

reset_after_fork(deadlines.reset)
