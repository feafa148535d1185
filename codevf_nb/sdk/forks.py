"""Safe forks: a fork copies connections and locks, but not the threads that use them.

Two processes that share a connection read each other's responses. Therefore an object with a connection, a lock or a
thread registers a method that replaces it in the child process. The child closes nothing of the parent. Some work must
not be forked at all: SQLite counts its locks in memory, and a child would keep the count of its parent for ever.
"""

from __future__ import annotations

import contextlib
import os
import threading
import weakref
from collections.abc import Callable, Iterator
from types import MethodType
from typing import Any, cast

# Seconds for which a fork waits for other threads at most: one of them may itself wait for the fork.
WAIT_SECONDS = 10.0

_resets: weakref.WeakKeyDictionary[object, Callable[[Any], object]] = weakref.WeakKeyDictionary()


def reset_after_fork(reset: Callable[[], object]) -> None:
    """Register a method that is called in each forked process, as long as its object exists.

    Args:
        reset: A bound method. An object has one at most.


    Example:
        >>> class Counter:
        ...     def __init__(self) -> None:
        ...         reset_after_fork(self.reset)
        ...     def reset(self) -> None:
        ...         self.count = 0
    """
    method = cast("MethodType", reset)
    _resets[method.__self__] = method.__func__


class _ForkGuard:
    """Makes forks wait until no thread is in a block that must not be forked."""

    def __init__(self) -> None:
        self._begin({})
        self.interrupted_work = False

    def _begin(self, inside: dict[int, int]) -> None:
        self._changed = threading.Condition()
        self._inside = inside

    @contextlib.contextmanager
    def __call__(self) -> Iterator[None]:
        """Keep other threads from forking until the block ends."""
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
        """Wait for the other threads, and stop them from entering a block until the fork is done."""
        me = threading.get_ident()
        self._changed.acquire()
        self._changed.wait_for(lambda: not self._inside.keys() - {me}, WAIT_SECONDS)

    def after_in_parent(self) -> None:
        self._changed.release()

    def after_in_child(self) -> None:
        """Start again with the only thread of the child. Note whether another thread was inside a block."""
        me = threading.get_ident()
        self.interrupted_work = self.interrupted_work or bool(self._inside.keys() - {me})
        self._begin({me: self._inside[me]} if me in self._inside else {})


no_fork = _ForkGuard()
"""`with no_fork():` is a block that must not be interrupted by a fork."""


def _in_child() -> None:
    no_fork.after_in_child()
    for holder, reset in list(_resets.items()):
        reset(holder)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=no_fork.before, after_in_parent=no_fork.after_in_parent, after_in_child=_in_child)
