"""Intervals, periods, complex numbers, bytes, odd headers, MultiIndexes: sent, they read back as what the user has."""

import ast
import itertools

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.attachments import oracle
from tests.support.tables import FLOATS, INTS, TEXTS, optional, sent

WHOLE = st.floats(allow_nan=False)
COMPLEX = st.builds(complex, WHOLE, WHOLE)
BYTES = st.one_of(st.sampled_from([b"", b"\xff", b"a,b", b'"', b"\n", b"'", b"\\x00"]), st.binary(max_size=6))


def rows_of(series: pd.Series) -> list[str | None]:
    """Return the cells of a column, which is sent beside another one."""
    rows, _, _ = sent(pd.DataFrame({"x": series.array, "row": range(len(series))}))
    return [row[0] for row in rows[1:]]


@settings(deadline=None, max_examples=30)
@given(st.lists(COMPLEX, min_size=1, max_size=6), st.booleans())
def test_complex_numbers_are_sent_to_their_last_digit(values, as_objects):
    """Both parts, with the sign of a zero; as numpy's type and as objects."""
    cells = rows_of(pd.Series(values, dtype=object if as_objects else "complex128"))
    for cell, value in zip(cells, values, strict=True):
        found = complex(cell)
        assert [found.real, found.imag] == [value.real, value.imag]
        assert np.array_equal(np.signbit([found.real, found.imag]), np.signbit([value.real, value.imag]))


@settings(deadline=None, max_examples=30)
@given(optional(BYTES))
def test_bytes_are_sent_as_python_writes_them(values):
    """Of pandas, polars and Arrow alike: no byte is lost, and no bytes are a null."""
    columns = {"x": values, "row": range(len(values))}
    for table in (
        pd.DataFrame({"x": pd.Series(values, dtype=object), "row": range(len(values))}),
        pl.DataFrame(columns, schema={"x": pl.Binary, "row": pl.Int64}),
        pa.table({"x": pa.array(values, pa.binary()), "row": pa.array(range(len(values)))}),
    ):
        rows, _, _ = sent(table)
        assert [None if row[0] is None else ast.literal_eval(row[0]) for row in rows[1:]] == values


@settings(deadline=None, max_examples=30)
@given(
    st.lists(st.one_of(INTS, st.floats(-1e9, 1e9)), min_size=2, max_size=6, unique=True),
    st.sampled_from(["left", "right", "both", "neither"]),
    st.booleans(),
)
def test_intervals_keep_both_ends_and_which_are_closed(numbers, closed, gap):
    """The ends as exactly as Python writes them."""
    integers = all(isinstance(number, int) for number in numbers)
    ends = sorted(numbers) if integers else sorted(float(number) for number in numbers)
    intervals = [pd.Interval(low, high, closed) for low, high in itertools.pairwise(ends)]
    series = pd.Series(pd.arrays.IntervalArray([*intervals, *([None] if gap else [])], closed=closed))
    cells = rows_of(series)
    assert cells[len(intervals) :] == ([None] if gap else [])
    for cell, interval in zip(cells, series.tolist(), strict=False):
        if cell is not None:
            low, high = (float(part) if "." in part or "e" in part else int(part) for part in cell[1:-1].split(", "))
            assert (low, high) == (interval.left, interval.right)
            assert (cell[0] == "[", cell[-1] == "]") == (closed in ("left", "both"), closed in ("right", "both"))


@settings(deadline=None, max_examples=30)
@given(optional(st.integers(-900, 3000)), st.sampled_from(["Y", "Q", "M", "W", "D", "h", "min", "s"]))
def test_periods_read_back(ordinals, freq):
    """By their text and the frequency that the dtype names."""
    periods = [pd.NaT if number is None else pd.Period(ordinal=number, freq=freq) for number in ordinals]
    series = pd.Series(pd.PeriodIndex(periods, freq=freq))
    for cell, value in zip(rows_of(series), series, strict=True):
        assert (cell is None) == (value is pd.NaT)
        if cell is not None:
            assert pd.Period(cell.split("/")[0], freq=freq) == value


LABELS = st.one_of(
    TEXTS,
    st.integers(-5, 5),
    st.floats(-2, 2),
    st.none(),
    st.booleans(),
    st.tuples(st.integers(0, 2), TEXTS),
    st.dates(),
)


@settings(deadline=None, max_examples=30)
@given(st.lists(LABELS, min_size=1, max_size=6))
def test_any_header_is_unique_and_keeps_its_columns(labels):
    """Whatever labels are, each column has one name, which the profile has too, over the column's own cells."""
    index = pd.Index(labels, dtype=object, tupleize_cols=False)
    frame = pd.DataFrame([list(range(len(labels)))], columns=index)
    rows, described, _ = sent(frame)
    assert len(set(rows[0])) == len(labels)
    assert None not in rows[0]
    assert "" not in rows[0]
    assert len(described) == len(labels)
    assert rows[1] == [str(number) for number in range(len(labels))]


LEVELS = st.sampled_from([INTS, TEXTS, FLOATS.filter(lambda value: value == value), st.dates()])  # noqa: PLR0124 - NaN


@settings(deadline=None, max_examples=30)
@given(st.data(), st.integers(1, 3), st.integers(1, 5))
def test_a_multiindex_is_its_first_columns(data, depth, rows):
    """Each level is a column of the values that its rows have, also where names are missing or the same."""
    levels = [data.draw(st.lists(data.draw(LEVELS), min_size=rows, max_size=rows)) for _ in range(depth)]
    names = data.draw(st.lists(st.sampled_from([None, "k", "v", 0]), min_size=depth, max_size=depth))
    frame = pd.DataFrame({"v": range(rows)}, index=pd.MultiIndex.from_arrays(levels, names=names))
    lines, described, text = sent(frame)
    assert f"MultiIndex of {depth} level" in text
    assert len(lines[0]) == len(set(lines[0])) == depth + 1
    for number, level in enumerate(levels):
        dtype = described[number][1]
        for line, value in zip(lines[1:], level, strict=True):
            expected = str(value) if isinstance(value, str) or "object" in dtype or "str" in dtype else value
            found = oracle.parse(line[number], dtype)
            assert found == expected or (expected == "" and found in (None, "")), (dtype, line[number], value)
    assert [line[depth] for line in lines[1:]] == [str(number) for number in range(rows)]
