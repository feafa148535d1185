"""The one polling thread.

It polls the open questions of an account, whichever kernel asked them, each at its own pace and all within the rate
limit, and tells whoever listens what has changed. Which process polls is a lease; the others read what that one wrote,
and stand by to take over. A process that does not reach the service gives the lease up at once, and takes it again only
after a poll without it has worked: another process may be better off. A session watches from its first use for as long
as anything is open on its account; a kernel that never used it has no thread. Everything it needs is passed in, so that
a day of it can be tested in a moment: ``step`` does what is due and says how long there is nothing to do.
"""

from __future__ import annotations

import contextlib
import logging
import math
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from codevf_nb.delivery._backoff import (
    LAST_RETRY_SECONDS,
    Backoff,
    hint_of,
    is_about_one,
)
from codevf_nb.ipython.publishing import thread_context
from codevf_nb.sdk.exceptions import CodeVFError, RateLimitError
from codevf_nb.sdk.forks import reset_after_fork

# The ledger is looked at this often, for others' questions and for answers that another process has heard, in seconds.
LOOK_SECONDS = 1.0
# A task that the service refuses to tell about while it tells about others is asked after at least this often.
LAST_REFUSED_SECONDS = 300.0
# So many refusals with nothing heard in between are not the tasks' own any more.
REFUSED_IN_A_ROW = 3

# A kernel that ends waits no longer than this for a poll that is on its way, in seconds.
STOP_SECONDS = 1.0

log = logging.getLogger("codevf_nb.watcher")


class WatchedQuestion(Protocol):
    """What the watcher has to know of a question; ``prepared_at`` is in seconds since 1970 UTC."""

    @property
    def id(self) -> int: ...
    @property
    def status(self) -> str | None: ...
    @property
    def is_open(self) -> bool: ...
    @property
    def prepared_at(self) -> float: ...


@dataclass(frozen=True)
class PollResult:
    """What a poll has shown, and in how many seconds the next one is due."""

    entry: WatchedQuestion
    next_in: float


@dataclass(frozen=True)
class WatcherCallbacks:
    """The ways out of the watcher: to the service, to the ledger, and to the other processes.

    ``due_in`` says when a question nobody here has polled yet is due. ``may_poll`` takes the polling over if it is
    free, ``rest`` gives it up, and ``others_poll`` says whether another process has it. ``gone`` says why no answer can
    come any more, whoever polls; None while one can.
    """

    poll: Callable[[int], PollResult]
    look: Callable[[int], WatchedQuestion]
    open: Callable[[], Sequence[WatchedQuestion]]
    due_in: Callable[[WatchedQuestion], float]
    may_poll: Callable[[], bool]
    turn_in: Callable[[], float]
    rest: Callable[[], None]
    others_poll: Callable[[], bool]
    gone: Callable[[], str | None]


@dataclass(frozen=True)
class _Plan:
    """When a question was last looked at (or first heard of), and when it is due."""

    since: float
    due: float


