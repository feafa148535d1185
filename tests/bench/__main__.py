"""``python -m tests.bench [--small] [NAME …]``: measure, and print the table. The status is 0, met or missed."""

import argparse
import importlib
import time
from collections.abc import Iterator, Sequence

from tests.bench.pairs import own_home
from tests.bench.table import COLUMNS, Row, line

NAMES = (
    "loading",
    "wire",
    "cell",
    "attaching",
    "frames",
    "ledger",
    "watching",
    "limiting",
    "sandbox",
    "views",
    "memory",
)
# Measured only where they are named: they need what only their own target installs.
ON_REQUEST = ("engines",)


def measured(names: Sequence[str] = NAMES, *, small: bool = False) -> Iterator[Row]:
    """Measure pair after pair, each group of them in a home of its own; a row as soon as it is there."""
    for name in names:
        with own_home():
            yield from importlib.import_module(f"tests.bench.{name}").rows(small=small)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table, and at its end what was missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"what to measure: {', '.join(NAMES)} (default: all), or engines"
    )
    parser.add_argument("--small", action="store_true", help="little of everything, to see that it works")
    chosen = parser.parse_args(arguments)
    if unknown := set(chosen.names) - {*NAMES, *ON_REQUEST}:
        parser.error(f"there is no {', '.join(sorted(unknown))}")
    began = time.monotonic()
    print(line(*COLUMNS), flush=True)
    rows = []
    for row in measured(chosen.names or NAMES, small=chosen.small):
        print(row, flush=True)
        rows.append(row)
    met, missed = (sum(row.met is which for row in rows) for which in (True, False))
    print(f"{met} met, {missed} missed, in {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
