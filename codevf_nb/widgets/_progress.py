"""The progress of one question, under its cell until the answer takes its place."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import ipywidgets

from codevf_nb.accounts import working_hours
from codevf_nb.display import rendering as display
from codevf_nb.sdk.models import ServiceMode
from codevf_nb.sdk.statuses import LAST_STEP, look_of
from codevf_nb.task import Task
from codevf_nb.widgets import _fallbacks as fallbacks
from codevf_nb.widgets import view_registry
from codevf_nb.widgets._controls import (
    AskOnce,
    button,
    lines,
    told,
)
from codevf_nb.widgets._job_queue import job_queue
from codevf_nb.widgets._styles import looks

if TYPE_CHECKING:
    from codevf_nb.ledger import Entry
    from codevf_nb.session import Session


class Progress:
    """State in words and as a bar, time since asking, what to expect, cost; Cancel and Refresh.

    A notebook may hold hundreds of these: all of them have their layouts and styles in common, and what the ledger says
    is read when it changes, not with every second.
    """

    display_id = ""

    def __init__(self, session: Session, task: Task, *, cell_asks: bool = True) -> None:
        """Draw a task; ``cell_asks``: running its cell again shows the task."""
        self._session = session
        self._cell_asks = cell_asks
        self._task = task
        self._entry = entry = task.seen
        row = {"width": "auto", "min_width": "0", "flex": "1 1 100%"}
        self._head = ipywidgets.HTML(self._standing(), **looks(ipywidgets.HTML, **row))
        self._bar = ipywidgets.IntProgress(
            look_of(entry.status).step, min=0, max=LAST_STEP, **looks(ipywidgets.IntProgress, **row)
        )
        self._body = ipywidgets.HTML(self._expected(), **looks(ipywidgets.HTML, **row))
        self._cancel = AskOnce("Cancel", "Stop this task and release what it holds", told(self._stop, self._say))
        self._refresh = button("Refresh", "Ask the service about this task now", told(self._look, self._say))
        self.root = ipywidgets.Box(
            [self._head, self._bar, self._body, self._cancel.widget, self._refresh],
            **looks(ipywidgets.Box, flex_flow="row wrap", max_width="60em", overflow="hidden"),
        )
        if entry.is_open:
            job_queue.tick(self._tick)
        else:
            self._end()

    def fallback(self) -> dict[str, str]:
        """Return the question as it is, for front ends without widgets."""
        return fallbacks.progress(self._entry, self._task.repeated)

    def update(self, entry: Entry, trouble: str | None) -> None:
        """Draw what has become of the question; the answer itself, where the page never heard of it."""
        self._entry = entry
        self._bar.value = look_of(entry.status).step
        if not entry.is_open:
            self._end()
        elif trouble:
            self._say(trouble)
        else:
            self._say("")

    def move_to(self, session: Session) -> None:
        """Belong to another session of the same account, which has replaced the one before."""
        self._session = session
        self._task = Task(session, self._entry, repeated=self._task.repeated)

    def let_go(self) -> None:
        """Close it: its cell shows something else by now."""
        job_queue.untick(self._tick)
        # Once it has ended, these are not in it any more.
        view_registry.close(self.root, self._head, self._bar, self._cancel.widget, self._refresh)

    def _say(self, trouble: str) -> None:
        self._head.value = self._standing(trouble)

    def _standing(self, trouble: str = "") -> str:
        """Where the question stands. The worst case stands before anything else, as in every form of a task."""
        state = lines(display.state(self._entry, repeated=self._task.repeated), spoken=True, strong=True)
        return lines(display.price(self._entry)) + state + lines(trouble, spoken=True)

    def _end(self) -> None:
        """Hold the answer alone: a page that was loaded again finds the widget, not what has replaced it."""
        job_queue.untick(self._tick)
        self._body.value = fallbacks.answered(self._entry, self._task.repeated, cell_asks=self._cell_asks)
        self.root.children = [self._body]

    def _tick(self) -> None:
        drawn = self._entry
        if drawn.is_open:
            self._body.value = self._expected()
            if not self._entry.is_open:  # the answer came on the watcher's thread in between
                self._end()
        self._cancel.cool()

    def _expected(self) -> str:
        """How long ago it was asked, and what is to be expected."""
        now = self._session.ledger.clock()
        entry = self._entry
        mode = ServiceMode.known(entry.mode)
        return lines(
            f"asked {display.duration(now - entry.prepared_at)} ago",
            working_hours.told(datetime.fromtimestamp(now, UTC)),
            f"{entry.mode}: {mode.meaning}" if mode else "",
            *display.changed(self._task.repeated, entry.asking),
            *display.notices(entry),
        )

    def _stop(self) -> None:
        self._say("cancelling …")
        entry = self._session.cancel(self._task.entry)
        self.update(entry, None)
        if entry.is_open:
            self._say(f"the service says {entry.status}; it was asked to cancel")

    def _look(self) -> None:
        self._say("asking the service …")
        entry = self._session.refresh(self._task.entry)
        self.update(entry, None)
        if entry.is_open:
            self._say(f"looked at {display.moment(self._session.ledger.clock())}: {entry.status}")
