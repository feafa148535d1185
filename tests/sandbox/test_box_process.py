"""The sandbox of a home: one process, found again, that ends when it should."""

import json
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest
import requests

from codevf_nb.sandbox import SandboxError, process


@pytest.fixture
def home(tmp_path):
    """A home whose sandbox ends with the test."""
    home = tmp_path / "nb"
    yield home
    process.stop(home)


def balance(running):
    headers = {"Authorization": f"Bearer {running.api_key}"}
    return requests.get(running.base_url + "credits/balance", headers=headers, timeout=10).json()["total"]


def project(running, name):
    headers = {"Authorization": f"Bearer {running.api_key}"}
    return requests.post(
        running.base_url + "projects/create", json={"name": name}, headers=headers, timeout=10
    ).status_code


def gone(running):
    """Whether nothing answers at the address any more, soon."""
    port = int(running.base_url.split(":")[2].split("/")[0])
    for _ in range(1000):
        with socket.socket() as sock:
            if sock.connect_ex(("127.0.0.1", port)):
                return True
        threading.Event().wait(0.01)
    return False


def ended(running):
    """Wait until the process is gone, and not even a zombie."""
    for _ in range(1000):
        try:
            os.kill(running.pid, 0)
        except ProcessLookupError:
            return
        threading.Event().wait(0.01)
    raise AssertionError(f"process {running.pid} is still there")


def test_it_is_started_once_and_found_again(home):
    """The first start starts, the second and `find` find the same; stopped, nothing is found."""
    assert process.find(home) is None
    assert process.stop(home) is False
    first = process.start(home, credits=77, rate_limit=None)
    assert first.started
    assert (first.generation, balance(first)) == (1, 77)
    assert first.api_key.startswith("cvf_test_")
    second = process.start(home, credits=5)
    assert (second.started, second.pid, second.options["credits"]) == (False, first.pid, 77)
    assert process.find(home).base_url == first.base_url
    assert process.stop(home) is True
    assert process.find(home) is None
    assert gone(first)
    ended(first)


def test_it_is_up_in_under_a_second_or_so(home):
    """Starting is quick: measured at 0.3-0.4 s; the bound here is for loaded machines."""
    began = time.monotonic()
    process.start(home)
    assert time.monotonic() - began < 5


def test_its_files_are_private_and_its_key_is_on_no_command_line(home):
    """Folder 0700, address and state 0600; the key stands in them and nowhere that `ps` shows."""
    running = process.start(home)
    folder = home / "sandbox"
    assert folder.stat().st_mode & 0o777 == 0o700
    for name in ("address.json", "state.json"):
        assert (folder / name).stat().st_mode & 0o777 == 0o600
    assert json.loads((folder / "address.json").read_text())["api_key"] == running.api_key
    assert running.api_key not in repr(running)
    arguments = Path(f"/proc/{running.pid}/cmdline")
    if arguments.exists():
        assert running.api_key.encode() not in arguments.read_bytes()
    assert running.api_key not in (folder / "sandbox.log").read_text()


def test_tasks_and_options_survive_its_restart(home):
    """Started again it has the same key, generation, options and projects; options that are given replace old ones."""
    first = process.start(home, credits=50, clock="virtual")
    assert project(first, "A") == 201
    process.stop(home)
    second = process.start(home, seed=3)
    assert second.started
    assert (second.api_key, second.generation) == (first.api_key, 1)
    assert (second.options["clock"], second.options["credits"], second.options["seed"]) == ("virtual", 50, 3)
    assert project(second, "A") == 200


def test_what_it_did_is_saved_while_it_runs(home):
    """Killed without a chance to save, it has lost nothing that it did a moment before."""
    first = process.start(home, rate_limit=None)
    project(first, "A")
    state = home / "sandbox" / "state.json"
    while '"A"' not in state.read_text():
        threading.Event().wait(0.01)
    os.kill(first.pid, signal.SIGKILL)
    assert gone(first)
    assert process.find(home) is None
    second = process.start(home)
    assert (second.started, project(second, "A")) == (True, 200)


def test_fresh_starts_empty_with_a_new_key(home):
    """`fresh` stops the running one, forgets its tasks, and goes up by one generation each time."""
    first = process.start(home, credits=50, rate_limit=None)
    project(first, "A")
    second = process.start(home, fresh=True, rate_limit=None)
    assert (second.started, second.generation, second.options["credits"]) == (True, 2, 100_000)
    assert second.api_key != first.api_key
    assert gone(first)
    assert project(second, "A") == 201
    process.stop(home)
    assert process.start(home, fresh=True).generation == 3


def test_two_kernels_at_once_get_one(home):
    """Of many starts at the same moment one starts, and all have the same process."""
    running = []
    threads = [threading.Thread(target=lambda: running.append(process.start(home))) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({item.pid for item in running}) == 1
    assert sum(item.started for item in running) == 1


def test_a_foreign_pid_is_never_touched(home):
    """An address that names another process, or a port nobody answers at, is no sandbox, and stop leaves both alone."""
    sleeper = subprocess.Popen(["/bin/sleep", "60"])
    try:
        folder = home / "sandbox"
        folder.mkdir(parents=True)
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            port = unused.getsockname()[1]
        address = {
            "base_url": f"http://127.0.0.1:{port}/api/v1/",
            "api_key": "cvf_test_x",
            "pid": sleeper.pid,
            "generation": 1,
            "options": {},
        }
        (folder / "address.json").write_text(json.dumps(address))
        assert process.find(home) is None
        assert process.stop(home) is False
        assert sleeper.poll() is None
        real = process.start(home)
        (folder / "address.json").write_text(
            json.dumps({**address, "base_url": real.base_url, "api_key": real.api_key})
        )
        assert process.find(home) is None
        assert gone(real)  # its address is another's: it ends by itself
    finally:
        sleeper.kill()
        sleeper.wait()


def test_it_ends_when_its_home_is_deleted(home):
    """A home that is gone leaves no process behind, and isn't made again."""
    running = process.start(home)
    shutil.rmtree(home)
    assert gone(running)
    ended(running)
    assert not home.exists()


def test_it_ends_by_itself_when_idle(home):
    """After its idle time it has saved and is gone; the next start finds its memory."""
    running = process.start(home, idle_exit=0.2)
    assert gone(running)
    ended(running)
    assert process.find(home) is None
    assert process.start(home).api_key == running.api_key


def test_it_outlives_the_process_that_started_it(home):
    """A sandbox that another process started, which has ended since, still answers: a kernel may restart."""
    import sys

    program = f"from pathlib import Path; from codevf_nb.sandbox import process; process.start(Path({str(home)!r}))"
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
    running = process.find(home)
    assert running is not None
    assert os.getsid(running.pid) != os.getsid(0)


@pytest.mark.parametrize("options", [{"colour": 1}, {"api_key": "cvf_test_x"}, {"clock": "broken"}, {"faults": ("x",)}])
def test_wrong_options_start_nothing(home, options):
    """An option that isn't one, or that a home's sandbox chooses itself, is an error before anything is made."""
    with pytest.raises(SandboxError):
        process.start(home, **options)
    assert not home.exists()


def test_an_unreadable_state_asks_for_a_fresh_start(home):
    """A damaged state file is not overwritten unasked; fresh gets over it."""
    (home / "sandbox").mkdir(parents=True)
    (home / "sandbox" / "state.json").write_text("{")
    with pytest.raises(SandboxError, match="fresh"):
        process.start(home)
    assert process.start(home, fresh=True).generation == 1
