"""The watch in real time: processes that share a ledger, one of which is killed."""

import signal
import subprocess
import sys
import time

import pytest

from codevf_nb import kernel
from codevf_nb.accounts.settings import Account
from codevf_nb.sandbox import Sandbox
from tests.waiting import eventually

pytestmark = pytest.mark.soak

WATCH = """
import sys, time
from codevf_nb import kernel
from codevf_nb.accounts.settings import Account
_, base_url, api_key = sys.argv
kernel = kernel.use(Account("sandbox", "sandbox", base_url, api_key, "a test", "sandbox"))
task = kernel.ask(kernel.draft("Is this join dropping rows?", code="a.merge(b)", project="team"))
print(task.id, flush=True)
time.sleep(600)
"""


def test_the_watch_passes_on(capsys):
    """A process that polls is killed: within 10 s another one polls its task, and shows the answer."""
    with Sandbox(reviewer="none") as box:

        def polls():
            return sum(method == "GET" and "/tasks/" in path for method, path, *_ in box.requests())

        asker = subprocess.Popen(
            [sys.executable, "-c", WATCH, box.base_url, box.api_key], stdout=subprocess.PIPE, text=True
        )
        task_id = asker.stdout.readline().strip()
        eventually(lambda: polls() >= 2, "the first process polls")
        here = kernel.use(Account("sandbox", "sandbox", box.base_url, box.api_key, "a test", "sandbox"))
        task = here.task(task_id)
        time.sleep(3)
        asker.send_signal(signal.SIGKILL)
        asker.wait()
        died, before = time.monotonic(), polls()
        eventually(lambda: polls() > before, "this process polls")
        took = time.monotonic() - died
        box.answer(task_id, "No row is dropped.")
        assert task.wait(timeout=30).message == "No row is dropped."
        kernel.forget()
        refused = [status for *_, status, _ in box.requests() if status == 429]
    with capsys.disabled():
        print(f"\ntaken over after {took:.1f} s", end="")
    assert took <= 10
    assert refused == []
