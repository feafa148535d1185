"""Leases: the right of one sender to send a question, until a given time.

A lease is longer than any request, and is renewed before each attempt. It ends early only if its owner is known to have
exited: a process of this boot of this machine and of this PID namespace that no longer runs. So nothing waits for a
killed kernel. If two senders still send the same question, they send the same bytes with the same idempotency key, and
the service creates one task.
"""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

# The longest lease in seconds. A stored lease that lasts longer was written with a wrong clock.
LONGEST_SECONDS = 600.0

_held: set[str] = set()


@dataclass(frozen=True)
class Lease:
    """The right of the sender ``owner`` to send until a time (seconds since 1970 UTC)."""

    owner: str
    until: float

    @classmethod
    def take(cls, until: float) -> Lease:
        """Return a lease for a new sender, which is one thread of this process."""
        return cls(f"{_process()}:{uuid.uuid4().hex}", until)

    def renewed(self, until: float) -> Lease:
        """Return the same sender's lease until another time."""
        return Lease(self.owner, until)

    @contextlib.contextmanager
    def held(self) -> Iterator[Lease]:
        """Mark the sender as active in this process for the duration of the context."""
        _held.add(self.owner)
        try:
            yield self
        finally:
            _held.discard(self.owner)


def is_leased(owner: str | None, until: float | None, now: float) -> bool:
    """Return whether a lease is valid at the time ``now``."""
    if owner is None or until is None or not now <= until <= now + LONGEST_SECONDS:
        return False
    return not _is_gone(owner)


def _process() -> str:
    pid = os.getpid()
    return f"{_machine(pid)}:{pid}"


@lru_cache(maxsize=1)
def _machine(_pid: int) -> str:
    """Identify the scope of process ids: this boot of this machine, and the PID namespace.

    A host name does not suffice: a container can have any, and has its own process ids. On systems other than Linux,
    the scope is a random id of this process and its forks.
    """
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot}/{Path('/proc/self/ns/pid').readlink()}".replace(":", "")
    except OSError:
        return _UNNAMED


_UNNAMED = uuid.uuid4().hex


def _is_gone(owner: str) -> bool:
    process, _, _ = owner.rpartition(":")
    if process == _process():
        return owner not in _held
    machine, _, pid = process.rpartition(":")
    if machine != _machine(os.getpid()) or not pid.isdigit() or os.name != "posix":
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except OSError:  # it runs as another user
        return False
    return False
