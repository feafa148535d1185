"""The inbox: questions page by page, with unread answers marked."""

from __future__ import annotations

import html
import time
from typing import TYPE_CHECKING, Any

import ipywidgets

from codevf_nb.display import rendering as display
from codevf_nb.ledger import (
    STATE_FILTERS,
    Entry,
    Order,
    PageFilter,
    State,
)
from codevf_nb.widgets import _fallbacks as fallbacks
from codevf_nb.widgets import view_registry
from codevf_nb.widgets._controls import (
    ConfirmButton,
    TextLines,
    button,
    heading,
    reporting_errors,
)
from codevf_nb.widgets._job_queue import job_queue
from codevf_nb.widgets._styles import shared_styles

if TYPE_CHECKING:
    from codevf_nb.session import Session

# Rows of a page.
ROWS = 10
# The pause in typing after which the page is read again, in seconds.
PAUSE_SECONDS = 0.25
# The ledger is read this often for questions of other kernels, in seconds.
LOOK_SECONDS = 5.0

_LABEL = {"description_width": "auto"}
_FIELD = {"width": "auto", "flex": "1 1 14em", "min_width": "0"}


class Row:
    """One question in two lines, and the button that opens it."""

    def __init__(self, number: int, opened: Any) -> None:
        self._open = button("Open", f"Open row {number + 1}", opened)
        self._words = ipywidgets.HTML(**shared_styles(ipywidgets.HTML, flex="1 1 0", min_width="0"))
        self.widget = ipywidgets.HBox([self._open, self._words], layout={"align_items": "center"})

    def draw(self, entry: Entry | None, now: float) -> None:
        """Draw a question, or nothing."""
        self.widget.layout.display = "none" if entry is None else ""
        self._words.value = "" if entry is None else _row(entry, now)


class Inbox:
    """Filters, a page of questions, and the details of the opened question."""

    display_id = ""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._entries: list[Entry] = []
        self._opened: Entry | None = None
        self._offset = 0
        self._drawn_at = 0.0
        self._message = TextLines(spoken=True)
        self._filters = _filters(session)
        self._rows = [Row(number, self._reporting(lambda number=number: self._open(number))) for number in range(ROWS)]
        self._count = TextLines(spoken=True)
        self._previous = button("Previous page", "Questions before these", self._reporting(lambda: self._turn(-ROWS)))
        self._next = button("Next page", "Questions after these", self._reporting(lambda: self._turn(ROWS)))
        read = button("Mark all as read", "No answer is unread any more", self._reporting(self._read_all))
        self._detail = self._make_detail()
        self.root = ipywidgets.VBox(
            [
                TextLines(f"Inbox ({session.account.environment})", strong=True).widget,
                ipywidgets.HBox(self._filters, layout={"flex_flow": "row wrap"}),
                *(row.widget for row in self._rows),
                self._count.widget,
                ipywidgets.HBox([self._previous, self._next, read], layout={"flex_flow": "row wrap"}),
                self._message.widget,
                self._detail,
            ],
            layout={"max_width": "76em", "overflow": "hidden"},
        )
        for control in self._filters:
            control.observe(self._filtered, "value")
        session.watcher.add_listener(self._on_update)
        job_queue.add_periodic(self._tick)
        self._draw()

    def fallback(self) -> dict[str, str]:
        """Return the newest questions as a table."""
        return fallbacks.inbox(self._session)

    def close_view(self) -> None:
        """Close the view: its cell shows something else now."""
        self._session.watcher.remove_listener(self._on_update)
        job_queue.remove_periodic(self._tick)
        for control in self._filters:
            control.unobserve_all()
        view_registry.close(self.root)

    def _make_detail(self) -> Any:
        self._answer = ipywidgets.HTML()
        self._id = ipywidgets.Text(description="Task id", layout={"width": "24em", "max_width": "100%"})
        self._cancel = ConfirmButton("Cancel", "Stop this task and release what it holds", self._reporting(self._stop))
        refresh = button("Refresh", "Ask the service about this task now", self._reporting(self._look))
        row = ipywidgets.HBox([self._id, self._cancel.widget, refresh], layout={"flex_flow": "row wrap"})
        return ipywidgets.VBox([heading("Opened"), row, self._answer], layout={"display": "none"})

    # -- events, on any thread

    def _filtered(self, _change: Any) -> None:
        self._offset = 0
        job_queue.submit((id(self), "draw"), self._reporting(self._draw), after=PAUSE_SECONDS)

    def _on_update(self, _entry: Any) -> None:
        job_queue.submit((id(self), "draw"), self._reporting(self._draw))

    # -- jobs, on the thread of the job queue

    def _reporting(self, job: Any) -> Any:
        return reporting_errors(job, self._message.set_lines)

    def _tick(self) -> None:
        self._cancel.expire()
        if time.monotonic() - self._drawn_at > LOOK_SECONDS:
            self._reporting(self._draw)()

    def _draw(self) -> None:
        self._drawn_at = time.monotonic()
        found = self._session.ledger.pages.page(self._page_filter(), ROWS + 1, self._offset)
        self._entries, more = found[:ROWS], len(found) > ROWS
        now = self._session.ledger.clock()
        for number, row in enumerate(self._rows):
            row.draw(self._entries[number] if number < len(self._entries) else None, now)
        last = self._offset + len(self._entries)
        self._count.set_lines(
            f"{self._offset + 1:,} to {last:,}" if self._entries else "no question matches these filters"
        )
        self._previous.disabled = self._offset == 0
        self._next.disabled = not more
        if self._opened is not None:
            self._draw_opened(self._session.ledger.questions.get(self._opened.id))

    def _page_filter(self) -> PageFilter:
        text, project, state, order = (control.value for control in self._filters)
        return PageFilter(text.strip(), project, state, order)

    def _draw_opened(self, entry: Entry) -> None:
        self._opened = entry
        self._cancel.widget.disabled = not entry.is_open
        self._answer.value = display.task_bundle(entry)["text/html"] + _asked(entry)

    def _open(self, number: int) -> None:
        entry = self._entries[number]
        self._session.mark_read(entry)
        self._id.value = entry.task_id or f"question {entry.id}"
        self._cancel.reset()
        self._message.set_lines()
        self._opened = entry
        self._detail.layout.display = ""
        self._draw()

    def _turn(self, rows: int) -> None:
        self._offset = max(0, self._offset + rows)
        self._draw()

    def _read_all(self) -> None:
        self._session.mark_read()
        self._draw()

    def _stop(self) -> None:
        if self._opened is not None:
            self._message.set_lines("cancelling …")
            entry = self._session.cancel(self._opened)
            self._message.set_lines(f"{entry.task_id} is {entry.status}")
            self._draw()

    def _look(self) -> None:
        if self._opened is not None:
            self._message.set_lines("asking the service …")
            entry = self._session.refresh(self._opened)
            self._message.set_lines(f"{entry.task_id} is {entry.status}")
            self._draw()


