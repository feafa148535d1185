"""How a display gets from the kernel to the notebook, also from another thread and past whatever captures output.

``%%capture`` and ``capture_output`` put a publisher of their own in the place of the shell's. What the running cell
shows is theirs to capture. An update of what another cell has shown is not: it goes by the kernel's own publisher. What
was captured is updated in place, so that ``cap.show()`` later shows the question as it is by then.
"""

from __future__ import annotations

import contextvars
import logging
import sys
import threading
from typing import Any

# So many captured displays are kept up to date, the newest.
KEPT_CAPTURED = 100

_captured: dict[str, dict[str, Any]] = {}


def publish(bundle: dict[str, Any], display_id: str | None = None, *, update: bool = False) -> None:
    """Show a MIME bundle under the running cell, or with ``update`` in place of what stands under a display id."""
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
    """Whether what the running cell shows can be replaced later: in a kernel, and not within an Output widget.

    Such a widget keeps what is shown in it to itself, where no front end finds it by its display id.
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
    """Return the context in which a thread is to run that updates displays.

    In a copied one ipykernel takes the thread for a part of the cell that started it, and whoever runs a notebook
    (nbclient, papermill) drops what comes from a cell that has ended. ipykernel 7.0 knows no parent in an empty one.
    """
    context = contextvars.copy_context() if _is_ipykernel_7_0() else contextvars.Context()
    context.run(_print_nowhere)
    return context


def _print_nowhere() -> None:
    """Let what is printed in this context, as by a handler of somebody's log, be in no cell.

    ipykernel would put it under the cell that happens to run. Before ipykernel 7 a thread has no say in that.
    """
    for stream in (sys.stdout, sys.stderr):
        parent = getattr(stream, "_parent_header", None)
        if isinstance(parent, contextvars.ContextVar):
            parent.set({})


def is_for_no_cell(record: logging.LogRecord) -> bool:
    """Filter a log record of a background thread: it goes to every handler but those that write into a cell.

    Whatever cell runs at the moment has nothing to do with it. Returns whether the logger has to pass it on itself.
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
    """Return the publisher that the shell was made with, whatever stands in its place at the moment."""
    from IPython.core.displaypub import CapturingDisplayPublisher, DisplayPublisher

    now = shell.display_pub
    if not isinstance(now, CapturingDisplayPublisher):
        return now
    return next((part for part in shell.configurables if isinstance(part, DisplayPublisher)), now)


def _note_captured(publisher: Any, display_id: str) -> None:
    """Remember the display that was just captured, if one was."""
    from IPython.core.displaypub import CapturingDisplayPublisher

    if not isinstance(publisher, CapturingDisplayPublisher) or not publisher.outputs:
        return
    _captured[display_id] = publisher.outputs[-1]
    while len(_captured) > KEPT_CAPTURED:
        del _captured[next(iter(_captured))]


def _is_ipykernel_7_0() -> bool:
    ipykernel = sys.modules.get("ipykernel")
    return ipykernel is not None and ipykernel.version_info[:2] == (7, 0)
