"""A process that asks, held from outside: stopped at a step, killed there or at any moment, and asked again."""

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from codevf_nb.accounts.settings import home

ROOT = Path(__file__).parents[2]


class Asker:
    """Kernels on one home and one sandbox, one at a time."""

    def __init__(self) -> None:
        self.base_url = ""
        self.home: Path | None = None
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.soak.asker"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._unread = b""

    def ask(
        self, prompt: str, step: str | None = None, then: str = "stop", kill_after: float | None = None
    ) -> dict[str, Any]:
        """Ask in a new process, killed at a step or after so many seconds if it gets that far; all that it told."""
        self.start(prompt, step, then)
        told = self.listen("exit", kill_after)
        assert "crashed" not in told, told["crashed"]
        return told

    def start(self, prompt: str, step: str | None = None, then: str = "stop") -> None:
        """Have a process ask, without waiting for what comes of it."""
        assert self._process.stdin is not None
        order = {
            "home": str(self.home or home()),
            "base_url": self.base_url,
            "prompt": prompt,
            "step": step,
            "then": then,
        }
        self._process.stdin.write(f"{json.dumps(order)}\n".encode())
        self._process.stdin.flush()
        self.pid = self.listen("pid")["pid"]

    def kill(self) -> None:
        """SIGKILL: no handler, no exit code of its own, nothing flushed."""
        with contextlib.suppress(ProcessLookupError):  # it ended by itself, just now
            os.kill(self.pid, signal.SIGKILL)

    def listen(self, until: str, kill_after: float | None = None) -> dict[str, Any]:
        """What the process tells until it has told this; where it stops at a step, it is killed."""
        told: dict[str, Any] = {}
        ends = None if kill_after is None else time.monotonic() + kill_after
        while until not in told:
            line = self._line(None if ends is None else max(0.0, ends - time.monotonic()))
            if line is None:
                self.kill()
                ends = None
                continue
            told |= line
            if "at" in line:
                self.kill()
        return told

    def close(self) -> None:
        self._process.communicate()

    def _line(self, seconds: float | None) -> dict[str, Any] | None:
        assert self._process.stdout is not None
        pipe = self._process.stdout.fileno()
        while b"\n" not in self._unread:
            if not select.select([pipe], [], [], seconds)[0]:
                return None
            more = os.read(pipe, 65536)
            assert more, "the asker has died"
            self._unread += more
        line, _, self._unread = self._unread.partition(b"\n")
        return json.loads(line)


@pytest.fixture(scope="session")
def kernels() -> Iterator[Asker]:
    """The process that forks the others; starting it costs a second."""
    held = Asker()
    yield held
    held.close()


@pytest.fixture
def asker(kernels: Asker, box) -> Asker:
    """Kernels on this test's home and sandbox."""
    kernels.base_url, kernels.home = box.base_url, None
    return kernels
