"""Which rows of a table were sent stays known."""

import io
import json

import numpy as np
import pandas as pd
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from codevf_nb.attachments import gather
from codevf_nb.attachments.row_positions import packed, shown, unpacked


@given(st.lists(st.integers(0, 2**40), unique=True).map(sorted))
def test_positions_come_back(positions):
    """Whatever the gaps are."""
    assert unpacked(packed(positions)).tolist() == positions


@settings(deadline=None, max_examples=15)
@given(st.integers(1, 5000), st.integers(300, 5000), st.integers(1, 8))
def test_the_record_of_a_sample_has_its_rows(rows, budget, tables):
    """Also where small tables share one file; JSON keeps it, in less than a tenth of what the sample takes."""
    named = {f"t{number}": pl.DataFrame({"v": np.arange(rows) * 3}) for number in range(tables)}
    for part in gather("x = 1", named, max_bytes=budget * tables):
        record = shown(json.loads(json.dumps(part.record())))
        if part.rows and part.rows[0] < part.rows[1]:
            positions = record["positions"][part.file_name]
            back = pd.read_csv(io.BytesIO(part.content))
            assert back["row"].tolist() == positions.tolist()
            assert back["v"].tolist() == (positions * 3).tolist()
        elif part.holds and "of" in part.holds[0]:
            assert all(name.endswith(".csv") for name in record.get("positions", {}))


IN_MEMORY = {
    "pandas": pd.DataFrame,
    "pandas with an index": lambda data: pd.DataFrame(data).set_index(pd.Index([f"r{n}" for n in data["v"]], name="r")),
    "pandas with two levels": lambda data: pd.DataFrame(data).set_index(
        pd.MultiIndex.from_arrays([[f"r{n}" for n in data["v"]], data["v"]], names=["r", None])
    ),
    "polars": pl.DataFrame,
    "polars lazy": pl.LazyFrame,
}


@settings(deadline=None, max_examples=25)
@given(
    kind=st.sampled_from([*IN_MEMORY]),
    rows=st.integers(500, 6000),
    keys=st.integers(200, 3000),
    is_first=st.booleans(),
)
def test_rows_that_are_drawn_by_the_keys_of_a_lazy_table_are_known(kind, rows, keys, is_first):
    """The partner of a lazy table, in memory or in an engine with an order, says which of its rows were sent."""
    numbers = np.arange(rows)
    lazy = pl.LazyFrame({"customer_id": np.arange(60_000) % keys, "w": np.arange(60_000)})
    partner = IN_MEMORY[kind]({"v": numbers * 3, "customer_id": (numbers * 7) % (keys + 50)})
    named = {"left": lazy, "right": partner} if is_first else {"right": partner, "left": lazy}
    (part,) = (part for part in gather("x = 1", named, max_bytes=6000) if part.file_name == "right.csv")
    back = pd.read_csv(io.BytesIO(part.content))
    if len(back) == rows:
        return
    (positions,) = shown(json.loads(json.dumps(part.record())))["positions"].values()
    assert back["v"].tolist() == (positions * 3).tolist()
    assert back["customer_id"].tolist() == ((positions * 7) % (keys + 50)).tolist()
    labels = [f"r{number * 3}" for number in positions] if "with" in kind else positions.tolist()
    assert back.iloc[:, 0].tolist() == labels


def test_positions_are_small():
    """Ten thousand rows of fifty thousand take a few kilobytes."""
    (part, _) = gather(None, {"t": pd.DataFrame({"v": range(5_000_000)})})
    assert len(json.dumps(part.record())) < len(part.content) / 10
