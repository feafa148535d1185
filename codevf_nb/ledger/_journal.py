"""How a SQLite ledger keeps its journal: WAL where the file system can carry it, else SQLite's old one.

With WAL readers and a writer don't wait for each other, but all who use the file must share memory. A home on the
network (NFS, common on a hub) doesn't give them that: SQLite may refuse there, or, with kernels on two machines, seem
to work and spoil the file. So a file system that is known to be remote gets no WAL, and elsewhere it is tried first, on
a file of its own, since a ledger that was switched in vain can't always be switched back.
"""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import tempfile
from pathlib import Path

WAL, ROLLBACK = "wal", "delete"
MOUNTS = Path("/proc/self/mountinfo")
_REMOTE = {"9p", "afs", "beegfs", "ceph", "cifs", "glusterfs", "lustre", "nfs", "nfs4", "smb3", "virtiofs"}

log = logging.getLogger("codevf_nb.ledger")


def set_mode(path: Path, seconds: float) -> str:
    """Give the ledger at ``path`` the best journal its place allows, and return which: ``wal`` or ``delete``.

    While another kernel is writing (for more than ``seconds``) the journal stays what it is.
    """
    with contextlib.closing(sqlite3.connect(path, timeout=seconds, isolation_level=None)) as connection:
        now = str(connection.execute("PRAGMA journal_mode").fetchone()[0])
        system = file_system(path)
        wanted = ROLLBACK if _is_remote(system) else WAL if now == WAL or carries_wal(path.parent) else ROLLBACK
        if wanted != now:
            with contextlib.suppress(sqlite3.OperationalError):  # in use: the next one to open it settles it
                now = str(connection.execute(f"PRAGMA journal_mode = {wanted}").fetchone()[0])
    if now != WAL:
        log.info("the ledger at %s (on %s) goes without WAL: its readers and writers take turns", path, system)
    return now


def carries_wal(folder: Path) -> bool:
    """Whether what one connection writes to a WAL database in this folder is read by another one."""
    try:
        with tempfile.TemporaryDirectory(prefix=".codevf-probe-", dir=folder) as scratch:
            return _carries_wal(Path(scratch) / "probe.sqlite")
    except (OSError, sqlite3.Error):
        return False


def file_system(path: Path) -> str:
    """Name the kind of file system that a path lies on (Linux); ``unknown`` where the system doesn't say."""
    try:
        lines = MOUNTS.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return "unknown"
    here = path.resolve()
    kinds = {}
    for line in lines:
        place, _, mounted = line.partition(" - ")
        point = Path(place.split(" ")[4].replace("\\040", " "))
        if here.is_relative_to(point):
            kinds[len(point.parts)] = mounted.split(" ", 1)[0]
    return kinds[max(kinds)] if kinds else "unknown"


def _is_remote(system: str) -> bool:
    # What lies behind FUSE can't be known (sshfs, s3fs, a hub's own): the old journal is right on all of them.
    return system in _REMOTE or system.startswith("fuse")


def _carries_wal(path: Path) -> bool:
    with (
        contextlib.closing(sqlite3.connect(path, isolation_level=None)) as writer,
        contextlib.closing(sqlite3.connect(path, isolation_level=None)) as reader,
    ):
        if writer.execute("PRAGMA journal_mode = WAL").fetchone()[0] != WAL:
            return False
        writer.execute("CREATE TABLE probe AS SELECT 1 AS written")
        return bool(reader.execute("SELECT written FROM probe").fetchone() == (1,))
