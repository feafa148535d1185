"""The last exception of this kernel: in a cell, which IPython stores, or in a thread, which it does not store.

It has no heavy imports, since the extension loads it.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import Any


def last() -> BaseException | None:
    """Return the last exception of a cell. An error of this extension has the previous one in ``before``."""
    error: Any = getattr(sys, "last_value", None)
    while hasattr(error, "before"):
        error = error.before
    return error if isinstance(error, BaseException) else None


class ThreadFailures:
    """Records an exception that ends a thread: IPython shows it, and does not store it as the last one."""

    def __init__(self) -> None:
        self._before: Callable[[Any], Any] | None = None
        self._last: tuple[str, Any] | None = None

    def install(self) -> None:
        """Record exceptions of threads from now on; the previous hook is still called."""
        if self._before is None:
            self._before, threading.excepthook = threading.excepthook, self._notice

    def remove(self) -> None:
        """Restore the previous hook, unless another one was installed since."""
        if self._before is not None and threading.excepthook == self._notice:
            threading.excepthook = self._before
        self._before = self._last = None

    def since(self, error: BaseException) -> str | None:
        """Return the type name of an exception that a thread raised after ``error`` was the last one of a cell."""
        return self._last[0] if self._last is not None and self._last[1] is error else None

    def _notice(self, raised: Any) -> None:
        self._last = (getattr(raised.exc_type, "__name__", "an exception"), last())
        if self._before is not None:
            self._before(raised)


threads = ThreadFailures()
