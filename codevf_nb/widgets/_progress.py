"""The progress of one question, shown under its cell until the answer replaces it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import ipywidgets

from codevf_nb.accounts import working_hours
from codevf_nb.display import rendering as display
from codevf_nb.sdk.models import ServiceMode
from codevf_nb.sdk.statuses import LAST_STEP, status_info
from codevf_nb.task import Task
from codevf_nb.widgets import _fallbacks as fallbacks
from codevf_nb.widgets import view_registry
from codevf_nb.widgets._controls import (
    ConfirmButton,
    button,
    lines,
    reporting_errors,
)
from codevf_nb.widgets._job_queue import job_queue
from codevf_nb.widgets._styles import shared_styles

if TYPE_CHECKING:
    from codevf_nb.ledger import Entry
    from codevf_nb.session import Session


class Progress:
    """State as text and as a bar, time since asking, expected time, cost; Cancel and Refresh.

    A notebook may contain hundreds of these, so they share their layouts and styles, and read the ledger only when it
    has changed, not every second.
    """

    display_id = ""

    def __init__(self, session: Session, task: Task, *, cell_asks: bool = True) -> None:
        """Draw a task; ``cell_asks``: running its cell again shows the task."""
        self._session = session
        self._cell_asks = cell_asks
        self._task = task
        self._entry = entry = task.seen
        row = {"width": "auto", "min_width": "0", "flex": "1 1 100%"}
        self._head = ipywidgets.HTML(self._state(), **shared_styles(ipywidgets.HTML, **row))
        self._bar = ipywidgets.IntProgress(
            status_info(entry.status).step, min=0, max=LAST_STEP, **shared_styles(ipywidgets.IntProgress, **row)
        )
        self._body = ipywidgets.HTML(self._expected(), **shared_styles(ipywidgets.HTML, **row))
        self._cancel = ConfirmButton(
            "Cancel", "Stop this task and release what it holds", reporting_errors(self._stop, self._say)
        )
        self._refresh = button(
            "Refresh", "Ask the service about this task now", reporting_errors(self._look, self._say)
        )
        self.root = ipywidgets.Box(
            [self._head, self._bar, self._body, self._cancel.widget, self._refresh],
            **shared_styles(ipywidgets.Box, flex_flow="row wrap", max_width="60em", overflow="hidden"),
        )
        if entry.is_open:
            job_queue.add_periodic(self._tick)
        else:
            self._end()

    def fallback(self) -> dict[str, str]:
        """Return the question as it is, for front ends without widgets."""
        return fallbacks.progress(self._entry, self._task.repeated)

    def update(self, entry: Entry, problem: str | None) -> None:
        """Draw the new state of the question, and the answer once it is there."""
        self._entry = entry
        self._bar.value = status_info(entry.status).step
        if not entry.is_open:
            self._end()
        elif problem:
            self._say(problem)
        else:
            self._say("")

    def move_to(self, session: Session) -> None:
        """Use another session of the same account, which has replaced the previous one."""
        self._session = session
        self._task = Task(session, self._entry, repeated=self._task.repeated)

    def close_view(self) -> None:
        """Close the view: its cell shows something else now."""
        job_queue.remove_periodic(self._tick)
        # After the end these are no longer children of the root.
        view_registry.close(self.root, self._head, self._bar, self._cancel.widget, self._refresh)

    def _say(self, problem: str) -> None:
        self._head.value = self._state(problem)

    def _state(self, problem: str = "") -> str:
        """Return the state of the question; the highest possible cost comes first, as in every view of a task."""
        state = lines(display.state(self._entry, repeated=self._task.repeated), spoken=True, strong=True)
        return lines(display.price(self._entry)) + state + lines(problem, spoken=True)

    def _end(self) -> None:
        """Show only the answer: a page that was reloaded shows the widget, not the display that replaced it."""
        job_queue.remove_periodic(self._tick)
        self._body.value = fallbacks.answered(self._entry, self._task.repeated, cell_asks=self._cell_asks)
        self.root.children = [self._body]

    def _tick(self) -> None:
        drawn = self._entry
        if drawn.is_open:
            self._body.value = self._expected()
            if not self._entry.is_open:  # the answer came on the watcher's thread in between
                self._end()
        self._cancel.expire()

    def _expected(self) -> str:
        """Return how long ago it was asked, and when to expect the answer."""
        now = self._session.ledger.clock()
        entry = self._entry
        mode = ServiceMode.known(entry.mode)
        return lines(
            f"asked {display.duration(now - entry.prepared_at)} ago",
            working_hours.describe(datetime.fromtimestamp(now, UTC)),
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
