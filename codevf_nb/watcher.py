"""The one polling thread.

It polls the open questions of an account, each at its own pace and all within the rate limit, and tells whoever listens
what has changed. Which process polls is a lease; the others read what that one wrote. Everything it needs is passed in,
so that a day of it can be tested in a moment: ``step`` does what is due and says how long there is nothing to do.
"""

from __future__ import annotations

import contextvars
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from codevf_nb.sdk.exceptions import CodeVFError

# Others' answers, and tasks that other kernels made, are looked for this often, in seconds.
LOOK_SECONDS = 1.0
# A poll that failed is tried again after this long, doubling up to the second figure, in seconds.
FIRST_RETRY_SECONDS, LAST_RETRY_SECONDS = 2.0, 60.0

log = logging.getLogger("codevf_nb.watcher")


class Seen(Protocol):
    """What the watcher has to know of a question: its number, its status in words, whether an answer may still come."""

    @property
    def id(self) -> int: ...
    @property
    def status(self) -> str | None: ...
    @property
    def is_open(self) -> bool: ...


@dataclass(frozen=True)
class Polled:
    """What a poll has shown, and in how many seconds the next one is due."""

    entry: Seen
    next_in: float


@dataclass(frozen=True)
class Ways:
    """The ways out of the watcher: to the service, to the ledger, and to the other processes."""

    poll: Callable[[int], Polled]
    look: Callable[[int], Seen]
    open: Callable[[], list[Seen]]
    may_poll: Callable[[], bool]
    turn_in: Callable[[], float]


class Watcher:
    """Watches questions from when they are asked until their answer is there."""

    def __init__(self, ways: Ways, clock: Callable[[], float] = time.monotonic) -> None:
        self._ways = ways
        self._clock = clock
        self._listeners: list[Callable[[Seen], None]] = []
        self._due: dict[int, float] = {}
        self._failures: dict[int, int] = {}
        self._watched: dict[int, Seen] = {}
        self._looked_at = -LOOK_SECONDS
        self._changed = threading.Condition()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._stopped = False
        self.trouble: str | None = None

    def listen(self, listener: Callable[[Seen], None]) -> None:
        """Call ``listener``, on the watcher's thread, with every watched question that was polled or has changed."""
        self._listeners.append(listener)

    def watch(self, entry: Seen, first_in: float) -> None:
        """Watch a question; its first poll is due in so many seconds."""
        with self._changed:
            if entry.is_open:
                self._watched[entry.id] = entry
                self._due.setdefault(entry.id, self._clock() + first_in)
                self._start()
        self._wake.set()

    def hurry(self, question_id: int) -> None:
        """Poll a watched question as soon as there is a turn."""
        with self._changed:
            if question_id in self._watched:
                self._due[question_id] = self._clock()
        self._wake.set()

    def wait(self, question_id: int, timeout: float | None = None) -> bool:
        """Block until the answer is there, at most ``timeout`` seconds; whether it is. Ctrl-C ends just this."""
        with self._changed:
            return self._changed.wait_for(lambda: question_id not in self._watched, timeout)

    def stop(self) -> None:
        """End the thread; what is open stays open at the service and in the ledger."""
        self._stopped = True
        self._wake.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout=5)

    def step(self) -> float | None:
        """Do what is due; return the seconds until something is, or None with nothing left to watch."""
        if not self._watched:
            return None
        if not self._ways.may_poll():
            for question_id in list(self._watched):
                self._notice(self._ways.look(question_id))
            return LOOK_SECONDS
        self._take_in_others()
        return self._poll_next()

    def _poll_next(self) -> float:
        question_id, due = min(self._due.items(), key=lambda item: item[1])
        if (wait := due - self._clock()) > 0:
            return min(wait, LOOK_SECONDS)
        if (wait := self._ways.turn_in()) > 0:
            return wait
        try:
            polled = self._ways.poll(question_id)
        except CodeVFError as error:
            self._put_off(question_id, error)
            return 0.0
        self._failures.pop(question_id, None)
        self.trouble = None
        with self._changed:
            self._due[question_id] = self._clock() + polled.next_in
        self._notice(polled.entry)
        return 0.0

    def _put_off(self, question_id: int, error: CodeVFError) -> None:
        """A poll that fails ends nothing: the task goes on at the service, and is asked after again later."""
        failures = self._failures[question_id] = self._failures.get(question_id, 0) + 1
        delay = min(FIRST_RETRY_SECONDS * 2 ** (failures - 1), LAST_RETRY_SECONDS)
        if self.trouble is None:
            log.warning("polling goes on although it fails: %s", error)
        self.trouble = str(error)
        with self._changed:
            self._due[question_id] = self._clock() + delay
        self._notice(self._ways.look(question_id))

    def _take_in_others(self) -> None:
        """Whoever polls, polls for every kernel."""
        now = self._clock()
        if now - self._looked_at < LOOK_SECONDS:
            return
        self._looked_at = now
        still_open = {entry.id: entry for entry in self._ways.open()}
        with self._changed:
            for question_id in still_open:
                self._due.setdefault(question_id, now)
        for question_id in [known for known in self._due if known not in still_open]:
            self._notice(self._ways.look(question_id))

    def _notice(self, entry: Seen) -> None:
        before = self._watched.get(entry.id)
        if not entry.is_open:
            with self._changed:
                self._due.pop(entry.id, None)
        if before is None:
            return
        for listener in self._listeners:
            listener(entry)
        with self._changed:
            if entry.is_open:
                self._watched[entry.id] = entry
            else:
                del self._watched[entry.id]
            self._changed.notify_all()

    def _start(self) -> None:
        if self._stopped or (self._thread is not None and self._thread.is_alive()):
            return
        # ipykernel 7.0 looks for its parent message in the context of whichever thread shows something.
        context = contextvars.copy_context()
        self._thread = threading.Thread(target=context.run, args=(self._run,), name="codevf-watcher", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stopped:
            try:
                pause = self.step()
            except Exception:  # a thread that dies would leave every answer unseen
                log.exception("the watcher stumbled and goes on")
                pause = LAST_RETRY_SECONDS
            if pause is None:
                with self._changed:
                    if not self._watched:
                        self._thread = None
                        return
                continue
            self._wake.wait(pause)
            self._wake.clear()
