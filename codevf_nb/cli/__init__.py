"""``codevf-nb``: runs the quickstart in a terminal, the sandbox as a server, or a smoke test of every endpoint."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from codevf_nb.sandbox import add_arguments
from codevf_nb.sandbox import run as run_sandbox


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    parser = argparse.ArgumentParser(prog="codevf-nb", description="A human engineer one notebook cell away.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    demo = commands.add_parser(
        "demo", help="execute the quickstart notebook against a sandbox and print what comes of it"
    )
    demo.set_defaults(run=_run_demo)
    sandbox = commands.add_parser("sandbox", help="run a CodeVF API of your own on this machine")
    add_arguments(sandbox)
    sandbox.set_defaults(run=run_sandbox)
    smoke = commands.add_parser("smoke", help="walk every endpoint of what CODEVF_API_KEY and CODEVF_BASE_URL name")
    smoke.add_argument(
        "--live", action="store_true", help="do it with a live key too: it holds real credits for a moment"
    )
    smoke.set_defaults(run=_run_smoke)
    options = parser.parse_args(arguments)
    return int(options.run(options))


def _run_demo(_options: argparse.Namespace) -> int:
    from codevf_nb.cli import _demo

    return _demo.run(sys.stdout)


def _run_smoke(options: argparse.Namespace) -> int:
    from codevf_nb.cli import _smoke

    return _smoke.run(sys.stdout, live=options.live)


if __name__ == "__main__":
    sys.exit(main())
