"""What the modules share: jobs measured in turn, a home of their own, a sandbox process, a real kernel."""

import ast
import contextlib
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Empty
from typing import Any, Self

from jupyter_client.manager import KernelManager

from codevf_nb.accounts.settings import Account, home
from codevf_nb.sandbox import process

ANSWER_SECONDS = 60


def in_turn(times: int, *jobs: Callable[[], object]) -> list[float]:
    """Do the jobs one after another, so many times over, after once for warming up; the median of each, in ms."""
    taken: list[list[float]] = [[] for _ in jobs]
    for job in jobs:
        job()
    for _ in range(times):
        for job, seconds in zip(jobs, taken, strict=True):
            seconds.append(timed(job))
    return [1000 * statistics.median(seconds) for seconds in taken]


def timed(job: Callable[[], object]) -> float:
    """The seconds that a job takes."""
    began = time.perf_counter()
    job()
    return time.perf_counter() - began


@contextlib.contextmanager
def own_home(place: str | None = None) -> Iterator[Path]:
    """A home that nothing else uses; no key, ledger or setting of the machine is seen."""
    before = dict(os.environ)
    with tempfile.TemporaryDirectory(prefix="codevf-bench-", dir=place) as folder:
        for name in [name for name in os.environ if name.startswith("CODEVF_")]:
            del os.environ[name]
        for name in ("HOME", "CODEVF_NB_HOME", "IPYTHONDIR", "JUPYTER_RUNTIME_DIR"):
            os.environ[name] = str(Path(folder) / name.lower())
            Path(os.environ[name]).mkdir()
        os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.null.Keyring"
        try:
            yield Path(os.environ["CODEVF_NB_HOME"])
        finally:
            os.environ.clear()
            os.environ.update(before)


@contextlib.contextmanager
def sandbox(**options: Any) -> Iterator[process.Running]:
    """The sandbox of this home, a process of its own; it limits nothing unless told to."""
    running = process.start(home(), **{"rate_limit": None, "credits": 10_000_000, **options})
    try:
        yield running
    finally:
        process.stop(home())


def account(base_url: str = "http://127.0.0.1:1/api/v1/", api_key: str = "cvf_test_bench") -> Account:
    """An account whose requests nothing limits."""
    return Account("sandbox", "sandbox", base_url, api_key, "bench", "sandbox", requests_per_second=None)


class Kernel:
    """A fresh kernel, and somebody in front of it."""

    def __enter__(self) -> Self:
        self._manager = KernelManager(kernel_name="python3")
        self._manager.start_kernel(env=dict(os.environ), cwd=os.environ["HOME"], stderr=subprocess.DEVNULL)
        self._client = self._manager.client()
        self._client.start_channels()
        self._client.wait_for_ready(timeout=ANSWER_SECONDS)
        return self

    def __exit__(self, *_: object) -> None:
        self._client.stop_channels()
        self._manager.shutdown_kernel(now=True)

    def run(self, code: str, value: str = "None") -> Any:
        """Run a cell until the prompt is back, and return what an expression is worth then."""
        message = self._client.execute(code, allow_stdin=True, user_expressions={"value": value})
        reply = self._reply(message)
        while self._client.get_iopub_msg(timeout=ANSWER_SECONDS)["content"].get("execution_state") != "idle":
            pass
        assert reply["status"] == "ok", "\n".join(reply.get("traceback", ()))
        return ast.literal_eval(reply["user_expressions"]["value"]["data"]["text/plain"])

    def drain(self) -> None:
        """Read whatever the kernel has shown since, as a page would."""
        with contextlib.suppress(Empty):
            while True:
                self._client.get_iopub_msg(timeout=0)

    def _reply(self, message: str) -> dict[str, Any]:
        while True:
            reply = self._client.get_shell_msg(timeout=ANSWER_SECONDS)
            if reply["parent_header"]["msg_id"] == message:
                return reply["content"]
