"""What a forked process has to replace: a fork copies connections and locks, but not the threads that use them.

Two processes on one connection read each other's answers. So an object that holds a connection, a lock or a thread
names the method that replaces it in the child; nothing of the parent's is closed there. What can't be replaced is not
to be forked: SQLite counts in memory which locks its process has, and a child would count its parent's for ever.
"""

from __future__ import annotations

import contextlib
import os
import threading
import weakref
from collections.abc import Callable, Iterator
from types import MethodType
from typing import Any, cast

# A fork waits no longer than this for what other threads have begun, in seconds: one of them may wait for the fork.
WAIT_SECONDS = 10.0

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


class _Whole:
    """Threads that are in the middle of something, and forks that wait until none is."""

    def __init__(self) -> None:
        self._begin({})
        self.is_cut = False

    def _begin(self, inside: dict[int, int]) -> None:
        self._changed = threading.Condition()
        self._inside = inside

    @contextlib.contextmanager
    def __call__(self) -> Iterator[None]:
        """Let no other thread fork until the block ends."""
        me = threading.get_ident()
        with self._changed:
            self._inside[me] = self._inside.get(me, 0) + 1
        try:
            yield
        finally:
            with self._changed:
                self._inside[me] -= 1
                if not self._inside[me]:
                    del self._inside[me]
                    self._changed.notify_all()

    def before(self) -> None:
        """Wait for the other threads, and let none begin anything until the fork is over."""
        me = threading.get_ident()
        self._changed.acquire()
        self._changed.wait_for(lambda: not self._inside.keys() - {me}, WAIT_SECONDS)

    def after_in_parent(self) -> None:
        self._changed.release()

    def after_in_child(self) -> None:
        """Begin with the one thread that there is; ``is_cut``: another one was in the middle of something."""
        me = threading.get_ident()
        self.is_cut = self.is_cut or bool(self._inside.keys() - {me})
        self._begin({me: self._inside[me]} if me in self._inside else {})


unforked = _Whole()
"""`with unforked():` for what no fork may cut in two."""


def _in_child() -> None:
    unforked.after_in_child()
    for holder, reset in list(_resets.items()):
        reset(holder)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=unforked.before, after_in_parent=unforked.after_in_parent, after_in_child=_in_child)
