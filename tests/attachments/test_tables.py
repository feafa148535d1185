"""Tables of every library and shape, as CSV that pandas reads again."""

import io
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codevf_nb.attachments import AttachmentError, gather


def sent(value, **options) -> pd.DataFrame:
    """Return what an engineer reads of a table that is attached as `t`."""
    (table,) = [part for part in gather(None, {"t": value}, **options) if part.file_name == "t.csv"]
    return pd.read_csv(io.BytesIO(table.content))


def profile(value) -> str:
    (part,) = [part for part in gather(None, {"t": value}) if part.file_name == "profile.md"]
    return part.content.decode()


@pytest.mark.parametrize(
    "table",
    [
        pd.DataFrame({"a": [1, 2], "b": ["x", "y"]}),
        pl.DataFrame({"a": [1, 2], "b": ["x", "y"]}),
        pa.table({"a": [1, 2], "b": ["x", "y"]}),
        pa.RecordBatch.from_pydict({"a": [1, 2], "b": ["x", "y"]}),
        np.array([(1, "x"), (2, "y")], dtype=[("a", "i8"), ("b", "U1")]),
    ],
    ids=["pandas", "polars", "arrow", "batch", "numpy"],
)
def test_tables_of_every_library_come_through(table):
    """Whatever made it, the engineer reads the same rows."""
    assert sent(table).to_dict("list") == {"a": [1, 2], "b": ["x", "y"]}


@pytest.mark.parametrize(
    "values", [pd.Series([1, 2]), pl.Series([1, 2]), pa.array([1, 2]), pa.chunked_array([[1], [2]]), np.array([1, 2])]
)
def test_one_column_alone_comes_through(values):
    """Series and arrays go as a table of one column."""
    assert sent(values).iloc[:, 0].tolist() == [1, 2]


def test_a_multiindex_becomes_columns():
    """Levels go as columns under their names; a level without one gets one."""
    index = pd.MultiIndex.from_tuples([("x", 1), ("y", 2)], names=["k", None])
    assert sent(pd.DataFrame({"a": [1, 2]}, index=index)).columns.tolist() == ["k", "level_1", "a"]


def test_odd_column_names_come_through():
    """Repeated names, numbers, None and levels of names become a header of unique texts, and the profile says so."""
    assert sent(pd.DataFrame([[1, 2, 3]], columns=["a", "a", "a.1"])).iloc[0].to_dict() == {"a": 1, "a.2": 2, "a.1": 3}
    assert "names made unique: a → a.2" in profile(pd.DataFrame([[1, 2, 3]], columns=["a", "a", "a.1"]))
    assert sent(pd.DataFrame([[1, 2]], columns=pd.Index([1, None], dtype=object))).columns.tolist() == ["1", "column_1"]
    levels = pd.MultiIndex.from_tuples([("p", "q"), ("p", "")])
    assert sent(pd.DataFrame([[1, 2]], columns=levels)).columns.tolist() == ["p / q", "p"]


def test_odd_types_come_through():
    """Time zones, categories, nullable numbers, nested values and carriage returns survive as text that reads back."""
    frame = pd.DataFrame(
        {
            "when": pd.date_range("2024", periods=2, tz="Europe/Berlin"),
            "kind": pd.Categorical(["a", None]),
            "count": pd.array([1, None], dtype="Int64"),
            "nested": [{"a": 1}, [1, 2]],
            "text": ["x\ry", 'q"\n,'],
        }
    )
    back = sent(frame)
    assert pd.to_datetime(back["when"]).tolist() == frame["when"].tolist()
    assert back["kind"].isna().tolist() == [False, True]
    assert back["count"].iloc[0] == 1
    assert back["nested"].tolist() == ['{"a": 1}', "[1, 2]"]
    assert back["text"].tolist() == ["x\ry", 'q"\n,']
    assert "| kind | category of 1 | 1 |" in profile(frame)


def test_empty_and_wide_tables_come_through():
    """No rows, no columns, and two thousand columns are tables too."""
    assert sent(pd.DataFrame({"a": []})).columns.tolist() == ["a"]
    assert sent(pd.DataFrame()).shape[0] == 0
    assert len(sent(pd.DataFrame(index=range(3)))) == 3
    assert sent(np.zeros((0, 3))).shape == (0, 3)
    assert sent(np.zeros((3, 0))).shape[0] == 3
    assert sent(pl.DataFrame()).shape[0] == 0
    wide = sent(pd.DataFrame(np.zeros((50, 2000))), max_bytes=100_000)
    assert wide.shape[1] == 1 + 2000  # the index comes first in a sample
    assert 0 < len(wide) < 50


def test_a_frame_made_column_by_column_is_sampled_without_a_warning():
    """Pandas warns of frames with hundreds of blocks, which is the user's affair and not the engineer's."""
    frame = pd.DataFrame({"first": range(2000)})
    with warnings.catch_warnings(action="ignore"):  # the user's own
        for number in range(150):
            frame.insert(len(frame.columns), f"c{number}", frame["first"] * number)
    for table in (frame, pl.from_pandas(frame), pa.Table.from_pandas(frame)):
        (part, _profile) = gather(None, {"wide": table}, [], 50_000)
        assert part.rows[0] < 2000


def test_an_array_of_many_axes_keeps_its_places():
    """A row for each place along all axes but the last, numbered; the shape of the whole is in the profile."""
    array = np.arange(24).reshape(2, 3, 4)
    assert sent(array).loc[5].tolist() == [1, 2, 20, 21, 22, 23]
    assert "shape (2, 3, 4), int64" in profile(array)


def test_a_lazy_frame_inside_another_value_is_told_how():
    """Only by itself is it sampled; inside a dict nothing is computed behind one's back."""
    with pytest.raises(AttachmentError, match=r"attach a value in t\.collect\(\)"):
        gather(None, {"t": {"inner": pl.DataFrame({"a": [1]}).lazy()}})


CELLS = st.one_of(
    st.none(), st.integers(), st.floats(), st.text(max_size=8), st.lists(st.integers(), max_size=2), st.booleans()
)


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_any_frame_reads_back_with_its_shape(data):
    """Whatever stands in it, under whatever names, pandas reads as many rows and columns as are told."""
    names = data.draw(st.lists(st.one_of(st.text(max_size=4), st.integers(), st.none()), min_size=1, max_size=4))
    rows = data.draw(st.lists(st.lists(CELLS, min_size=len(names), max_size=len(names)), max_size=5))
    frame = pd.DataFrame(rows, columns=names, dtype=object)
    (table, _) = gather(None, {"t": frame})
    back = pd.read_csv(io.BytesIO(table.content), keep_default_na=False, dtype=str)
    assert back.shape == frame.shape
    assert table.rows == (len(frame), len(frame))
