"""The sandbox of a home folder: one process for all kernels, which continues after they end.

The folder `home/sandbox/` (0700) has the files `address.json` (its URL), `state.json` (its key and state), both 0600,
`sandbox.log` and `lock`. The process is stopped over HTTP with its key and never by its process id, which may belong to
another program by then.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from codevf_nb.sandbox._errors import SandboxError
from codevf_nb.sandbox.options import Options, check_option_names

IDLE_EXIT = 30 * 60.0
START_SECONDS = 20.0
STOP_SECONDS = 10.0
ANSWER_SECONDS = 5.0
POLL_SECONDS = 0.01


@dataclass(frozen=True)
class Running:
    """A running sandbox.

    Attributes:
        base_url: The URL of the API.
        key: Returns the API key.
        pid: The process id.
        generation: The number of the sandbox in this home. A fresh sandbox has a new one.
        options: The options in force.
        started: Whether this call has started the process.
    """

    base_url: str
    key: Callable[[], str] = field(compare=False)  # a function, because a traceback shows the values of variables
    pid: int
    generation: int
    options: dict[str, Any]
    started: bool

    @property
    def api_key(self) -> str:
        """The API key."""
        return self.key()

    def __repr__(self) -> str:
        place = f"base_url={self.base_url!r}, pid={self.pid}"
        return f"Running({place}, generation={self.generation}, started={self.started})"


def start(home: Path, *, fresh: bool = False, **options: Any) -> Running:
    """Return the running sandbox of a home, or start it with its saved key and tasks, or start a new one.

    Args:
        home: The home folder.
        fresh: Whether to delete the existing sandbox. The new one has a new key and a new generation.
        **options: Fields of `Options`. They replace saved options. A running sandbox keeps its own options.

    Raises:
        SandboxError: An option is not valid, or the sandbox did not start.
    """
    _check(options)
    folder = home / "sandbox"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)
    with _locked(folder):
        running = find(home)
        if running is not None and not fresh:
            return running
        if running is not None:
            _stop(folder, running)
        _describe(folder, options, fresh=fresh)
        return _spawn(home, folder)


def find(home: Path) -> Running | None:
    """Return the running sandbox of a home, or None. It must answer with the pid and generation of its address file."""
    try:
        running = _addressed(**_read(home / "sandbox" / "address.json"))
        about = _ask(running, "GET", "alive")
    except (OSError, ValueError, TypeError, http.client.HTTPException):
        return None
    same = about.get("pid") == running.pid and about.get("generation") == running.generation
    return running if same else None


def _addressed(*, api_key: str, **address: Any) -> Running:
    return Running(**address, key=lambda: api_key, started=False)


def gone(home: Path, generation: int) -> str | None:
    """Return why the sandbox of a generation will never answer again, or None if it may.

    A stopped sandbox may answer again: it has its tasks when it is restarted.
    """
    saved = _read(home / "sandbox" / "state.json")
    if not saved:
        return "its sandbox is gone: its folder was deleted"
    newer = saved.get("home", {}).get("generation", 0) > generation
    return "its sandbox is gone: a fresh one has replaced it (--fresh)" if newer else None


def stop(home: Path) -> bool:
    """Stop the sandbox of a home, and wait for its end. Return False if none was running."""
    folder = home / "sandbox"
    if not folder.is_dir():
        return False
    with _locked(folder):
        running = find(home)
        if running is not None:
            _stop(folder, running)
        return running is not None


def _check(options: dict[str, Any]) -> None:
    check_option_names(set(options))
    taken = {"api_key", "state", "port"} & set(options)
    if taken:
        raise SandboxError(f"the sandbox of a home chooses its own {', '.join(sorted(taken))}")
    Options(**options)


def _describe(folder: Path, options: dict[str, Any], *, fresh: bool) -> None:
    """Write the state file of the new process. It has the key, so that no command line shows it."""
    saved = _read(folder / "state.json")
    home = saved.get("home") or {}
    if fresh or not home:
        if saved and not fresh:
            raise SandboxError(f"{folder / 'state.json'} can't be read; start a fresh sandbox (--fresh)")
        generation = max(home.get("generation", 0), _read(folder / "address.json").get("generation", 0)) + 1
        home = {"key": "cvf_test_" + secrets.token_urlsafe(24), "generation": generation, "given": {}}
        saved = {"version": 1}
    home["given"] = {"idle_exit": IDLE_EXIT, **home["given"], **options}
    _write(folder / "state.json", {**saved, "home": home})


def _spawn(home: Path, folder: Path) -> Running:
    (folder / "address.json").unlink(missing_ok=True)
    package = str(Path(__file__).parents[2])
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, (package, os.environ.get("PYTHONPATH")))),
    }
    with (folder / "sandbox.log").open("ab") as log:
        # It runs in its own folder: in another one, a user's csv.py would replace the module of the standard library.
        child = subprocess.Popen(  # noqa: S603 - our own module, and no untrusted argument
            [sys.executable, "-m", "codevf_nb.sandbox", "--home", str(folder.resolve())],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=folder,
            env=environment,
            start_new_session=True,
        )
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and child.poll() is None:
        running = find(home)
        if running is not None:
            # The parent process has to wait for it, so that no zombie is left.
            threading.Thread(target=child.wait, name="codevf-sandbox-wait", daemon=True).start()
            return Running(**{**vars(running), "started": True})
        time.sleep(POLL_SECONDS)
    if child.poll() is None:
        child.kill()  # certainly our process: nothing has waited for it yet
    child.wait()
    last = (folder / "sandbox.log").read_text(errors="replace").strip().splitlines()[-1:] or ["it gave no reason"]
    raise SandboxError(f"the sandbox did not start: {last[0]}")


def _stop(folder: Path, running: Running) -> None:
    with contextlib.suppress(OSError, ValueError, http.client.HTTPException):
        _ask(running, "POST", "stop")
    deadline = time.monotonic() + STOP_SECONDS
    while _read(folder / "address.json").get("pid") == running.pid:
        if time.monotonic() > deadline:
            raise SandboxError(f"the sandbox (process {running.pid}) does not stop")
        time.sleep(POLL_SECONDS)


def _ask(running: Running, method: str, what: str) -> dict[str, Any]:
    place = urlsplit(running.base_url)
    connection = http.client.HTTPConnection(str(place.hostname), place.port, timeout=ANSWER_SECONDS)
    try:
        connection.request(method, f"/_sandbox/{what}", headers={"Authorization": f"Bearer {running.api_key}"})
        answer = json.loads(connection.getresponse().read())
    finally:
        connection.close()
    return answer if isinstance(answer, dict) else {}


def _read(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError):
        return {"unreadable": True}
    return value if isinstance(value, dict) else {"unreadable": True}


def _write(path: Path, value: dict[str, Any]) -> None:
    from codevf_nb.sandbox._state import write_private

    write_private(path, value)


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the lock of the folder: the second of two kernels that start a sandbox finds that of the first."""
    with (folder / "lock").open("a+b") as file:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)
        yield  # closing the file releases the lock
