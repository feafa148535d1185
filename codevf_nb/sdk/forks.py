"""What a forked process makes anew: a fork copies connections and locks, but not the threads that use them.

Two processes on one connection read each other's answers. So whoever holds a connection, a lock or a thread names the
method that replaces it in the child; nothing of the parent's is closed there.
"""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable
from types import MethodType
from typing import Any, cast

_resets: weakref.WeakKeyDictionary[object, Callable[[Any], object]] = weakref.WeakKeyDictionary()


def reset_after_fork(reset: Callable[[], object]) -> None:
    """Call a method in each process that is forked from this one, for as long as its object lives: one for each object.

    Example:
        >>> class Counter:
        ...     def __init__(self) -> None:
        ...         reset_after_fork(self.reset)
        ...     def reset(self) -> None:
        ...         self.count = 0
    """
    method = cast("MethodType", reset)
    _resets[method.__self__] = method.__func__


def _in_child() -> None:
    for holder, reset in list(_resets.items()):
        reset(holder)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