class Watcher:
    """Watches questions from when they are asked until their answer is there."""

    def __init__(self, ways: WatcherCallbacks, clock: Callable[[], float] = time.monotonic) -> None:
        self._callbacks = ways
        self._clock = clock
        self._stopped = False
        self._gone: str | None = None
        self._begin()
        reset_after_fork(self._begin)

    def _begin(self) -> None:
        """Watch nothing yet; a forked process begins so too, and leaves the parent's questions to the parent."""
        self._listeners: list[Callable[[WatchedQuestion], None]] = []
        self._waiting: dict[int, list[Callable[[], None]]] = {}
        self._watched: dict[int, WatchedQuestion] = {}
        self._plans: dict[int, _Plan] = {}
        self._backoffs: dict[int, Backoff] = {}
        self._service_info = Backoff()
        self._ledger = Backoff()
        self._looked_at = -math.inf
        self._changed = threading.Condition()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._refused = 0

    @property
    def trouble(self) -> str | None:
        """Why nothing is heard at the moment, of any question; None while all is well."""
        return self._gone or self._service_info.why or self._ledger.why

    def trouble_with(self, question_id: int) -> str | None:
        """Why nothing is heard of this question at the moment; None while all is well."""
        backoff = self._backoffs.get(question_id)
        return self.trouble or (backoff.why if backoff else None)

    def report(self, question_id: int) -> str | None:
        """Say to whoever waits for a question's answer what keeps it away; None while all is well."""
        why = self.trouble_with(question_id)
        if self._gone or why is None:
            return why
        return f"no answer from the service at the moment ({why}); it is asked again"

    @property
    def is_stopped(self) -> bool:
        """Whether its session was closed."""
        return self._stopped

    @property
    def is_watching(self) -> bool:
        """Whether an answer is waited for here."""
        return bool(self._watched) and not self._stopped

    def listen(self, listener: Callable[[WatchedQuestion], None]) -> None:
        """Call ``listener``, on the watcher's thread, with every watched question that was polled or has changed."""
        self._listeners.append(listener)

    def unlisten(self, listener: Callable[[WatchedQuestion], None]) -> None:
        """Call it no more."""
        with contextlib.suppress(ValueError):
            self._listeners.remove(listener)

    def watch(self, entry: WatchedQuestion) -> None:
        """Tell the listeners about a question until its answer is there."""
        if self._gone or not entry.is_open:
            return
        due_in = self._callbacks.due_in(entry)
        with self._changed:
            self._watched[entry.id] = entry
            if entry.id not in self._plans:
                self._plan(entry.id, due_in)
            self._start()

    def wake(self) -> None:
        """Look at the ledger at once: questions may be open there, or one has been answered."""
        with self._changed:
            self._looked_at = -math.inf
            self._start()

    def wait(self, question_id: int, timeout: float | None = None) -> bool:
        """Block until a watched question's answer is there, at most ``timeout`` seconds; whether it is.

        Ctrl-C ends just this, and so does ``stop``.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._stopped or question_id not in self._watched, timeout)
            return question_id not in self._watched

    def when_over(self, question_id: int, callback: Callable[[], None]) -> Callable[[], None]:
        """Call back once, on any thread, when a question is no longer watched; return what takes the callback back.

        It is called at once where the question isn't watched, and by ``stop``.
        """
        with self._changed:
            is_over = self._stopped or question_id not in self._watched
            if not is_over:
                self._waiting.setdefault(question_id, []).append(callback)
        if is_over:
            callback()

        def withdraw() -> None:
            with self._changed, contextlib.suppress(KeyError, ValueError):
                self._waiting[question_id].remove(callback)

        return withdraw

    def stop(self) -> None:
        """End the thread; what is open stays open at the service and in the ledger."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
            thread = self._thread
            waiting = [callback for callbacks in self._waiting.values() for callback in callbacks]
            self._waiting.clear()
        for callback in waiting:
            callback()
        self._wake.set()
        if thread is None or thread is threading.current_thread():
            return
        thread.join(STOP_SECONDS)
        if thread.is_alive():  # in a request that nobody answers: it does nothing more once that ends
            self._rest()

    def step(self) -> float | None:
        """Do what is due; return the seconds until something is, or None where no answer is to be expected any more."""
        if self._gone:
            return None
        try:
            self._look()
            mine = bool(self._plans) and self._may_poll()
        except CodeVFError as error:
            self._ledger.again(self._clock())
            if self._ledger.explain(error):
                log.warning("watching goes on although the ledger fails: %s", error)
                self._tell_all()
            return self._ledger.until - self._clock()
        if self._ledger.failures:
            self._ledger = Backoff()
            log.info("the ledger works again")
            self._tell_all()
        if not self._plans:
            return None
        return self._poll_next() if mine else LOOK_SECONDS

    def _may_poll(self) -> bool:
        """Whether to poll now: as the one who polls for all; after a setback as a probe, where no other one polls."""
        if not self._service_info.failures and not self._all_are_refused:
            return self._callbacks.may_poll()
        others = self._callbacks.others_poll()
        if others and self._service_info.why:  # it is theirs to tell what keeps the answers away
            self._service_info.why = None
            self._tell_all()
        return not others

    @property
    def _all_are_refused(self) -> bool:
        """Whether who answers here may be another one than the service: it knows none of the tasks."""
        return self._refused >= min(REFUSED_IN_A_ROW, max(1, len(self._plans)))

    def _look(self) -> None:
        """Learn from the ledger what other kernels have asked, and what whoever polls has heard."""
        now = self._clock()
        if now - self._looked_at < LOOK_SECONDS:
            return
        still_open = {entry.id: entry for entry in self._callbacks.open()}
        with self._changed:
            self._looked_at = now
            for entry in still_open.values():
                if entry.id not in self._plans:
                    self._plan(entry.id, self._callbacks.due_in(entry))
            moved = [entry for entry in still_open.values() if self._has_moved(entry)]
            closed = sorted((self._plans.keys() | self._watched.keys()) - still_open.keys())
        for entry in moved:
            self._notice(entry)
        for question_id in closed:
            try:
                self._notice(self._callbacks.look(question_id))
            except LookupError:  # the ledger was put back to an earlier day: this question is not in it
                self._drop(question_id)

    def _has_moved(self, entry: WatchedQuestion) -> bool:
        known = self._watched.get(entry.id)
        return known is not None and known.status != entry.status

    def _plan(self, question_id: int, due_in: float) -> None:
        now = self._clock()
        self._plans[question_id] = _Plan(now, now + due_in)

    def _next(self) -> tuple[int, float]:
        """Of those that are due the one nobody has looked at for longest, so that all have turns; else the next due."""
        now = self._clock()
        with self._changed:
            due = [(plan.since, known) for known, plan in self._plans.items() if plan.due <= now]
            question_id = min(due)[1] if due else min(self._plans, key=lambda known: self._plans[known].due)
            return question_id, self._plans[question_id].due

    def _poll_next(self) -> float:
        question_id, due = self._next()
        if (wait := max(due, self._service_info.until) - self._clock()) > 0:
            return min(wait, LOOK_SECONDS)
        if (wait := self._callbacks.turn_in()) > 0:
            return min(wait, LOOK_SECONDS)
        try:
            polled = self._callbacks.poll(question_id)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one task, the others have their turn
            self._put_off(question_id, error)
            return 0.0
        self._backoffs.pop(question_id, None)
        self._refused = 0
        with self._changed:
            self._plan(question_id, polled.next_in)
        self._notice(polled.entry)
        if self._service_info.failures:
            self._service_info = Backoff()
            log.info("polling works again")
            self._tell_all()
        return 0.0

    def _put_off(self, question_id: int, error: Exception) -> None:
        """A poll that fails ends nothing: the task goes on at the service, and is asked after again later.

        It goes back in line. Where the failure isn't that task's own, the next one waits as well, and another process
        may try: a network that is down is probed now and then, not once for each task.
        """
        now = self._clock()
        refused = is_about_one(error)
        backoff = self._backoffs.setdefault(question_id, Backoff())
        backoff.again(now, LAST_REFUSED_SECONDS if refused else LAST_RETRY_SECONDS, hint_of(error))
        with self._changed:
            self._plan(question_id, backoff.until - now)
        if not refused:
            self._service_info.again(now, hint=hint_of(error))
            if not isinstance(error, RateLimitError):  # whoever polls, all of them have the same limit
                self._rest()
            self._gone = self._callbacks.gone()
        else:
            self._refused += 1
            if self._all_are_refused:
                self._rest()
        if (backoff if refused else self._service_info).explain(error):
            log.warning("polling goes on although it fails%s: %s", f" for question {question_id}" * refused, error)
            self._tell_all()
        if self._gone:
            self._give_up()

    def _give_up(self) -> None:
        """Let go of everything: no answer can come any more. Each question is told about a last time."""
        self._tell_all()
        for question_id in list(self._plans.keys() | self._watched.keys()):
            self._drop(question_id)

    def _rest(self) -> None:
        try:
            self._callbacks.rest()
        except CodeVFError as error:
            log.debug("the lease runs out by itself: %s", error)

    def _tell_all(self) -> None:
        for entry in list(self._watched.values()):
            self._tell(entry)

    def _tell(self, entry: WatchedQuestion) -> None:
        for listener in list(self._listeners):
            try:
                listener(entry)
            except Exception:  # what one listener does wrong is no reason for another not to hear
                log.exception("a listener stumbled over question %s", entry.id)

    def _notice(self, entry: WatchedQuestion) -> None:
        if entry.id in self._watched:
            self._tell(entry)
        if not entry.is_open:
            self._drop(entry.id)
        elif entry.id in self._watched:
            with self._changed:
                self._watched[entry.id] = entry

    def _drop(self, question_id: int) -> None:
        with self._changed:
            self._plans.pop(question_id, None)
            self._backoffs.pop(question_id, None)
            self._watched.pop(question_id, None)
            self._changed.notify_all()
            waiting = self._waiting.pop(question_id, [])
        for callback in waiting:
            callback()

    def _start(self) -> None:
        self._wake.set()
        if self._stopped or (self._thread is not None and self._thread.is_alive()):
            return
        self._thread = threading.Thread(
            target=thread_context().run, args=(self._run,), name="codevf-watcher", daemon=True
        )
        self._thread.start()

    def _run(self) -> None:
        pause: float | None = 0.0
        while not self._may_end(pause):
            self._wake.clear()
            try:
                pause = self.step()
            except Exception:  # a thread that dies would leave every answer unseen
                log.exception("the watcher stumbled and goes on")
                pause = LAST_RETRY_SECONDS
            if pause is not None:
                self._wake.wait(pause)

    def _may_end(self, pause: float | None) -> bool:
        with self._changed:
            if not self._stopped and (pause is not None or self._wake.is_set()):
                return False
            self._rest()
            self._thread = None
            return True
