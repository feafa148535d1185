"""A table that lives in an engine, attached, against the engine's own sample of it; each in a process of its own."""

import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil

from codevf_nb import attachments
from tests.bench.table import Row, at_most

MEGABYTE = 1e6
MOST_MEGABYTES = 200
# As many rows as are drawn for an attachment.
DRAWN = 20_000
SAMPLE = "SELECT * FROM t USING SAMPLE reservoir(20000 ROWS) REPEATABLE (1)"
TRIPS = """
    SELECT i AS trip, i % 1000003 AS customer, (i % 9973) / 7.0 AS price, 'city ' || i % 50 AS city FROM range(?) t(i)
"""
ENGINES = ("polars", "duckdb")


def rows(*, small: bool) -> Iterator[Row]:
    """How long a draw takes, and what the process holds on top of the engine, opened and warm."""
    count = 100_000 if small else 100_000_000
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trips.parquet"
        write(path, count)
        for engine in ENGINES:
            ours, more = in_process(engine, "attached", path, count)
            own, _ = in_process(engine, "sampled", path, count)
            what = f"attachment from {count:,} rows in {engine}"
            yield at_most(2, what, 1000 * ours, 1000 * own, f"{engine}'s own sample")
            met = more <= MOST_MEGABYTES
            goal = f"at most {MOST_MEGABYTES} MB on top"
            yield Row("… extra memory (RSS)", max(more, 0.1), MOST_MEGABYTES, "200 MB", "MB", more / 200, goal, met)


def write(path: Path, count: int) -> None:
    """Write so many trips: a number, a customer, a price and a city each."""
    import duckdb

    duckdb.sql(TRIPS, params=[count]).write_parquet(str(path))


def in_process(engine: str, what: str, path: Path, count: int) -> tuple[float, float]:
    """Return how many seconds it takes in a new process, and how many megabytes on top."""
    command = [sys.executable, "-m", "tests.bench.engines", engine, what, str(path), str(count)]
    seconds, megabytes = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return float(seconds), float(megabytes)


def _opened(engine: str, path: str) -> Any:
    if engine == "polars":
        import polars as pl

        return pl.scan_parquet(path)
    import duckdb

    return duckdb.read_parquet(path)


def _sampled(engine: str, table: Any, count: int) -> Any:
    if engine == "polars":
        import polars as pl

        drawn = pl.col("row").hash(1) < (2**64 - 1) // count * min(DRAWN, count)
        return table.with_row_index("row").filter(drawn).collect(engine="streaming")
    return table.query("t", SAMPLE).to_arrow_table()


def _measured(job: Callable[[], object]) -> tuple[float, float]:
    resident = psutil.Process().memory_info
    before, seen, over = resident().rss, [0], threading.Event()

    def watch() -> None:
        while not over.wait(0.02):
            seen.append(resident().rss)

    watcher = threading.Thread(target=watch)
    watcher.start()
    began = time.perf_counter()
    job()
    seconds = time.perf_counter() - began
    over.set()
    watcher.join()
    return seconds, (max(seen) - before) / MEGABYTE


def main(engine: str, what: str, path: str, count: str) -> None:
    """Warm up on a small table of the engine, then measure."""
    small = Path(path).with_name(f"small {engine}.parquet")
    write(small, 1000)
    attachments.gather(None, {"trips": _opened(engine, str(small))})
    table = _opened(engine, path)
    jobs: dict[str, Callable[[], object]] = {
        "attached": lambda: attachments.gather(None, {"trips": table}),
        "sampled": lambda: _sampled(engine, table, int(count)),
    }
    print(*_measured(jobs[what]))


if __name__ == "__main__":
    main(*sys.argv[1:])
