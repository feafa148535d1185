"""The command line of the sandbox: its options, and the process that serves until a signal."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from codevf_nb.sandbox._errors import SandboxError
from codevf_nb.sandbox._hosting import Host, serve
from codevf_nb.sandbox.options import Options, rate

if TYPE_CHECKING:
    from codevf_nb.sandbox._server import Server


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the sandbox's options to a parser."""
    add = parser.add_argument
    add("--port", type=int, default=8765, help="port on 127.0.0.1; 0 takes a free one (default: %(default)s)")
    add(
        "--api-key", default="cvf_test_sandbox", metavar="KEY", help="the API key of the sandbox (default: %(default)s)"
    )
    add("--credits", type=float, default=100_000, help="credits of a new account (default: %(default)s)")
    add(
        "--reviewer",
        choices=("auto", "none"),
        default="auto",
        help="none: tasks wait for an answer by hand (default: %(default)s)",
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
    add("--idle-exit", type=float, metavar="SECONDS", help="stop after this time without a request")
    add("--home", type=Path, help=argparse.SUPPRESS)  # the folder of a notebook's own sandbox, see process.py


def run(namespace: argparse.Namespace) -> int:
    """Serve until SIGTERM or SIGINT, and return 0. Print an error and return 1 if the sandbox can't start."""
    try:
        if namespace.home is not None:
            from codevf_nb.sandbox._home_host import HomeHost

            return serve(HomeHost.of(namespace.home))
        return serve(_OnCommand(_options(namespace)))
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


class _OnCommand(Host):
    """The process in a terminal: one line on stdout, and the state in `--state FILE` if this option is given."""

    def __init__(self, options: Options) -> None:
        self.options = options

    def load_memory(self) -> dict[str, Any] | None:
        from codevf_nb.sandbox._state import read

        return read(self.options.state) if self.options.state else None

    def save_memory(self, memory: Callable[[], dict[str, Any]]) -> None:
        from codevf_nb.sandbox._state import write_private

        if self.options.state:
            write_private(self.options.state, memory())

    def on_ready(self, server: Server) -> None:
        print(f"CodeVF sandbox ready at {server.base_url} with key {self.options.api_key}", flush=True)  # noqa: T201
