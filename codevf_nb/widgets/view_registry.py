"""Records which cell shows which view, and replaces views by text where widgets can't work.

A view is one display that holds the widget and, for front ends without widgets, text. It is closed when its cell is run
again: only then is it certain that no page shows it any more, and a widget that is shown must never be closed. Before
the kernel ends, text replaces the widget, because a page shows an error for a widget without a kernel.
"""

from __future__ import annotations

import atexit
import sys
import time
from collections.abc import Callable
from typing import Any, Protocol

from codevf_nb.ipython.publishing import publish
from codevf_nb.widgets._job_queue import job_queue, log
from codevf_nb.widgets._styles import is_shared
from codevf_nb.widgets.live_displays import new_id

WIDGET = "application/vnd.jupyter.widget-view+json"


# A kernel that ends takes at most this long to replace its views by text, in seconds.
REPLACE_SECONDS = 2.0


class View(Protocol):
    """A widget, its text for front ends without widgets, and a function that closes it.

    ``display_id`` is set when the view is shown; a replacement is shown under the same id.
    """

    display_id: str

    @property
    def root(self) -> Any: ...
    def fallback(self) -> dict[str, str]: ...
    def close_view(self) -> None: ...


class LazyView:
    """A view that is created when it is shown in a front end with widgets; elsewhere it is text."""

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
    """The shown views by cell, with the run of the cell that showed them; without cell ids, all are kept."""

    def __init__(self) -> None:
        self._by_cell: dict[str | None, tuple[str, list[View]]] = {}

    def put(self, view: View, cell: str | None, run: str) -> None:
        """Record that a run of a cell shows a view, and close the views of its earlier runs."""
        earlier, views = self._by_cell.get(cell, (run, []))
        if earlier != run and cell is not None:
            for gone in views:
                gone.close_view()
            views = []
        self._by_cell[cell] = (run, [*views, view])

    def all(self) -> list[View]:
        """Return every shown view."""
        return [view for _, views in self._by_cell.values() for view in views]


_places = _Places()


def has_widgets() -> bool:
    """Whether a person may click: a kernel with ipywidgets that no program runs.

    Programs that run notebooks (nbclient, papermill, nbval) forbid input; interactive front ends allow it.
    """
    parent = _parent()
    if parent is None or not parent.get("content", {}).get("allow_stdin", False):
        return False
    try:
        import ipywidgets  # noqa: F401 - only to see whether it is installed
    except ImportError:
        return False
    return True


def show(view: View, display_id: str | None = None) -> str:
    """Show a view under the running cell, or in place of a display; return the id of its display."""
    view.display_id = display_id or new_id()
    publish(bundle(view), display_id=view.display_id, update=display_id is not None)
    keep(view)
    return view.display_id


def bundle(view: View) -> dict[str, Any]:
    """Return the MIME bundle of a view: its widget, and text for front ends without widgets."""
    model = {"version_major": 2, "version_minor": 0, "model_id": view.root.model_id}
    return {**view.fallback(), WIDGET: model}


def replace_all_by_text() -> None:
    """Replace every shown view by text, because no clicks are handled from now on.

    An open page shows the text at once, and the notebook contains it when it is saved next. A killed kernel can't do
    this, and JupyterLab ignores messages of a kernel that it restarts.
    """
    views = _places.all()
    ends = time.monotonic() + REPLACE_SECONDS
    for view in views:
        if (
            time.monotonic() > ends
        ):  # a ledger that does not respond: Jupyter waits only a short time for a kernel to end
            break
        try:
            publish(view.fallback(), display_id=view.display_id, update=True)
        except Exception:  # noqa: BLE001 - an error in one view must not keep the others from being replaced
            log.exception("a view could not be replaced by text")
    job_queue.clear()
    if views:
        sys.stdout.flush()  # a kernel's stream flushes all displays before it; at its end nothing else does


def keep(view: View) -> None:
    """Record that the running cell shows this view."""
    atexit.unregister(replace_all_by_text)  # once, and before exit functions that were registered earlier
    atexit.register(replace_all_by_text)
    parent = _parent() or {}
    cell = parent.get("metadata", {}).get("cellId")
    _places.put(view, cell, parent.get("header", {}).get("msg_id", ""))


def close(*roots: Any) -> None:
    """Close widgets with their children, layouts and styles, unless other widgets share them."""
    for root in roots:
        for child in getattr(root, "children", ()):
            close(child)
        for part in (getattr(root, "layout", None), getattr(root, "style", None), root):
            if part is not None and not is_shared(part):
                part.close()


def _parent() -> dict[str, Any] | None:
    """Return the message whose cell is running; None outside of a kernel."""
    from IPython.core.getipython import get_ipython

    kernel = getattr(get_ipython(), "kernel", None)
    return None if kernel is None else kernel.get_parent("shell")
