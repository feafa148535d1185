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


def test_positions_are_small():
    """Ten thousand rows of fifty thousand take a few kilobytes."""
    (part, _) = gather(None, {"t": pd.DataFrame({"v": range(5_000_000)})})
    assert len(json.dumps(part.record())) < len(part.content) / 10
