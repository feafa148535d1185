"""Small private files: readable by their owner only, written atomically, changed by one process at a time."""

from __future__ import annotations

import contextlib
import os
import stat
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path


def write(path: Path, text: str) -> None:
    """Write a file atomically: a temporary file with mode 0600 is synced to disk, and then replaces the old one."""
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)  # 0600
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise


@contextlib.contextmanager
def lock(path: Path) -> Iterator[None]:
    """Hold a lock file, so that no other process writes between a read and a write. The file stays."""
    with open(path, "a", encoding="utf-8", opener=_private) as file:
        if sys.platform == "win32":
            import msvcrt

            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)
        else:
            import fcntl

            with contextlib.suppress(OSError):  # a file system of the network may have no locks
                fcntl.flock(file, fcntl.LOCK_EX)
        yield


def rights_of_others(path: Path) -> str | None:
    """Return a file's mode, as chmod writes it, if others than its owner have any right to it."""
    mode = stat.S_IMODE(path.stat().st_mode)
    return f"{mode:04o}" if os.name != "nt" and mode & 0o077 else None


def _private(name: str, flags: int) -> int:
    return os.open(name, flags, 0o600)
