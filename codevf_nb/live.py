"""What is on show where: a question's display is updated in place, from the watcher's thread, until it is final.

Only a kernel can update what it has shown. In a plain terminal the state is printed once, and a later ``%codevf show``
tells the rest.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from codevf_nb import display

if TYPE_CHECKING:
    from codevf_nb.ledger import Entry, Repeat
    from codevf_nb.session import Session
    from codevf_nb.task import Task


class Panel(Protocol):
    """A widget that stands for an open question until the answer takes its place."""

    def update(self, entry: Entry, trouble: str | None) -> None: ...


@dataclass(frozen=True)
class _Place:
    """Where a question is on show, and the widget that stands there, if one does."""

    display_id: str
    repeated: Repeat | None
    panel: Panel | None = None


class Live:
    """The displays of one session's questions."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._shown: dict[int, list[_Place]] = {}
        session.watcher.listen(self._update)

    def show(self, task: Task) -> None:
        """Show a task under the running cell, and keep what is shown up to date while it is open."""
        if not (task.is_open and _in_kernel()):
            self.show_static(task)
            return
        display_id = f"codevf-{uuid.uuid4().hex[:12]}"
        self._publish(task.entry, task.repeated, display_id=display_id)
        self.follow(task, display_id)

    def show_static(self, task: Task) -> None:
        """Show a task once, as it is."""
        entry = task.entry
        self._publish(entry, task.repeated)
        self.session.saw(entry)

    def follow(self, task: Task, display_id: str, panel: Panel | None = None) -> None:
        """Keep a display up to date while its task is open; a panel is told, and the answer takes its place."""
        self._shown.setdefault(task.seen.id, []).append(_Place(display_id, task.repeated, panel))
        entry = task.entry
        if not entry.is_open:  # answered before the display was there to be updated
            self._update(entry)

    def _update(self, entry: Any) -> None:
        trouble = self.session.watcher.trouble_with(entry.id)
        for place in self._shown.get(entry.id, ()):
            if place.panel is None or not entry.is_open:
                self._publish(entry, place.repeated, trouble, display_id=place.display_id, update=True)
            if place.panel is not None:
                place.panel.update(entry, trouble)
        if not entry.is_open:
            self._shown.pop(entry.id, None)

    def _publish(self, entry: Entry, repeated: Repeat | None, trouble: str | None = None, **where: Any) -> None:
        _show()(display.task_bundle(entry, repeated=repeated, trouble=trouble), raw=True, **where)


def of(session: Session) -> Live:
    """Return the displays of a session: one for all that shows its questions."""
    global _latest  # noqa: PLW0603 - what state a kernel has
    if _latest is None or _latest.session is not session:
        _latest = Live(session)
    return _latest


_latest: Live | None = None


def _show() -> Any:
    from IPython.display import display as show

    return show


def _in_kernel() -> bool:
    from IPython.core.getipython import get_ipython

    return getattr(get_ipython(), "kernel", None) is not None
