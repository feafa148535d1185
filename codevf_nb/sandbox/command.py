"""The sandbox as a command: options in, one line out, served until it is told to end."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .errors import SandboxError
from .options import Options, rate


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the sandbox's options to a parser."""
    add = parser.add_argument
    add("--port", type=int, default=8765, help="port on 127.0.0.1; 0 takes a free one (default: %(default)s)")
    add("--api-key", default="cvf_test_sandbox", metavar="KEY", help="the key it knows (default: %(default)s)")
    add("--credits", type=float, default=100_000, help="credits of a new account (default: %(default)s)")
    add(
        "--reviewer",
        choices=("auto", "none"),
        default="auto",
        help="who answers; none: tasks wait (default: %(default)s)",
    )
    add(
        "--answer-after",
        type=float,
        metavar="SECONDS",
        help="time to the answer (default: 4; virtual clock: 25)",
    )
    add(
        "--rate-limit",
        metavar="PER_SECOND",
        help="requests of one key, or off (default: 1; virtual clock: off)",
    )
    add("--seed", type=int, default=0, help="makes ids, times and answers repeatable (default: %(default)s)")
    add(
        "--clock",
        choices=("real", "virtual"),
        default="real",
        help="virtual: time moves with the requests (default: %(default)s)",
    )
    add(
        "--fault",
        action="append",
        default=[],
        metavar="RULE",
        help="WHAT:WHICH:DO[=ARG], e.g. create:2:drop-after-commit",
    )
    add("--state", type=Path, metavar="FILE", help="keeps accounts and tasks over a restart")
    add(
        "--slow-outside-hours",
        action="store_true",
        help="answers take four times as long outside 8am-8pm in New York",
    )
    add("--idle-exit", type=float, metavar="SECONDS", help="end after this long without a request")
    add("--home", type=Path, help=argparse.SUPPRESS)  # the folder of a notebook's own sandbox, see process.py


def run(namespace: argparse.Namespace) -> int:
    """Serve until SIGTERM or SIGINT: status 0; status 1 and one line on stderr where it could not start."""
    try:
        if namespace.home is not None:
            from .resident import Resident

            return _serve(Resident.of(namespace.home))
        return _serve(_OnCommand(_options(namespace)))
    except SandboxError as error:
        print(f"codevf-nb sandbox: {error}", file=sys.stderr)  # noqa: T201 - this is a command
        return 1


def _options(namespace: argparse.Namespace) -> Options:
    chosen: dict[str, Any] = {
        name: getattr(namespace, name)
        for name in (
            "port",
            "api_key",
            "credits",
            "reviewer",
            "seed",
            "clock",
            "state",
            "slow_outside_hours",
            "idle_exit",
        )
    }
    if namespace.answer_after is not None:
        chosen["answer_after"] = namespace.answer_after
    if namespace.rate_limit is not None:
        chosen["rate_limit"] = rate(namespace.rate_limit)
    return Options(**chosen, faults=tuple(namespace.fault))


class Served:
    """What differs between a sandbox by hand and a notebook's own: where its memory lies, who is told."""

    options: Options

    def recall(self) -> dict[str, Any] | None:
        """The memory to begin with."""
        raise NotImplementedError

    def remember(self, memory: Callable[[], dict[str, Any]]) -> None:
        """Keep the memory."""
        raise NotImplementedError

    def ready(self, server: Any) -> None:
        """The port answers."""
        raise NotImplementedError

    def wanted(self) -> bool:
        """Whether to go on."""
        return True

    def ended(self) -> None:
        """The port is free again."""


class _OnCommand(Served):
    """Started by hand: one line on stdout, memory in `--state FILE` if asked."""

    def __init__(self, options: Options) -> None:
        self.options = options

    def recall(self) -> dict[str, Any] | None:
        from .state import read

        return read(self.options.state) if self.options.state else None

    def remember(self, memory: Callable[[], dict[str, Any]]) -> None:
        from .state import write_private

        if self.options.state:
            write_private(self.options.state, memory())

    def ready(self, server: Any) -> None:
        print(f"CodeVF sandbox ready at {server.base_url} with key {self.options.api_key}", flush=True)  # noqa: T201


def _serve(served: Served) -> int:
    from .server import Server
    from .state import dump, load

    memory = served.recall()
    server = Server(served.options, load(served.options, memory) if memory else None)
    changed = False

    def note() -> None:
        nonlocal changed
        changed = True

    def housekeeping() -> bool:
        nonlocal changed
        idle = (
            served.options.idle_exit is not None and time.monotonic() - server.last_request > served.options.idle_exit
        )
        wanted = served.wanted()
        if changed and wanted:
            changed = False
            served.remember(lambda: dump(server.engine))
        return wanted and not idle

    async def main() -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            if os.name == "posix":
                loop.add_signal_handler(number, server.request_stop)
            else:
                signal.signal(number, lambda *_: server.request_stop())
        await server.run(lambda: served.ready(server))

    server.engine.on_change = note
    server.housekeeping = housekeeping
    try:
        asyncio.run(main())
    finally:
        if server.port and served.wanted():
            served.remember(lambda: dump(server.engine))
        served.ended()
    return 0
