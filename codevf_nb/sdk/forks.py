"""What a forked process makes anew: a fork copies connections and locks, but not the threads that use them.

Two processes on one connection read each other's answers. So whoever holds a connection, a lock or a thread names the
method that replaces it in the child; nothing of the parent's is closed there.
"""

from __future__ import annotations

import inspect
import os
import weakref
from collections.abc import Callable

_resets: list[Callable[[], Callable[[], object] | None]] = []


def reset_after_fork(reset: Callable[[], object]) -> None:
    """Call `reset` in each process that is forked from this one; a method, for as long as its object lives.

    Example:
        >>> class Counter:
        ...     def __init__(self) -> None:
        ...         reset_after_fork(self.reset)
        ...     def reset(self) -> None:
        ...         self.count = 0
    """
    _resets[:] = [reference for reference in _resets if reference() is not None]
    _resets.append(weakref.WeakMethod(reset) if inspect.ismethod(reset) else lambda: reset)


def _in_child() -> None:
    for reference in _resets:
        if (reset := reference()) is not None:
            reset()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
