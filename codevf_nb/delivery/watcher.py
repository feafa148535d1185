"""The thread that polls the open questions of an account.

It polls every open question of the account, whichever kernel asked it, each at its own interval and all within the rate
limit. A lease decides which process polls; the others read from the ledger what that process recorded, and take over
when the lease is free. A process that can't reach the service releases the lease at once, and acquires it again only
after a poll without the lease has worked. A session watches from its first use for as long as a question is open on its
account; a kernel that never used it has no thread. All dependencies are parameters, so that a test can run a day of
polling in a moment: ``step`` does what is due and returns for how long there is nothing to do.
"""

from __future__ import annotations

import contextlib
import logging
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from codevf_nb.delivery._backoff import (
    LAST_RETRY_SECONDS,
    Backoff,
    is_about_one_task,
    retry_after_of,
)
from codevf_nb.delivery._subscriptions import Listener, Subscriptions
from codevf_nb.delivery._watcher_callbacks import WatchedQuestion, WatcherCallbacks
from codevf_nb.ipython.publishing import thread_context
from codevf_nb.sdk.exceptions import CodeVFError, RateLimitError
from codevf_nb.sdk.forks import reset_after_fork

# The ledger is read this often, for other kernels' questions and for answers that another process recorded, in seconds.
LOOK_SECONDS = 1.0
# A task that the service refuses to return, while it returns others, is polled at least this often, in seconds.
LAST_REFUSED_SECONDS = 300.0
# After this many refusals without a success in between, the cause is not a single task.
REFUSED_IN_A_ROW = 3

# A kernel that ends waits at most this long for a poll in progress, in seconds.
STOP_SECONDS = 1.0

log = logging.getLogger("codevf_nb.watcher")


@dataclass(frozen=True)
class _Plan:
    """When a question was last polled (or first seen), and when it is due."""

    since: float
    due: float


