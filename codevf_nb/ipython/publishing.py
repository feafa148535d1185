"""Publishes displays from the kernel to the notebook, also from other threads and while output is captured.

``%%capture`` and ``capture_output`` replace the shell's publisher by their own, which captures the displays of the
running cell. An update of another cell's display must not be captured, so it uses the kernel's own publisher. A
captured display is updated in place, so that ``cap.show()`` later shows the present state of the question.
"""

from __future__ import annotations

import contextvars
import logging
import sys
import threading
from typing import Any

# At most this many captured displays are updated, the newest.
KEPT_CAPTURED = 100

_captured: dict[str, dict[str, Any]] = {}


def publish(bundle: dict[str, Any], display_id: str | None = None, *, update: bool = False) -> None:
    """Show a MIME bundle under the running cell; with ``update``, replace the display with this id."""
    from IPython.core.getipython import get_ipython

    shell: Any = get_ipython()
    if shell is None:
        _display(bundle, display_id, update=update)
    elif update and display_id is not None:
        _update(shell, bundle, display_id)
    else:
        _display(bundle, display_id, update=False)
        if display_id is not None:
            _note_captured(shell.display_pub, display_id)


def can_replace() -> bool:
    """Whether a display of the running cell can be replaced later: in a kernel, and not within an Output widget.

    Front ends can't find a display inside such a widget by its id.
    """
    from IPython.core.getipython import get_ipython

    kernel = getattr(get_ipython(), "kernel", None)
    if kernel is None:
        return False
    parent = (kernel.get_parent("shell") or {}).get("header", {}).get("msg_id")
    return not any(getattr(widget, "msg_id", None) == parent for widget in _output_widgets())


def _output_widgets() -> list[Any]:
    ipywidgets = sys.modules.get("ipywidgets")
    if ipywidgets is None:
        return []
    known = getattr(ipywidgets.widgets.widget, "_instances", None)
    known = ipywidgets.Widget.widgets if known is None else known  # before ipywidgets 8
    return [widget for widget in list(known.values()) if isinstance(widget, ipywidgets.Output)]


def thread_context() -> contextvars.Context:
    """Return the context for a thread that updates displays.

    In a copied context ipykernel assigns the thread to the cell that started it, and programs that run notebooks
    (nbclient, papermill) drop messages of a cell that has ended. ipykernel 7.0 has no parent in an empty context.
    """
    context = contextvars.copy_context() if _is_ipykernel_7_0() else contextvars.Context()
    context.run(_print_nowhere)
    return context


def _print_nowhere() -> None:
    """Keep text that this context prints (as log handlers do) out of all cells.

    ipykernel would put it under the cell that runs at that time. Before ipykernel 7 a thread can't change that.
    """
    for stream in (sys.stdout, sys.stderr):
        parent = getattr(stream, "_parent_header", None)
        if isinstance(parent, contextvars.ContextVar):
            parent.set({})


def keep_out_of_cells(record: logging.LogRecord) -> bool:
    """Filter a log record of a background thread: pass it to every handler except those that write into a cell.

    Returns:
        Whether the logger must handle the record itself.
    """
    if not threading.current_thread().name.startswith("codevf-"):
        return True
    logger: logging.Logger | None = logging.getLogger(record.name)
    while logger is not None:
        for handler in logger.handlers:
            # A kernel's stream names the cell that its text belongs to.
            if record.levelno >= handler.level and not hasattr(getattr(handler, "stream", None), "parent_header"):
                handler.handle(record)
        logger = logger.parent if logger.propagate else None
    return False


def _display(bundle: dict[str, Any], display_id: str | None, *, update: bool) -> None:
    from IPython.display import display

    put: Any = display
    put(bundle, raw=True, **({} if display_id is None else {"display_id": display_id, "update": update}))


def _update(shell: Any, bundle: dict[str, Any], display_id: str) -> None:
    captured = _captured.get(display_id)
    if captured is not None:
        captured["data"] = dict(bundle)
    own = _own_publisher(shell)
    if threading.current_thread() is not threading.main_thread() and _is_ipykernel_7_0():
        # Within the thread's own context: there is no other way to the header of the cell that is running.
        own.set_parent({"header": shell.kernel._new_threads_parent_header})  # noqa: SLF001 - see above
    own.publish(data=bundle, metadata={}, transient={"display_id": display_id}, update=True)


def _own_publisher(shell: Any) -> Any:
    """Return the publisher that the shell was created with, although another one may replace it now."""
    from IPython.core.displaypub import CapturingDisplayPublisher, DisplayPublisher

    now = shell.display_pub
    if not isinstance(now, CapturingDisplayPublisher):
        return now
    return next((part for part in shell.configurables if isinstance(part, DisplayPublisher)), now)


def _note_captured(publisher: Any, display_id: str) -> None:
    """Record the display that was captured last, if there is one."""
    from IPython.core.displaypub import CapturingDisplayPublisher

    if not isinstance(publisher, CapturingDisplayPublisher) or not publisher.outputs:
        return
    _captured[display_id] = publisher.outputs[-1]
    while len(_captured) > KEPT_CAPTURED:
        del _captured[next(iter(_captured))]


def _is_ipykernel_7_0() -> bool:
    ipykernel = sys.modules.get("ipykernel")
    return ipykernel is not None and ipykernel.version_info[:2] == (7, 0)
