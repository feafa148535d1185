"""The right to send one question: who has it, until when, and whether whoever has it is still there.

A lease outlives every request, and is renewed before each attempt. It ends early only where its owner is certainly gone
(a process of this boot of this machine and of this PID namespace, which no longer runs), so that a killed kernel keeps
nobody waiting. Should two ever send at once all the same, they send the same bytes under the same key, and the service
counts them once.
"""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

# No lease is ever taken for longer than this, in seconds: one that lasts longer was taken by a clock that was wrong.
LONGEST_SECONDS = 600.0

_held: set[str] = set()


@dataclass(frozen=True)
class Lease:
    """The right of one sender to send, until a moment (seconds since 1970 UTC)."""

    owner: str
    until: float

    @classmethod
    def take(cls, until: float) -> Lease:
        """Make the lease of a new sender, one thread of this process."""
        return cls(f"{_process()}:{uuid.uuid4().hex}", until)

    def renewed(self, until: float) -> Lease:
        """Return the same sender's lease until a later moment."""
        return Lease(self.owner, until)

    @contextlib.contextmanager
    def held(self) -> Iterator[Lease]:
        """Be known, within this process, as a sender that is at work; however it ends, it no longer is."""
        _held.add(self.owner)
        try:
            yield self
        finally:
            _held.discard(self.owner)


def is_leased(owner: str | None, until: float | None, now: float) -> bool:
    """Whether a lease still holds."""
    if owner is None or until is None or not now <= until <= now + LONGEST_SECONDS:
        return False
    return not _is_gone(owner)


def _process() -> str:
    pid = os.getpid()
    return f"{_machine(pid)}:{pid}"


@lru_cache(maxsize=1)
def _machine(_pid: int) -> str:
    """Name what a process number counts in: this boot of this machine, and the PID namespace.

    Containers have host names of their own choice, and numbers that mean nothing to each other. Where the kernel names
    neither (it isn't Linux), no two processes are known to count alike, but for a process and its forks.
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
    except OSError:  # it runs, as somebody else
        return False
    return False
