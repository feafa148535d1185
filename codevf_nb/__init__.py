"""A human engineer one notebook cell away: the CodeVF notebook client.

``%load_ext codevf_nb`` brings ``%%codevf`` and ``%codevf``; the functions here do the same from Python. Importing this
loads neither pandas, requests, SQLAlchemy nor ipywidgets: each is loaded by the first call that needs it.
"""

from __future__ import annotations

import logging
import sys
from typing import Any

from codevf_nb.api import (
    answers,
    ask,
    balance,
    credits,
    dashboard,
    forecast,
    inbox,
    picker,
    spend,
    tags,
    tasks,
    use_sandbox,
)
from codevf_nb.ipython.publishing import keep_out_of_cells

__version__ = "0.1.0"

# A program that wants the log adds a handler. Without one, Python would print a background warning into some cell.
logging.getLogger("codevf_nb").addHandler(logging.NullHandler())
for _name in ("ledger", "prefetch", "sdk", "service", "watcher", "widgets"):
    logging.getLogger(f"codevf_nb.{_name}").addFilter(keep_out_of_cells)

__all__ = [
    "__version__",
    "answers",
    "ask",
    "balance",
    "credits",
    "dashboard",
    "forecast",
    "inbox",
    "load_ipython_extension",
    "picker",
    "spend",
    "tags",
    "tasks",
    "unload_ipython_extension",
    "use_sandbox",
]


def load_ipython_extension(ipython: Any) -> None:
    """Bring ``%%codevf`` and ``%codevf`` into a shell; loading it again leaves one of everything."""
    from codevf_nb.notebook.magics import CodeVFMagics

    if "CodeVFMagics" in ipython.magics_manager.registry:
        return
    magics = CodeVFMagics(ipython)
    ipython.register_magics(magics)


def unload_ipython_extension(ipython: Any) -> None:
    """Remove the magics from the shell, and stop watching. Tasks continue, and are found again after a reload."""
    # The text that replaces a view needs the session, so views are first.
    if (view_registry := sys.modules.get("codevf_nb.widgets.view_registry")) is not None:
        view_registry.replace_all_by_text()
    if (kernel := sys.modules.get("codevf_nb.kernel")) is not None:
        kernel.close_sessions()
    registry = ipython.magics_manager.registry
    loaded = registry.pop("CodeVFMagics", None)
    if loaded is not None:
        loaded.unload()


def __dir__() -> list[str]:
    return __all__
