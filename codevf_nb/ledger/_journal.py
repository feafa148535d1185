"""The journal mode of a SQLite ledger: WAL where the file system supports it, otherwise a rollback journal.

With WAL, readers and a writer don't wait for each other, but all processes that use the file must share memory. A
network file system (NFS, common on a hub) does not support that: SQLite may refuse, or, with kernels on two machines,
corrupt the file. A known network file system therefore gets no WAL. On others, WAL is first tried on a temporary file,
since a failed switch of the ledger can't always be undone.
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
    """Set the best journal mode that the file system supports.

    The mode stays unchanged while another kernel is writing for more than ``seconds``.

    Returns:
        The journal mode: ``wal`` or ``delete``.
    """
    with contextlib.closing(sqlite3.connect(path, timeout=seconds, isolation_level=None)) as connection:
        now = str(connection.execute("PRAGMA journal_mode").fetchone()[0])
        system = file_system(path)
        wanted = ROLLBACK if _is_remote(system) else WAL if now == WAL or carries_wal(path.parent) else ROLLBACK
        if wanted != now:
            with contextlib.suppress(sqlite3.OperationalError):  # in use: the next process that opens it sets the mode
                now = str(connection.execute(f"PRAGMA journal_mode = {wanted}").fetchone()[0])
    if now != WAL:
        log.info("the ledger at %s (on %s) goes without WAL: its readers and writers take turns", path, system)
    return now


def carries_wal(folder: Path) -> bool:
    """Return whether a connection can read what another one writes to a WAL database in this folder."""
    try:
        with tempfile.TemporaryDirectory(prefix=".codevf-probe-", dir=folder) as scratch:
            return _carries_wal(Path(scratch) / "probe.sqlite")
    except (OSError, sqlite3.Error):
        return False


def file_system(path: Path) -> str:
    """Return the type of the file system of a path (Linux only), or ``unknown``."""
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
    # The file system behind FUSE is unknown (sshfs, s3fs, a hub's own); a rollback journal works on all of them.
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
