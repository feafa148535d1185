"""The sandbox of a home: one process that every kernel of this home shares, and that outlives each of them.

Its folder `home/sandbox/` (0700) holds `address.json` (where it answers), `state.json` (its key and memory),
both 0600, `sandbox.log` and `lock`. No process is ever signalled by its number: it is asked
to stop over HTTP with its key, so a pid that was given to another program does no harm.
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
from codevf_nb.sandbox.options import Options, known

IDLE_EXIT = 30 * 60.0
START_SECONDS = 20.0
STOP_SECONDS = 10.0
ANSWER_SECONDS = 5.0
POLL_SECONDS = 0.01


@dataclass(frozen=True)
class Running:
    """A sandbox that answers; `started`: by this call; `options`: those in force."""

    base_url: str
    key: Callable[[], str] = field(compare=False)  # a traceback shows what a name holds, and calls nothing
    pid: int
    generation: int
    options: dict[str, Any]
    started: bool

    @property
    def api_key(self) -> str:
        """The key that opens it."""
        return self.key()

    def __repr__(self) -> str:
        place = f"base_url={self.base_url!r}, pid={self.pid}"
        return f"Running({place}, generation={self.generation}, started={self.started})"


def start(home: Path, *, fresh: bool = False, **options: Any) -> Running:
    """The sandbox of this home: the running one, or the one that was, with its key and tasks, or a new one.

    `fresh` throws away what there is: a new key, a new generation. Options are those of `Options`; one that is
    running keeps its own, and one that is started again takes these over its old ones.
    """
    _check(options)
    folder = home / "sandbox"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)
    with _only_one(folder):
        running = find(home)
        if running is not None and not fresh:
            return running
        if running is not None:
            _stop(folder, running)
        _describe(folder, options, fresh=fresh)
        return _spawn(home, folder)


def find(home: Path) -> Running | None:
    """The running sandbox of this home, only if it really answers as the one its address file speaks of."""
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
    """Why the sandbox of this generation answers no more, and never will; None where it may, or nobody knows.

    One that was stopped is not gone: it has its tasks when it is started again.
    """
    saved = _read(home / "sandbox" / "state.json")
    if not saved:
        return "its sandbox is gone: the folder that it was in was deleted"
    newer = saved.get("home", {}).get("generation", 0) > generation
    return "its sandbox is gone: a fresh one has taken its place (--fresh)" if newer else None


def stop(home: Path) -> bool:
    """Ask the sandbox of this home to save and end, and wait until it has; false where none was running."""
    folder = home / "sandbox"
    if not folder.is_dir():
        return False
    with _only_one(folder):
        running = find(home)
        if running is not None:
            _stop(folder, running)
        return running is not None


def _check(options: dict[str, Any]) -> None:
    known(set(options))
    taken = {"api_key", "state", "port"} & set(options)
    if taken:
        raise SandboxError(f"a home's sandbox chooses its own {', '.join(sorted(taken))}")
    Options(**options)


def _describe(folder: Path, options: dict[str, Any], *, fresh: bool) -> None:
    """Write the state file that the new process begins with: the key travels in it, on no command line."""
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
        # Its own folder is where it works: a user's csv.py must not stand in for the standard library's.
        child = subprocess.Popen(  # noqa: S603 - our own module, no foreign argument
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
            # Whoever started it is its parent, and has to wait for it, or its end would leave a zombie.
            threading.Thread(target=child.wait, name="codevf-sandbox-wait", daemon=True).start()
            return Running(**{**vars(running), "started": True})
        time.sleep(POLL_SECONDS)
    if child.poll() is None:
        child.kill()  # ours without doubt: its parent has not waited for it yet
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
def _only_one(folder: Path) -> Iterator[None]:
    """Hold the folder's lock: of two kernels that start a sandbox at once, the second finds the first's."""
    with (folder / "lock").open("a+b") as file:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)
        yield  # closing the file gives the lock back
