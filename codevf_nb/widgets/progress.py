"""The progress of one question, under its cell until the answer takes its place."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import ipywidgets

from codevf_nb import display, hours
from codevf_nb.sdk.models import ServiceMode
from codevf_nb.widgets import fallbacks, stage
from codevf_nb.widgets.controls import AskOnce, button, lines, told
from codevf_nb.widgets.desk import desk

if TYPE_CHECKING:
    from codevf_nb.ledger import Entry
    from codevf_nb.session import Session
    from codevf_nb.task import Task

# How far along a question is, of 3; a status nobody knows is somewhere on its way.
_STEPS = {"pending": 1, "processing": 2}


class Progress:
    """State in words and as a bar, time since asking, what to expect, cost; Cancel and Refresh.

    A notebook may hold hundreds of these, and each widget, layout and style has its price: what can be shared is.
    """

    display_id = ""

    def __init__(self, session: Session, task: Task) -> None:
        self._session = session
        self._task = task
        row = ipywidgets.Layout(width="auto", min_width="0", flex="1 1 100%")
        self._head = ipywidgets.HTML(layout=row)
        self._bar = ipywidgets.IntProgress(value=0, min=0, max=3, layout=row)
        self._body = ipywidgets.HTML(layout=row, style=self._head.style)
        self._cancel = AskOnce("Cancel", "Stop this task and release what it holds", told(self._stop, self._say))
        look = told(self._look, self._say)
        refresh = button("Refresh", "Ask the service about this task now", look, like=self._cancel.widget)
        self.root = ipywidgets.Box(
            [self._head, self._bar, self._body, self._cancel.widget, refresh],
            layout={"flex_flow": "row wrap", "max_width": "60em", "overflow": "hidden"},
        )
        entry = task.entry
        self._tell(entry)
        self.update(entry, None)
        desk.tick(self._tick)

    def fallback(self) -> dict[str, str]:
        """Return the question as it is, for front ends without widgets."""
        return fallbacks.progress(self._task.entry, self._task.repeated)

    def update(self, entry: Entry, trouble: str | None) -> None:
        """Draw what has become of the question; the answer itself, where the page never heard of it."""
        self._bar.value = _STEPS.get(entry.status or "", 1) if entry.is_open else 3
        if not entry.is_open:
            self._end(entry)
        elif trouble:
            self._head_of(entry, f"no answer from the service at the moment ({trouble}); it is asked again")
        else:
            self._head_of(entry)

    def let_go(self) -> None:
        """Close it: its cell shows something else by now."""
        desk.untick(self._tick)
        stage.close(self.root)

    def _say(self, trouble: str) -> None:
        self._head_of(self._task.entry, trouble)

    def _head_of(self, entry: Entry, trouble: str = "") -> None:
        """Write where the question stands. The worst case stands before anything else, as in every form of a task."""
        state = lines(display.state(entry, repeated=self._task.repeated), spoken=True, strong=True)
        self._head.value = lines(display.price(entry)) + state + lines(trouble, spoken=True)

    def _end(self, entry: Entry) -> None:
        """Hold the answer: a page that was away while it came finds the widget, not what has replaced it."""
        desk.untick(self._tick)
        self._head_of(entry)
        self._cancel.widget.layout.display = "none"  # of both buttons: it is one layout
        self._body.value = display.task_bundle(entry, repeated=self._task.repeated)["text/html"]

    def _tick(self) -> None:
        entry = self._task.entry
        if entry.is_open:
            self._tell(entry)
        self._cancel.cool()

    def _tell(self, entry: Entry) -> None:
        """Write how long ago it was asked, and what is to be expected."""
        now = self._session.ledger.clock()
        mode = ServiceMode.known(entry.mode)
        self._body.value = lines(
            f"asked {display.duration(now - entry.prepared_at)} ago",
            hours.told(datetime.fromtimestamp(now, UTC)),
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
