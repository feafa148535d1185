"""An attachment from a large frame."""

import io
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
from pyarrow import csv

from codevf_nb import attachments
from tests.bench.pairs import timed
from tests.bench.table import Row

MEGABYTE = 1e6
MOST_MEGABYTES = 64


def rows(*, small: bool) -> Iterator[Row]:
    """The frame against a tenth of it written as CSV; memory by tracemalloc."""
    frame = frame_of(100_000 if small else 10_000_000)
    tenth = frame.head(len(frame) // 10)
    ours = min(timed(lambda: gathered(frame)) for _ in range(2 if small else 5)) * 1000
    whole = 10_000 * timed(tenth.to_csv)
    what = f"attachment from {len(frame):,} rows × 8 columns"
    yield Row(what, ours, whole, "to_csv of a tenth, times ten", "ms", whole / ours, "at least 30×", whole / ours >= 30)
    more, all_of_it = extra_megabytes(frame), frame.memory_usage().sum() / MEGABYTE
    met = more <= MOST_MEGABYTES
    yield Row(
        "… extra memory (tracemalloc)", more, all_of_it, "the frame", "MB", more / all_of_it, "at most 64 MB", met
    )
    wide = pd.DataFrame(np.zeros((1, 1000 if small else 100_000)))
    seconds = timed(lambda: attachments.gather(None, {"wide": wide}, max_bytes=10_000_000))
    what = f"attachment from 1 row × {wide.shape[1]:,} columns"
    yield Row(what, 1000 * seconds, 5000.0, "5 s", "ms", seconds / 5, "at most 5 s", seconds <= 5)
    yield from mixed_rows(1000 if small else 100_000)


def mixed_rows(columns: int) -> Iterator[Row]:
    """A table of many mixed columns in three libraries, against the CSV that the library itself writes of a tenth."""
    frame = mixed(columns)
    for library, convert, own_csv in LIBRARIES:
        table, tenth = convert(frame), convert(frame.iloc[:, : columns // 10])
        ours = Kept(lambda table=table: wide_csv(table))
        theirs = Kept(lambda tenth=tenth, own_csv=own_csv: own_csv(tenth))
        seconds, own = timed(ours), 10 * timed(theirs)
        for content, width in ((ours.result, columns), (theirs.result, columns // 10)):
            lines = content.splitlines()
            assert [lines[0].count(b",") + 1, len(lines) - 1] == [width, len(frame)]  # all of it was written
        what = f"attachment from {len(frame)} rows × {columns:,} columns of {library}"
        against = "its own CSV of a tenth, times ten"
        yield Row(what, 1000 * seconds, 1000 * own, against, "ms", seconds / own, "at most 5 s", seconds <= 5)


class Kept:
    """A job that keeps what it returned."""

    def __init__(self, job: Callable[[], bytes]) -> None:
        self._job = job
        self.result = b""

    def __call__(self) -> None:
        self.result = self._job()


def wide_csv(table: object) -> bytes:
    return attachments.gather(None, {"wide": table}, max_bytes=50_000_000)[0].content


def arrow_csv(table: pa.Table) -> bytes:
    written = io.BytesIO()
    csv.write_csv(table, written)
    return written.getvalue()


LIBRARIES: tuple[tuple[str, Callable[[pd.DataFrame], Any], Callable[[Any], bytes]], ...] = (
    ("pandas", lambda frame: frame, lambda frame: frame.to_csv(index=False).encode()),
    ("polars", pl.from_pandas, lambda frame: frame.write_csv().encode()),
    ("Arrow", pa.Table.from_pandas, arrow_csv),
)


def mixed(columns: int, rows: int = 50) -> pd.DataFrame:
    """Whole numbers, floats, texts, moments and truth values in turn; floats, texts and moments have nulls."""
    days = pd.date_range("2026-01-01", periods=rows).to_series(index=range(rows))
    texts = pd.Series([f"t{row}" for row in range(rows)])
    gaps = [np.arange(rows) % prime == 0 for prime in (5, 7, 9)]
    kinds = [
        lambda number: np.arange(rows) + number,
        lambda number: np.where(gaps[0], np.nan, (np.arange(rows) + number) / 8),
        lambda number: texts.where(~gaps[1]),
        lambda number: days.where(~gaps[2]),
        lambda number: (np.arange(rows) + number) % 3 == 0,
    ]
    return pd.DataFrame({f"c{number}": kinds[number % 5](number % 97) for number in range(columns)})


def frame_of(length: int) -> pd.DataFrame:
    """Eight columns of the kinds that tables of orders have."""
    chance = np.random.default_rng(7)
    regions = pd.Categorical.from_codes(chance.integers(0, 4, length), ["north", "east", "south", "west"])
    return pd.DataFrame(
        {
            "order_id": np.arange(length),
            "customer_id": chance.integers(0, length, length),
            "quantity": chance.integers(1, 100, length, dtype="int32"),
            "price": chance.random(length).round(2),
            "discount": chance.random(length),
            "at": pd.Timestamp("2026-01-01") + pd.to_timedelta(chance.integers(0, 10**7, length), unit="s"),
            "region": regions,
            "city": pd.Series(regions).astype("str"),
        }
    )


def gathered(frame: pd.DataFrame) -> None:
    attachments.gather(None, {"orders": frame})


def extra_megabytes(frame: pd.DataFrame) -> float:
    """What Python and numpy hold at most at one moment while the attachment is made."""
    tracemalloc.start()
    try:
        gathered(frame)
        return tracemalloc.get_traced_memory()[1] / MEGABYTE
    finally:
        tracemalloc.stop()