def _filters(session: Session) -> list[Any]:
    projects = [("all projects", ""), *((display.plain(name), name) for name in session.ledger.pages.projects())]
    return [
        ipywidgets.Text(description="Search", style=_LABEL, placeholder="text or task id", layout=dict(_FIELD)),
        ipywidgets.Dropdown(description="Project", style=_LABEL, options=projects, value="", layout=dict(_FIELD)),
        ipywidgets.Dropdown(
            description="State", style=_LABEL, options=_choices(STATE_FILTERS), value=State.ANY, layout=dict(_FIELD)
        ),
        ipywidgets.Dropdown(
            description="Order", style=_LABEL, options=_choices(Order), value=Order.NEWEST, layout=dict(_FIELD)
        ),
    ]


def _choices(kind: Any) -> list[tuple[str, Any]]:
    return [(choice.value, choice) for choice in kind]


def _row(entry: Entry, now: float) -> str:
    """Return a question in two lines: its prompt, and its state."""
    prompt = " ".join(display.plain(entry.prompt or "a question asked elsewhere or forgotten").split())[:200]
    words = [display.state(entry), display.ago(now - entry.prepared_at), display.plain(entry.project or "no project")]
    unread = "unread · " if entry.is_unread else ""
    weight = "700" if unread else "400"
    return (
        '<div style="line-height:1.4;padding:2px 0;overflow-wrap:anywhere">'
        f'<div style="font-weight:{weight}">{html.escape(prompt)}</div>'
        f'<div style="font-size:90%"><b>{unread}</b>{html.escape(" · ".join(words))}</div></div>'
    )


def _asked(entry: Entry) -> str:
    """Return the prompt, to show below the answer."""
    if not entry.prompt:
        return ""
    prompt = html.escape(display.plain(entry.prompt))
    return f'<div style="margin-top:.6em;white-space:pre-wrap;overflow-wrap:anywhere">asked: {prompt}</div>'
