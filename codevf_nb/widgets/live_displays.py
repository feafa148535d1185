"""The displays of questions. A question has one display, which is updated in place until the task is final.

It shows the price with "sending …" before the request is sent, then the state, and last the answer, which the watcher's
thread publishes. Only a kernel can update a display. In a plain terminal the price and the state are printed once each,
and a later ``%codevf show`` prints the rest.
"""

from __future__ import annotations

import contextlib
import sys
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol

from codevf_nb.display import rendering as display
from codevf_nb.ipython.publishing import can_replace, publish
from codevf_nb.ledger import LedgerError

if TYPE_CHECKING:
    from codevf_nb.ledger import Entry, Repeat
    from codevf_nb.questions.question import Draft
    from codevf_nb.session import Session
    from codevf_nb.task import Task


class Panel(Protocol):
    """A widget that shows an open question until the answer replaces it."""

    def update(self, entry: Entry, problem: str | None) -> None: ...
    def move_to(self, session: Session) -> None: ...


@dataclass(frozen=True)
class _Place:
    """A display of a question, and its widget if it has one."""

    display_id: str
    task_id: str | None
    repeated: Repeat | None
    panel: Panel | None = None


class LiveDisplays:
    """The displays of one session's questions."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._shown: dict[int, list[_Place]] = {}
        session.watcher.add_listener(self._update)

    @property
    def answers_at_once(self) -> bool:
        """Whether no time passes before an answer, as on a virtual clock; then no progress is shown."""
        return self.session.account.polls_move_time

    def asking(self, interruption_message: Callable[[], str]) -> AskingDisplay:
        """Return the display of a question that is about to be sent.

        Args:
            interruption_message: Returns the text to show after Ctrl-C.
        """
        return AskingDisplay(self, interruption_message)

    def show(self, task: Task, display_id: str | None = None) -> str | None:
        """Show a task under the running cell, and keep what is shown up to date while it is open.

        Args:
            task: The task.
            display_id: The display to replace; None for a new one.

        Returns:
            The id under which the display can be replaced; None where it can't be.
        """
        if not (task.is_open and _in_kernel()):
            self.show_static(task, display_id)
            return display_id
        place = display_id or new_id()
        self._publish(task.entry, task.repeated, display_id=place, update=display_id is not None)
        self.follow(task, place)
        return place

    def show_static(self, task: Task, display_id: str | None = None) -> None:
        """Show a task once, without updates: in a new display, or in place of one."""
        entry = task.entry
        self._publish(entry, task.repeated, **_replacing(display_id))
        self.session.mark_read(entry)

    def follow(self, task: Task, display_id: str, panel: Panel | None = None) -> None:
        """Keep a display up to date while its task is open; a panel is updated, and the answer replaces it."""
        self._shown.setdefault(task.seen.id, []).append(_Place(display_id, task.seen.task_id, task.repeated, panel))
        entry = task.entry
        if not entry.is_open:  # answered before the display was there to be updated
            self._update(entry)

    def _update(self, entry: Any) -> None:
        problem = self.session.watcher.delay_message(entry.id)
        for place in self._shown.get(entry.id, ()):
            if place.panel is None or not entry.is_open:
                self._publish(entry, place.repeated, problem, display_id=place.display_id, update=True)
            if place.panel is not None:
                place.panel.update(entry, problem)
        if not entry.is_open:
            self._shown.pop(entry.id, None)

    def take_over(self, other: LiveDisplays) -> None:
        """Keep the displays of an earlier session on this account and ledger up to date."""
        moved, other._shown = other._shown, {}
        for question_id, places in moved.items():
            with contextlib.suppress(LedgerError, LookupError):
                entry = self.session.ledger.questions.get(question_id)
                for place in places:
                    if place.task_id == entry.task_id:
                        self._move(place, entry)

    def _move(self, place: _Place, entry: Entry) -> None:
        if place.panel is not None:
            place.panel.move_to(self.session)
        self._shown.setdefault(entry.id, []).append(place)
        self.session.watcher.watch(entry)
        if not entry.is_open:
            self._update(entry)

    def _publish(self, entry: Entry, repeated: Repeat | None, problem: str | None = None, **where: Any) -> None:
        publish(display.task_bundle(entry, repeated=repeated, problem=problem), **where)


class AskingDisplay:
    """The display of one question while it is sent: its price and "sending …", until its task replaces it.

    Where sending ends without a task, the display shows that it costs nothing, or what else is known.
    """

    def __init__(self, live: LiveDisplays, interruption_message: Callable[[], str]) -> None:
        self._live = live
        self._interruption_message = interruption_message
        self._draft: Draft | None = None
        self.display_id: str | None = None

    def priced(self, draft: Draft) -> None:
        """Show the highest possible cost; the kernel has published it before the question is sent."""
        if self._live.answers_at_once:
            return
        self._draft = draft
        self.display_id = new_id() if can_replace() else None
        self._publish(draft, display.SENDING, {} if self.display_id is None else {"display_id": self.display_id})
        sys.stdout.flush()  # a kernel's stream sends all that was shown before it

    def __enter__(self) -> AskingDisplay:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if error is None or self._draft is None or self.display_id is None:
            return
        if self._is_not_sent(self._draft):
            state = display.NOT_ASKED
        else:
            state = (
                self._interruption_message()
                if isinstance(error, KeyboardInterrupt)
                else str(error) or error.__class__.__name__
            )
        self._publish(self._draft, state, _replacing(self.display_id))

    def _is_not_sent(self, draft: Draft) -> bool:
        """Whether the service certainly does not have the question, so that it costs nothing."""
        session = self._live.session
        try:
            entry = session.known(draft)
        except LedgerError:
            return False
        if entry is None:
            return True
        return not (entry.task_id or entry.may_be_there or entry.is_being_sent(session.ledger.clock()))

    def _publish(self, draft: Draft, state: str, where: dict[str, Any]) -> None:
        bundle = display.asking_bundle(draft, state, self._live.session.account.environment)
        publish(bundle, **where)


def new_id() -> str:
    """Return an id under which a display can be replaced later."""
    return f"codevf-{uuid.uuid4().hex[:12]}"


def _replacing(display_id: str | None) -> dict[str, Any]:
    return {} if display_id is None else {"display_id": display_id, "update": True}


def of(session: Session) -> LiveDisplays:
    """Return the displays of a session, with those of the session that it replaced."""
    global _latest
    if _latest is None or _latest.session is not session:
        before, _latest = _latest, LiveDisplays(session)
        if before is not None and _same(before.session, session):
            _latest.take_over(before)
    return _latest


def _same(before: Session, session: Session) -> bool:
    """Whether two sessions are on one account and one ledger."""
    places = [(one.account.name, one.ledger.store.place) for one in (before, session)]
    return places[0] == places[1] and session.ledger.lasts


_latest: LiveDisplays | None = None


def _in_kernel() -> bool:
    from IPython.core.getipython import get_ipython

    return getattr(get_ipython(), "kernel", None) is not None
