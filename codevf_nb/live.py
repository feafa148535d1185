"""What is on show where: a question's display is updated in place, from the watcher's thread, until it is final.

Only a kernel can update what it has shown. In a plain terminal the state is printed once, and a later ``%codevf show``
tells the rest.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from codevf_nb import display

if TYPE_CHECKING:
    from codevf_nb.ledger import Entry
    from codevf_nb.session import Session
    from codevf_nb.task import Task


class Live:
    """The displays of one session's questions."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._shown: dict[int, list[tuple[str, bool]]] = {}
        session.watcher.listen(self._update)

    def show(self, task: Task) -> None:
        """Show a task under the running cell, and keep what is shown up to date while it is open."""
        display_id = f"codevf-{uuid.uuid4().hex[:12]}"
        entry = task.entry
        updates = entry.is_open and _in_kernel()
        if updates:
            self._shown.setdefault(entry.id, []).append((display_id, task.repeated))
        self._publish(entry, task.repeated, display_id if updates else None)
        if updates and not task.is_open:  # answered between the look and the display
            self._update(task.entry)

    def show_static(self, task: Task) -> None:
        """Show a task once, as it is."""
        self._publish(task.entry, task.repeated, None)

    def _publish(self, entry: Entry, repeated: bool, display_id: str | None) -> None:  # noqa: FBT001 - private
        bundle = display.task_bundle(entry, repeated=repeated)
        _show()(bundle, raw=True, **({} if display_id is None else {"display_id": display_id}))

    def _update(self, entry: Any) -> None:
        for display_id, repeated in self._shown.get(entry.id, ()):
            bundle = display.task_bundle(entry, repeated=repeated, trouble=self._session.watcher.trouble)
            _show()(bundle, raw=True, display_id=display_id, update=True)
        if not entry.is_open:
            self._shown.pop(entry.id, None)


def _show() -> Any:
    from IPython.display import display as show

    return show


def _in_kernel() -> bool:
    from IPython.core.getipython import get_ipython

    return getattr(get_ipython(), "kernel", None) is not None
