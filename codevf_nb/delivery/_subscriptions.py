"""The questions that a process waits for, and the functions that it calls when one of them changes or ends."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable

from codevf_nb.delivery._watcher_callbacks import WatchedQuestion

log = logging.getLogger("codevf_nb.watcher")


Listener = Callable[[WatchedQuestion], None]


class Subscriptions:
    """Watched questions with their listeners and done callbacks.

    Every method may be called from any thread. ``lock`` also guards the watcher's plans.
    """

    def __init__(self, *, is_closed: bool = False) -> None:
        self.lock = threading.Condition()
        self.watched: dict[int, WatchedQuestion] = {}
        self.listeners: list[Listener] = []
        self._done_callbacks: dict[int, list[Callable[[], None]]] = {}
        self._is_closed = is_closed

    def add(self, question: WatchedQuestion) -> None:
        """Watch a question, or replace its last known state."""
        with self.lock:
            self.watched[question.id] = question

    def remove(self, question_id: int) -> list[Callable[[], None]]:
        """Stop watching a question; return its done callbacks, which the caller runs without the lock."""
        with self.lock:
            self.watched.pop(question_id, None)
            self.lock.notify_all()
            return self._done_callbacks.pop(question_id, [])

    def close(self) -> None:
        """End every wait, and run all done callbacks."""
        with self.lock:
            self._is_closed = True
            self.lock.notify_all()
            callbacks = [callback for registered in self._done_callbacks.values() for callback in registered]
            self._done_callbacks.clear()
        for callback in callbacks:
            callback()

    def wait(self, question_id: int, timeout: float | None) -> bool:
        """Block until a question is no longer watched, at most ``timeout`` seconds; return whether it is."""
        with self.lock:
            self.lock.wait_for(lambda: self._is_done(question_id), timeout)
            return question_id not in self.watched

    def add_done_callback(self, question_id: int, callback: Callable[[], None]) -> Callable[[], None]:
        """Call ``callback`` once when a question is no longer watched; return a function that removes the callback."""
        with self.lock:
            is_done = self._is_done(question_id)
            if not is_done:
                self._done_callbacks.setdefault(question_id, []).append(callback)
        if is_done:
            callback()

        def remove() -> None:
            with self.lock, contextlib.suppress(KeyError, ValueError):
                self._done_callbacks[question_id].remove(callback)

        return remove

    def notify(self, question: WatchedQuestion) -> None:
        """Call every listener with a question."""
        for listener in list(self.listeners):
            try:
                listener(question)
            except Exception:  # an error in one listener must not keep the event from the others
                log.exception("a listener failed for question %s", question.id)

    def notify_all(self) -> None:
        """Call every listener with every watched question."""
        for question in list(self.watched.values()):
            self.notify(question)

    def _is_done(self, question_id: int) -> bool:
        return self._is_closed or question_id not in self.watched