class Watcher:
    """Watches questions from when they are asked until their answer is recorded."""

    def __init__(self, callbacks: WatcherCallbacks, clock: Callable[[], float] = time.monotonic) -> None:
        self._callbacks = callbacks
        self._clock = clock
        self._stopped = False
        self._gone: str | None = None
        self._reset()
        reset_after_fork(self._reset)

    def _reset(self) -> None:
        """Watch nothing yet; a forked process starts here too, and leaves the parent's questions to the parent."""
        self._subscriptions = Subscriptions(is_closed=self._stopped)
        self._plans: dict[int, _Plan] = {}
        self._backoffs: dict[int, Backoff] = {}
        self._service = Backoff()
        self._ledger = Backoff()
        self._looked_at = -math.inf
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._refused = 0

    @property
    def problem(self) -> str | None:
        """Why no question can be polled at the moment; None while polling works."""
        return self._gone or self._service.why or self._ledger.why

    def problem_with(self, question_id: int) -> str | None:
        """Return why this question can't be polled at the moment; None while polling works."""
        backoff = self._backoffs.get(question_id)
        return self.problem or (backoff.why if backoff else None)

    def delay_message(self, question_id: int) -> str | None:
        """Return a message about what delays a question's answer; None while polling works."""
        why = self.problem_with(question_id)
        if self._gone or why is None:
            return why
        return f"no answer from the service at the moment ({why}); it is asked again"

    @property
    def is_stopped(self) -> bool:
        """Whether its session was closed."""
        return self._stopped

    @property
    def is_watching(self) -> bool:
        """Whether this process waits for an answer."""
        return bool(self._subscriptions.watched) and not self._stopped

    def add_listener(self, listener: Listener) -> None:
        """Call ``listener``, on the watcher's thread, with every watched question that was polled or has changed."""
        self._subscriptions.listeners.append(listener)

    def remove_listener(self, listener: Listener) -> None:
        """Stop calling a listener."""
        with contextlib.suppress(ValueError):
            self._subscriptions.listeners.remove(listener)

    def watch(self, entry: WatchedQuestion) -> None:
        """Notify the listeners about a question until its answer is recorded."""
        if self._gone or not entry.is_open:
            return
        due_in = self._callbacks.due_in(entry)
        with self._subscriptions.lock:
            self._subscriptions.add(entry)
            if entry.id not in self._plans:
                self._plan(entry.id, due_in)
            self._start()

    def wake(self) -> None:
        """Read the ledger at once: questions may be open there, or one may have been answered."""
        with self._subscriptions.lock:
            self._looked_at = -math.inf
            self._start()

    def wait(self, question_id: int, timeout: float | None = None) -> bool:
        """Block until a watched question's answer is recorded. Ctrl-C ends only this wait; ``stop`` ends it too.

        Args:
            question_id: The question.
            timeout: The longest wait in seconds; None waits without a limit.

        Returns:
            Whether the question is no longer watched.
        """
        return self._subscriptions.wait(question_id, timeout)

    def add_done_callback(self, question_id: int, callback: Callable[[], None]) -> Callable[[], None]:
        """Call ``callback`` once, on any thread, when a question is no longer watched.

        It is called at once where the question isn't watched, and by ``stop``.

        Returns:
            A function that removes the callback.
        """
        return self._subscriptions.add_done_callback(question_id, callback)

    def stop(self) -> None:
        """End the thread; open questions stay open at the service and in the ledger."""
        with self._subscriptions.lock:
            self._stopped = True
            thread = self._thread
        self._subscriptions.close()
        self._wake.set()
        if thread is None or thread is threading.current_thread():
            return
        thread.join(STOP_SECONDS)
        if thread.is_alive():  # in a request without a response: it does nothing more once that ends
            self._release_lease()

    def step(self) -> float | None:
        """Do what is due.

        Returns:
            The seconds until something is due; None where no answer can come any more.
        """
        if self._gone:
            return None
        try:
            self._look()
            is_poller = bool(self._plans) and self._may_poll()
        except CodeVFError as error:
            self._ledger.again(self._clock())
            if self._ledger.explain(error):
                log.warning("watching continues although the ledger fails: %s", error)
                self._subscriptions.notify_all()
            return self._ledger.until - self._clock()
        if self._ledger.failures:
            self._ledger = Backoff()
            log.info("the ledger works again")
            self._subscriptions.notify_all()
        if not self._plans:
            return None
        return self._poll_next() if is_poller else LOOK_SECONDS

    def _may_poll(self) -> bool:
        """Whether to poll now: with the lease; after a failure without it, where no other process holds it."""
        if not self._service.failures and not self._all_are_refused:
            return self._callbacks.may_poll()
        others = self._callbacks.others_poll()
        if others and self._service.why:  # the other process reports what delays the answers
            self._service.why = None
            self._subscriptions.notify_all()
        return not others

    @property
    def _all_are_refused(self) -> bool:
        """Whether the responses may come from something other than the service: it knows none of the tasks."""
        return self._refused >= min(REFUSED_IN_A_ROW, max(1, len(self._plans)))

    def _look(self) -> None:
        """Read from the ledger what other kernels have asked, and what the polling process has recorded."""
        now = self._clock()
        if now - self._looked_at < LOOK_SECONDS:
            return
        still_open = {entry.id: entry for entry in self._callbacks.open()}
        with self._subscriptions.lock:
            self._looked_at = now
            for entry in still_open.values():
                if entry.id not in self._plans:
                    self._plan(entry.id, self._callbacks.due_in(entry))
            changed = [entry for entry in still_open.values() if self._has_changed(entry)]
            closed = sorted((self._plans.keys() | self._subscriptions.watched.keys()) - still_open.keys())
        for entry in changed:
            self._update(entry)
        for question_id in closed:
            try:
                self._update(self._callbacks.look(question_id))
            except LookupError:  # the ledger was restored from an older backup: this question is not in it
                self._drop(question_id)

    def _has_changed(self, entry: WatchedQuestion) -> bool:
        known = self._subscriptions.watched.get(entry.id)
        return known is not None and known.status != entry.status

    def _plan(self, question_id: int, due_in: float) -> None:
        now = self._clock()
        self._plans[question_id] = _Plan(now, now + due_in)

    def _next(self) -> tuple[int, float]:
        """Return the due question that was polled least recently, else the one that is due next, and when."""
        now = self._clock()
        with self._subscriptions.lock:
            due = [(plan.since, known) for known, plan in self._plans.items() if plan.due <= now]
            question_id = min(due)[1] if due else min(self._plans, key=lambda known: self._plans[known].due)
            return question_id, self._plans[question_id].due

    def _poll_next(self) -> float:
        question_id, due = self._next()
        if (wait := max(due, self._service.until) - self._clock()) > 0:
            return min(wait, LOOK_SECONDS)
        if (wait := self._callbacks.turn_in()) > 0:
            return min(wait, LOOK_SECONDS)
        try:
            polled = self._callbacks.poll(question_id)
        except Exception as error:  # noqa: BLE001 - an error with one task must not stop the polls of the others
            self._postpone(question_id, error)
            return 0.0
        self._backoffs.pop(question_id, None)
        self._refused = 0
        with self._subscriptions.lock:
            self._plan(question_id, polled.next_in)
        self._update(polled.entry)
        if self._service.failures:
            self._service = Backoff()
            log.info("polling works again")
            self._subscriptions.notify_all()
        return 0.0

    def _postpone(self, question_id: int, error: Exception) -> None:
        """Plan a later poll after one that failed: the task continues at the service.

        Where the failure isn't about this task only, the other tasks wait as well, and another process may poll: a
        network that is down is probed from time to time, not once for each task.
        """
        now = self._clock()
        refused = is_about_one_task(error)
        backoff = self._backoffs.setdefault(question_id, Backoff())
        backoff.again(now, LAST_REFUSED_SECONDS if refused else LAST_RETRY_SECONDS, retry_after_of(error))
        with self._subscriptions.lock:
            self._plan(question_id, backoff.until - now)
        if not refused:
            self._service.again(now, hint=retry_after_of(error))
            if not isinstance(error, RateLimitError):  # another process would have the same limit
                self._release_lease()
            self._gone = self._callbacks.gone()
        else:
            self._refused += 1
            if self._all_are_refused:
                self._release_lease()
        if (backoff if refused else self._service).explain(error):
            log.warning("polling continues although it fails%s: %s", f" for question {question_id}" * refused, error)
            self._subscriptions.notify_all()
        if self._gone:
            self._give_up()

    def _give_up(self) -> None:
        """Stop watching every question, after a last notification: no answer can come any more."""
        self._subscriptions.notify_all()
        for question_id in list(self._plans.keys() | self._subscriptions.watched.keys()):
            self._drop(question_id)

    def _release_lease(self) -> None:
        try:
            self._callbacks.release()
        except CodeVFError as error:
            log.debug("the lease expires by itself: %s", error)

    def _update(self, entry: WatchedQuestion) -> None:
        watched = self._subscriptions.watched
        if entry.id in watched:
            self._subscriptions.notify(entry)
        if not entry.is_open:
            self._drop(entry.id)
        elif entry.id in watched:
            self._subscriptions.add(entry)

    def _drop(self, question_id: int) -> None:
        with self._subscriptions.lock:
            self._plans.pop(question_id, None)
            self._backoffs.pop(question_id, None)
            callbacks = self._subscriptions.remove(question_id)
        for callback in callbacks:
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
            except Exception:  # without the thread no answer would be shown
                log.exception("the watcher failed and continues")
                pause = LAST_RETRY_SECONDS
            if pause is not None:
                self._wake.wait(pause)

    def _may_end(self, pause: float | None) -> bool:
        with self._subscriptions.lock:
            if not self._stopped and (pause is not None or self._wake.is_set()):
                return False
            self._release_lease()
            self._thread = None
            return True
