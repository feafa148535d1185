"""An attachment from a large frame."""

import tracemalloc
from collections.abc import Iterator

import numpy as np
import pandas as pd

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
