"""How many requests the sandbox answers."""

import asyncio
import contextlib
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import requests

from codevf_nb.sdk import CodeVFClient
from tests.bench import pairs
from tests.bench.table import Row
from tests.bench.wire import TASK

CONNECTIONS = 50


def rows(*, small: bool) -> Iterator[Row]:
    """The same JSON, a task's, from the sandbox's process and from one that does nothing else."""
    times, each = (1, 4) if small else (5, 40)
    with pairs.sandbox(reviewer="none") as running:
        client = CodeVFClient(running.api_key, running.base_url)
        task = client.tasks.create(TASK["prompt"], 240, client.projects.create("bench").id)
        client.close()
        url, headers = f"{running.base_url}tasks/{task.id}", {"Authorization": f"Bearer {running.api_key}"}
        with bare(requests.get(url, headers=headers, timeout=60).text) as other:
            found = [[per_second(place, headers, each) for place in (url, other)] for _ in range(times + 1)][1:]
    ours, reference = (statistics.median(rates) for rates in zip(*found, strict=True))
    ratio = ours / reference
    what = f"sandbox: requests/s over {CONNECTIONS} connections"
    yield Row(what, ours, reference, "a bare tornado handler", "/s", ratio, "at least 0.5×", ratio >= 0.5)


@contextlib.contextmanager
def bare(answer: str) -> Iterator[str]:
    """A process that serves the bare handler; its address."""
    command = [sys.executable, "-m", "tests.bench.bare_server", answer]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}/"
        finally:
            process.terminate()


def per_second(url: str, headers: dict[str, str], each: int) -> float:
    """Requests answered in a second, when each connection sends so many, one after another."""
    return CONNECTIONS * each / asyncio.run(_seconds(url, headers, each))


async def _seconds(url: str, headers: dict[str, str], each: int) -> float:
    place = urlsplit(url)
    head = "".join(f"{name}: {value}\r\n" for name, value in {"Host": place.netloc, **headers}.items())
    request = f"GET {place.path} HTTP/1.1\r\n{head}\r\n".encode()
    streams = [await asyncio.open_connection(place.hostname, place.port) for _ in range(CONNECTIONS)]
    began = time.perf_counter()
    await asyncio.gather(*(_ask(reader, writer, request, each) for reader, writer in streams))
    took = time.perf_counter() - began
    for _, writer in streams:
        writer.close()
        await writer.wait_closed()
    return took


async def _ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes, times: int) -> None:
    for _ in range(times):
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        await reader.readexactly(int(head.lower().partition(b"content-length:")[2].split(maxsplit=1)[0]))
