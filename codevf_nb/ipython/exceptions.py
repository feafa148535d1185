"""What was raised last in this kernel: in a cell, as IPython keeps it, or in a thread, which it does not keep.

Nothing is imported here, since the extension loads it.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import Any


def last() -> BaseException | None:
    """Return the last exception of a cell. An error of this extension's own carries the one before it in ``before``."""
    error: Any = getattr(sys, "last_value", None)
    while hasattr(error, "before"):
        error = error.before
    return error if isinstance(error, BaseException) else None


class ThreadFailures:
    """Notices an exception that ends a thread: IPython shows it, and does not keep it as the last one."""

    def __init__(self) -> None:
        self._before: Callable[[Any], Any] | None = None
        self._last: tuple[str, Any] | None = None

    def install(self) -> None:
        """Notice exceptions of threads from now on; what was called for them before still is."""
        if self._before is None:
            self._before, threading.excepthook = threading.excepthook, self._notice

    def remove(self) -> None:
        """Put back what was called before, unless somebody else has replaced it since."""
        if self._before is not None and threading.excepthook == self._notice:
            threading.excepthook = self._before
        self._before = self._last = None

    def since(self, error: BaseException) -> str | None:
        """Return the type of the exception that a thread has raised since an exception was the last one."""
        return self._last[0] if self._last is not None and self._last[1] is error else None

    def _notice(self, raised: Any) -> None:
        self._last = (getattr(raised.exc_type, "__name__", "an exception"), last())
        if self._before is not None:
            self._before(raised)


threads = ThreadFailures()
