"""Every row of the table of attachable types does what it says: it is read, drawn from by an engine, or refused."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from codevf_nb.attachments import AttachmentError, _engines, gather
from codevf_nb.attachments.registry import TYPES, type_of
from tests.attachments import oracle

# A value of each type that is read as it is; a new row needs one here.
EXAMPLES = {
    ("pandas", "DataFrame"): pd.DataFrame({"t": [1, 2]}),
    ("pandas", "Series"): pd.Series([1, 2], name="t"),
    ("pandas", "Index"): pd.Index([1, 2]),
    ("pandas", "ExtensionArray"): pd.array([1, 2], dtype="Int64"),
    ("polars", "DataFrame"): pl.DataFrame({"t": [1, 2]}),
    ("polars", "Series"): pl.Series("t", [1, 2]),
    ("pyarrow", "Table"): pa.table({"t": [1, 2]}),
    ("pyarrow", "RecordBatch"): pa.RecordBatch.from_pydict({"t": [1, 2]}),
    ("pyarrow", "ChunkedArray"): pa.chunked_array([[1], [2]]),
    ("pyarrow", "Array"): pa.array([1, 2]),
    ("numpy", "ndarray"): np.array([1, 2]),
}


def of(row):
    """Return a value of a row's type: a real one where it is read, else one of a class with that name."""
    if row.read:
        return EXAMPLES[row.library, row.name]
    return type(row.name, (), {"__module__": f"{row.library}.inside"})()


@pytest.mark.parametrize("row", TYPES, ids=lambda row: f"{row.library}.{row.name}")
def test_every_type_has_its_consumer(row):
    """And no row before it takes its values."""
    value = of(row)
    assert type_of(value) is row
    if row.read:
        parts = {part.file_name: part.content.decode() for part in gather(None, {"t": value})}
        assert [line[-1] for line in oracle.read_csv(parts["t.csv"])[1:]] == ["1", "2"]
    elif row.engine:
        missing = [
            name
            for name in ("empty", "drawn", "matching", "present")
            if not callable(getattr(getattr(_engines, row.engine), name, None))
        ]
        assert not missing
        with pytest.raises(AttachmentError) as refused:  # inside another value it is refused, with the way out
            gather(None, {"t": {"inner": value}})
        assert row.conversion.format("a value in t") in str(refused.value)
    else:
        with pytest.raises(AttachmentError) as refused:
            gather(None, {"t": value})
        assert row.conversion
        assert row.conversion.format("t") in str(refused.value)
