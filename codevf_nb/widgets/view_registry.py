"""Which view stands in which cell, and what stands there where nothing can be clicked.

A view is shown as one display that holds the widget and, for every front end without widgets, text. It is let go of
when its cell is run again: only then is it certain that no page shows it any more, and a widget that is on show must
never be closed. Before the kernel ends the text takes the widget's place, since a page finds no widget without its
kernel, and shows an error for it.
"""

from __future__ import annotations

import atexit
import sys
import time
from collections.abc import Callable
from typing import Any, Protocol

from codevf_nb.ipython.publishing import publish
from codevf_nb.widgets._job_queue import job_queue, log
from codevf_nb.widgets._styles import is_common
from codevf_nb.widgets.live_displays import new_id

WIDGET = "application/vnd.jupyter.widget-view+json"


# So long a kernel that ends may take to put text in the place of its views, in seconds.
REST_SECONDS = 2.0


class View(Protocol):
    """Something on show: a widget, the text that stands for it elsewhere, and how to let go of both.

    ``display_id`` is set when it is shown: whatever takes its place is shown under that.
    """

    display_id: str

    @property
    def root(self) -> Any: ...
    def fallback(self) -> dict[str, str]: ...
    def let_go(self) -> None: ...


class LazyView:
    """A view that is made when it is shown, in a notebook whose front end has widgets; text anywhere else."""

    def __init__(self, make: Callable[[], View], fallback: Callable[[], dict[str, str]]) -> None:
        self._make = make
        self._fallback = fallback

    def _ipython_display_(self) -> None:
        if has_widgets():
            show(self._make())
        else:
            publish(self._fallback())

    def __repr__(self) -> str:
        return self._fallback()["text/plain"]


class _Places:
    """The views on show by cell, each with the run that showed them; where a front end names no cells, all stay."""

    def __init__(self) -> None:
        self._by_cell: dict[str | None, tuple[str, list[View]]] = {}

    def put(self, view: View, cell: str | None, run: str) -> None:
        """Note that a run of a cell shows a view, and let go of what earlier runs of it have shown."""
        earlier, views = self._by_cell.get(cell, (run, []))
        if earlier != run and cell is not None:
            for gone in views:
                gone.let_go()
            views = []
        self._by_cell[cell] = (run, [*views, view])

    def all(self) -> list[View]:
        """Return every view on show."""
        return [view for _, views in self._by_cell.values() for view in views]


_places = _Places()


def has_widgets() -> bool:
    """Whether somebody may be there to click: a kernel with ipywidgets, run by a person and not by a program.

    Programs that run notebooks (nbclient, papermill, nbval) forbid input; whatever a person sits at allows it.
    """
    parent = _parent()
    if parent is None or not parent.get("content", {}).get("allow_stdin", False):
        return False
    try:
        import ipywidgets  # noqa: F401 - whether it is there
    except ImportError:
        return False
    return True


def show(view: View, display_id: str | None = None) -> str:
    """Show a view under the running cell, or in place of a display, and return the id to replace it by."""
    view.display_id = display_id or new_id()
    publish(bundle(view), display_id=view.display_id, update=display_id is not None)
    keep(view)
    return view.display_id


def bundle(view: View) -> dict[str, Any]:
    """Return what a view's display holds: its widget, and text for every front end without widgets."""
    model = {"version_major": 2, "version_minor": 0, "model_id": view.root.model_id}
    return {**view.fallback(), WIDGET: model}


def rest() -> None:
    """Put text in the place of every view on show: nobody answers their clicks from now on.

    A page that is open shows it at once, and the notebook that is saved next holds it. A kernel that is killed does
    none of this, nor does JupyterLab listen any more to one that it restarts.
    """
    views = _places.all()
    ends = time.monotonic() + REST_SECONDS
    for view in views:
        if time.monotonic() > ends:  # a ledger that doesn't answer: Jupyter waits for nobody's end for long
            break
        try:
            publish(view.fallback(), display_id=view.display_id, update=True)
        except Exception:  # noqa: BLE001 - what one view can't tell any more is no reason for the others to stay
            log.exception("a view could not be replaced by text")
    job_queue.rest()
    if views:
        sys.stdout.flush()  # a kernel's stream flushes all that was shown before it, which at its end nobody else does


def keep(view: View) -> None:
    """Note that the running cell shows this view."""
    atexit.unregister(rest)  # once, and before whatever was there to be ended already
    atexit.register(rest)
    parent = _parent() or {}
    cell = parent.get("metadata", {}).get("cellId")
    _places.put(view, cell, parent.get("header", {}).get("msg_id", ""))


def close(*roots: Any) -> None:
    """Close widgets with all that is inside them, and with what no other widget looks like."""
    for root in roots:
        for child in getattr(root, "children", ()):
            close(child)
        for part in (getattr(root, "layout", None), getattr(root, "style", None), root):
            if part is not None and not is_common(part):
                part.close()


def _parent() -> dict[str, Any] | None:
    """Return the message whose cell is running; None outside of a kernel."""
    from IPython.core.getipython import get_ipython

    kernel = getattr(get_ipython(), "kernel", None)
    return None if kernel is None else kernel.get_parent("shell")
