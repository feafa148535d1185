"""The widgets of a notebook: the picker, the progress of a question, the inbox and the dashboard.

Each view uses standard ipywidgets and calls the session; it makes no request and no query of its own. A click only adds
a job to the job queue, whose one thread runs it and then updates the view. The view registry records which cell shows
which view, and when a view can be closed. In a front end without widgets, each view is a text that names the commands
that do the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from codevf_nb.session import Session
    from codevf_nb.task import Task
    from codevf_nb.widgets.live_displays import LiveDisplays
    from codevf_nb.widgets.view_registry import LazyView, View


def under_cell(live: LiveDisplays, task: Task, display_id: str | None = None, *, waits: bool = False) -> str | None:
    """Show a task under the running cell: as a progress widget where a person may click, else as text.

    Args:
        live: The displays of the task's session.
        task: The task.
        display_id: The display to replace; None for a new one.
        waits: The cell waits for the answer and shows it then, so a task that has it already is not shown now.

    Returns:
        The id under which the display can be replaced; None where nothing was shown, or nothing can be replaced.
    """
    from codevf_nb.widgets import view_registry

    if waits and (live.answers_at_once or not task.seen.is_open):
        return display_id
    if not (task.seen.is_open and view_registry.has_widgets()):
        return live.show(task, display_id)
    from codevf_nb.widgets._progress import Progress

    panel = Progress(live.session, task)
    place = view_registry.show(panel, display_id)
    live.follow(task, place, panel)
    return place


def open_picker(session: Session, shell: Any, preset: Mapping[str, Any]) -> LazyView:
    """Return a form that asks a question, with these values filled in."""
    from codevf_nb.widgets import _fallbacks as fallbacks
    from codevf_nb.widgets.view_registry import LazyView

    def make() -> View:
        from codevf_nb.widgets._picker import Picker

        return Picker(session, shell, preset)

    return LazyView(make, lambda: fallbacks.picker(session))


def open_inbox(session: Session) -> LazyView:
    """Return the inbox of questions."""
    from codevf_nb.widgets import _fallbacks as fallbacks
    from codevf_nb.widgets.view_registry import LazyView

    def make() -> View:
        from codevf_nb.widgets._inbox import Inbox

        return Inbox(session)

    return LazyView(make, lambda: fallbacks.inbox(session))


def open_dashboard(session: Session) -> LazyView:
    """Return the dashboard of balance and spending."""
    from codevf_nb.widgets import _fallbacks as fallbacks
    from codevf_nb.widgets.view_registry import LazyView

    def make() -> View:
        from codevf_nb.widgets._dashboard import Dashboard

        return Dashboard(session)

    return LazyView(make, lambda: fallbacks.dashboard(session))
