"""What a kernel holds after a day of watching."""

import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
import requests

from codevf_nb.sandbox import process
from tests.bench.pairs import Kernel, own_home, sandbox
from tests.bench.table import Row, at_most

MEGABYTE = 1e6
MOST_MEGABYTES = 30
# A poll moves the sandbox's clock by 11 s; between two looks at it so much passes besides, or a day takes minutes.
AHEAD_SECONDS = 100
# Where there is one, the home lies on a file system in memory: a day of polls waits for no disk.
SCRATCH = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - a folder of its own is made in it


def rows(*, small: bool) -> Iterator[Row]:
    """Resident memory (RSS) of one kernel, before the extension is loaded and later; real polls, virtual time."""
    tasks, hours = (5, (0.1, 0.3)) if small else (100, (1, 24))
    with own_home(SCRATCH), sandbox(clock="virtual", reviewer="none") as running, Kernel() as kernel:
        before = resident(kernel)
        kernel.run("%load_ext codevf_nb\nimport codevf_nb\ncodevf_nb.use_sandbox()")
        for number in range(tasks):
            kernel.run(f"%%codevf Is this join dropping rows? Number {number}.\norders.merge(customers)")
        began = virtual_time(running)
        first, last = (held_at(kernel, running, began + timedelta(hours=passed)) for passed in hours)
    what = f"kernel with the extension, {tasks} tasks watched for {hours[1]:g} virtual hours (RSS)"
    more = last - before
    goal = f"at most {MOST_MEGABYTES} MB more: {more:.1f}"
    yield Row(what, last, before, "the same kernel before", "MB", last / before, goal, more <= MOST_MEGABYTES)
    yield at_most(1.01, "… flat after the first hour", last, first, f"after {hours[0]:g} h", "MB")


def held_at(kernel: Kernel, running: process.Running, then: datetime) -> float:
    """The kernel's memory once that much virtual time has passed."""
    while virtual_time(running) < then:
        control(running, "POST", "advance", seconds=AHEAD_SECONDS)
        kernel.drain()
        time.sleep(0.1)  # in which the kernel polls
    return resident(kernel)


def virtual_time(running: process.Running) -> datetime:
    return datetime.fromisoformat(control(running, "GET", "state")["now"])


def control(running: process.Running, method: str, what: str, **body: object) -> dict[str, Any]:
    """Drive the sandbox by its own routes."""
    url = f"{running.base_url.removesuffix('/api/v1/')}/_sandbox/{what}"
    headers = {"Authorization": f"Bearer {running.api_key}"}
    return requests.request(method, url, json=body, headers=headers, timeout=60).json()


def resident(kernel: Kernel) -> float:
    pid = kernel.run("import gc, os\ngc.collect()", "os.getpid()")
    return psutil.Process(pid).memory_info().rss / MEGABYTE
