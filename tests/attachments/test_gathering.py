"""What goes along with a question."""

import io

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codevf_nb.attachments import Attachment, AttachmentError, gather


def by_name(parts) -> dict[str, Attachment]:
    return {part.file_name: part for part in parts}


def test_a_frame_goes_as_csv_with_a_profile():
    """The engineer gets the rows, and shape, types and nulls beside them."""
    orders = pd.DataFrame({"id": [1, 2, 3], "total": [1.5, None, 2.5], "city": ["Köln", "a,b", None]})
    parts = by_name(gather("print(1)", {"orders": orders}))
    assert list(parts) == ["cell.py", "orders.csv", "profile.md"]
    back = pd.read_csv(io.BytesIO(parts["orders.csv"].content))
    assert back["city"].tolist()[:2] == ["Köln", "a,b"]
    profile = parts["profile.md"].content.decode()
    assert "all 3 rows, 3 columns" in profile
    assert "| total | float64 | 1 |" in profile


@settings(deadline=None, max_examples=30)
@given(rows=st.integers(0, 5000), max_bytes=st.integers(200, 20_000))
def test_a_frame_keeps_to_its_budget_and_says_what_is_missing(rows, max_bytes):
    """Whatever the size, the CSV fits, and profile and record tell how many of how many rows it holds."""
    frame = pd.DataFrame({"number": range(rows), "text": ["x" * (i % 40) for i in range(rows)]})
    parts = by_name(gather(None, {"frame": frame}, max_bytes=max_bytes))
    table = parts["frame.csv"]
    sent = len(pd.read_csv(io.BytesIO(table.content)))
    assert len(table.content) <= max_bytes
    assert table.rows == (sent, rows)
    assert table.record()["rows"] == [sent, rows]
    if sent < rows:
        assert f"{sent:,} of {rows:,} rows" in parts["profile.md"].content.decode()


def test_a_sample_is_even_and_always_the_same():
    """The sample is spread over the whole frame, and is the same one each time."""
    frame = pd.DataFrame({"number": range(100_000)})
    first = gather(None, {"frame": frame}, max_bytes=10_000)[0]
    assert first == gather(None, {"frame": frame}, max_bytes=10_000)[0]
    gaps = pd.read_csv(io.BytesIO(first.content))["number"].diff().dropna()
    assert gaps.between(1, 2 * 100_000 / len(gaps)).all()


def test_an_index_that_means_something_is_kept():
    """A default index is left out, a named or labelled one is sent."""
    plain = pd.DataFrame({"a": [1]})
    assert gather(None, {"t": plain})[0].content == b"a\n1\n"
    assert gather(None, {"t": plain.set_axis(["x"])})[0].content == b"index,a\nx,1\n"


def test_a_series_goes_as_a_table_of_one_column():
    """A Series is attached under its own name."""
    assert gather(None, {"s": pd.Series([1, 2], name="total")})[0].content == b"total\n1\n2\n"


def test_files_go_as_they_are(tmp_path):
    """A file's bytes are sent unchanged, under its own name."""
    path = tmp_path / "app.log"
    path.write_bytes(b"\xff\x00log")
    (part,) = gather(None, {}, [path])
    assert (part.file_name, part.content) == ("app.log", b"\xff\x00log")


def test_what_cannot_be_attached_is_told(tmp_path):
    """A folder, a missing file and a row larger than the budget are each named."""
    with pytest.raises(AttachmentError, match="is a folder"):
        gather(None, {}, [tmp_path])
    with pytest.raises(AttachmentError, match="does not exist"):
        gather(None, {}, [tmp_path / "no.log"])
    with pytest.raises(AttachmentError, match="one row of wide alone"):
        gather(None, {"wide": pd.DataFrame({"a": ["x" * 5000]})}, max_bytes=1000)
