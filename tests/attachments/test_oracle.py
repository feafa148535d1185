"""What was sent, read back with the dtypes that the profile states, equals what the user has."""

import datetime as dt
import decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codevf_nb.attachments import gather
from tests.attachments import oracle
from tests.support.tables import DECIMALS, FLOATS, INTS, LONE, NESTED, TEXTS, UINTS, optional, sent

# From 1906 on: before, zones had offsets with seconds, which pandas writes and doesn't read.
NANOSECONDS = st.one_of(
    st.sampled_from([0, 1, 1700000000123456789, -1, 86400 * 10**9]), st.integers(-2 * 10**18, 2**62)
)


def same(cell: str | None, dtype: str, value, said: str) -> bool:
    """Whether a cell reads back as a value, or its column's remark says what differs."""
    expected = oracle.canonical(value, dtype)
    found = oracle.parse(cell, dtype)
    if found == expected and type(found is None) is type(expected is None):
        return True
    if (expected == "" and found in (None, "")) or (expected is None and found == ""):
        return "look like nulls" in said or found == expected or expected is None
    if isinstance(expected, str) and found is not None:
        return "lone surrogates" in said and found == expected.encode(errors="backslashreplace").decode()
    return False


def check(columns: dict, table) -> None:
    """Compare every cell of a table with the values it was made of."""
    rows, described, text = sent(table)
    said = oracle.remarks(text)
    assert [name for name, _ in described] == list(columns)
    for number, (name, dtype) in enumerate(described):
        cells = [row[number] for row in rows[1:]]
        assert len(cells) == len(columns[name])
        for cell, value in zip(cells, columns[name], strict=True):
            alone = len(columns) == 1 and value is None and cell == ""
            assert alone or same(cell, dtype, value, said.get(name, "")), (name, dtype, cell, value)


POLARS = st.one_of(
    *(
        optional(values).map(lambda listed, dtype=dtype: (listed, pl.Series("x", listed, dtype=dtype, strict=False)))
        for values, dtype in [
            (INTS, pl.Int64),
            (UINTS, pl.UInt64),
            (st.integers(-128, 127), pl.Int8),
            (FLOATS, pl.Float64),
            (st.floats(width=32), pl.Float32),
            (st.booleans(), pl.Boolean),
            (TEXTS, pl.String),
            (st.dates(), pl.Date),
            (DECIMALS, pl.Decimal(20, 3)),
            (TEXTS, pl.Categorical),
        ]
    )
)


@settings(deadline=None, max_examples=60)
@given(POLARS)
def test_polars_columns_are_sent_exactly(made):
    """Every number, text and date, next to nulls; a NaN is no null."""
    listed, series = made
    check({"x": listed, "row": range(len(listed))}, pl.DataFrame({"x": series, "row": range(len(listed))}))


@settings(deadline=None, max_examples=60)
@given(POLARS)
def test_arrow_columns_are_sent_exactly(made):
    """The same from Arrow."""
    listed, series = made
    table = pl.DataFrame({"x": series, "row": range(len(listed))}).to_arrow()
    check({"x": listed, "row": range(len(listed))}, table)


PANDAS = st.one_of(
    *(
        optional(values).map(lambda listed, dtype=dtype: (listed, pd.Series(pd.array(listed, dtype=dtype))))
        for values, dtype in [
            (INTS, "Int64"),
            (UINTS, "UInt64"),
            (st.booleans(), "boolean"),
            (TEXTS, "string"),
            (INTS, pd.ArrowDtype(pa.int64())),
            (UINTS, pd.ArrowDtype(pa.uint64())),
            (TEXTS, pd.ArrowDtype(pa.string())),
            (st.dates(), pd.ArrowDtype(pa.date32())),
            (st.booleans(), pd.ArrowDtype(pa.bool_())),
        ]
    ),
    *(
        st.lists(values, min_size=1, max_size=6).map(
            lambda listed, dtype=dtype: (listed, pd.Series(listed, dtype=dtype))
        )
        for values, dtype in [
            (INTS, "int64"),
            (UINTS, "uint64"),
            (FLOATS.filter(lambda value: value == value), "float64"),  # noqa: PLR0124 - NaN is pandas' null
            (st.floats(width=32, allow_nan=False), "float32"),
            (st.floats(width=16, allow_nan=False), "float16"),
            (st.booleans(), "bool"),
            (TEXTS, "object"),
            (st.one_of(TEXTS, LONE), "object"),
            (DECIMALS, "object"),
        ]
    ),
)


@settings(deadline=None, max_examples=80)
@given(PANDAS)
def test_pandas_columns_are_sent_exactly(made):
    """numpy's, nullable and Arrow dtypes."""
    listed, series = made
    check_objects = str(series.dtype) == "object"
    rows, described, text = sent(pd.DataFrame({"x": series, "row": range(len(listed))}))
    said = oracle.remarks(text).get("x", "")
    for row, value in zip(rows[1:], listed, strict=True):
        if check_objects and isinstance(value, decimal.Decimal):
            assert "(Decimal)" in described[0][1]
            assert decimal.Decimal(row[0]) == value
        else:
            assert same(row[0], described[0][1], value, said), (described[0], row[0], value)


@settings(deadline=None, max_examples=30)
@given(optional(NANOSECONDS), st.sampled_from(["ns", "us", "ms"]), st.sampled_from([None, "Europe/Berlin"]))
def test_moments_are_sent_to_their_last_digit(numbers, unit, zone):
    """Of polars, Arrow and pandas alike: nanoseconds, with and without a zone, on both sides of 1970."""
    numbers = [None if n is None else n // {"ns": 1, "us": 10**3, "ms": 10**6}[unit] for n in numbers]
    series = pl.Series("x", numbers, dtype=pl.Int64).cast(pl.Datetime(unit, zone))
    stamps = pd.Series(np.array(["NaT" if n is None else n for n in numbers], dtype=f"M8[{unit}]"))
    stamps = stamps if zone is None else stamps.dt.tz_localize("UTC").dt.tz_convert(zone)
    frame = pl.DataFrame({"x": series, "row": range(len(numbers))})
    for table in (frame, frame.to_arrow(), pd.DataFrame({"x": stamps, "row": range(len(numbers))})):
        rows, _, _ = sent(table)
        for row, number in zip(rows[1:], numbers, strict=True):
            assert (row[0] is None) == (number is None)
            if number is not None:
                found = pd.Timestamp(row[0])
                assert found.as_unit(unit).value // {"ns": 1, "us": 10**3, "ms": 10**6}[unit] == number


@settings(deadline=None, max_examples=25)
@given(optional(NANOSECONDS), st.sampled_from(["ns", "us", "ms"]))
def test_durations_and_times_are_sent_to_their_last_digit(numbers, unit):
    """A duration of any library; a time of day."""
    scale = {"ns": 1, "us": 10**3, "ms": 10**6}[unit]
    numbers = [None if n is None else n // scale for n in numbers]
    days = [None if n is None else n % 86400 * 10**9 for n in numbers]
    series = pl.Series("x", numbers, dtype=pl.Int64).cast(pl.Duration(unit))
    times = pl.Series("t", [None if n is None else (n * 7) % (86400 * 10**9) for n in days], dtype=pl.Int64).cast(
        pl.Time
    )
    frame = pl.DataFrame({"x": series, "t": times, "row": range(len(numbers))})
    for table in (frame, frame.to_arrow()):
        rows, _, _ = sent(table)
        for row, number, time in zip(rows[1:], numbers, times.to_physical().to_list(), strict=True):
            assert (row[0] is None) == (number is None)
            if number is not None:
                assert pd.Timedelta(row[0]).as_unit(unit).value // scale == number
            if time is not None:
                hours, minutes, seconds = row[1].split(":")
                assert (int(hours) * 60 + int(minutes)) * 60 * 10**9 + int(decimal.Decimal(seconds) * 10**9) == time


@settings(deadline=None, max_examples=60)
@given(st.lists(NESTED, min_size=1, max_size=4))
def test_nested_cells_are_json(values):
    """Lists and dicts of any depth are strict JSON of the same numbers and texts."""
    rows, _, _ = sent(pd.DataFrame({"x": pd.Series(values, dtype=object), "row": range(len(values))}))
    for row, value in zip(rows[1:], values, strict=True):
        if isinstance(value, list | dict):
            assert oracle.loads(row[0]) == oracle.as_json(value)


@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from(["int64", "uint8", "float64", "float32", "bool"]),
    st.lists(st.integers(1, 3), min_size=1, max_size=3),
    st.booleans(),
)
def test_arrays_in_cells_keep_all_their_values(dtype, shape, strided):
    """An array of any shape in a cell is nested lists of its numbers."""
    array = np.arange(int(np.prod(shape))).reshape(shape).astype(dtype)
    array = array[::-1] if strided else array
    rows, _, _ = sent(pd.DataFrame({"x": pd.Series([array, None], dtype=object), "row": [0, 1]}))
    assert oracle.loads(rows[1][0]) == array.tolist()


STRANGE = [
    pd.interval_range(0, 3), pd.period_range("2024", periods=3, freq="Q"),
    pd.Index([1 + 2j, 3j]), pd.Index([b"a", b"\xff"]),
    pd.DataFrame({"a": [1]}, index=pd.MultiIndex.from_tuples([(1, 2)], names=["k", "k"])),
    pd.DataFrame([[1]], columns=pd.Index([pd.NA], dtype=object)),
    pd.DataFrame([["x"]], columns=pd.Index(["\ud800"], dtype=object)),
    pd.DataFrame({"x": pd.array(pa.array([[1], None]), dtype=pd.ArrowDtype(pa.list_(pa.int64())))}),
    pd.DataFrame({"x": pd.array(pa.array([{"a": 1}, None]), dtype=pd.ArrowDtype(pa.struct({"a": pa.int64()})))}),
    pa.table({"x": pa.array(["a", None], pa.string_view())}), pa.table({"x": pa.array([2**30], pa.date32())}),
    pa.table({"x": pa.array([9 * 10**12], pa.timestamp("s"))}),
    pa.table({"x": pa.array([9 * 10**12], pa.timestamp("s", "Europe/Berlin"))}),
    pa.table({"x": pa.array([[9 * 10**12]], pa.list_(pa.timestamp("s")))}),
    pa.table({"x": pa.array([{"a": 9 * 10**12}], pa.struct({"a": pa.timestamp("s")}))}),
    pa.table({"x": pa.array([[("a", 1)], None], pa.map_(pa.string(), pa.int64()))}), pa.table({"x": pa.nulls(2)}),
    pa.table({"x": pa.array(["a", "b"]).dictionary_encode()}),
    *([pa.table({"x": pa.array([1.5, None], pa.float16())})] if int(pa.__version__.split(".")[0]) > 20 else []),
    pl.DataFrame({"x": pl.Series([10**7], dtype=pl.Int32).cast(pl.Date)}),
    pl.DataFrame({"x": [[dt.datetime(2024, 1, 1, tzinfo=dt.UTC)]]}),
    pl.DataFrame({"x": pl.Series([object(), 1], dtype=pl.Object)}),
    pl.DataFrame({"x": pl.Series([2**100], dtype=pl.Int128)}),
    pl.DataFrame({"x": pl.Series([], dtype=pl.Null)}), pl.DataFrame({"x": pl.Series(["a"], dtype=pl.Enum(["a", "b"]))}),
    np.array([(1, (2, 3.5))], dtype=[("a", "i8"), ("b", [("x", "i4"), ("y", "f8")])]),
    np.ma.array([1234567890123456789, 2], mask=[0, 1]),
    np.array(["2024-01"], dtype="M8[M]"), np.array([1], dtype="M8[fs]"),
    np.zeros(2, dtype="V3"), np.array([1.5], dtype="longdouble"),
    *([np.array(["a"], dtype=np.dtypes.StringDType())] if hasattr(np.dtypes, "StringDType") else []),  # from NumPy 2 on
    pd.DataFrame({"a": pd.arrays.SparseArray([0, 1])}), pd.Series(["a"]).unique(), pd.array([1, None]),
]  # fmt: skip


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("number", range(len(STRANGE)))
def test_strange_tables_are_written(number):
    """As many rows as there are, and figures of every column."""
    rows, described, _ = sent(STRANGE[number])
    assert len(described) == len(rows[0])
    assert all(len(row) == len(rows[0]) for row in rows)


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
def test_a_matrix_goes_as_its_array_does():
    """What scipy's ``todense()`` returns."""
    assert sent(np.matrix([[1, 2], [3, 4]]))[0] == [["0", "1"], ["1", "2"], ["3", "4"]]


def test_what_its_library_cannot_write_is_one_line():
    """The value, its type, what went wrong, and what to do."""

    class Broken:
        def __str__(self):
            raise RuntimeError("no\ntext")

        __repr__ = __str__

    with pytest.raises(
        Exception, match=r"^t \(DataFrame of 1 row × 1 column\) can't be written: RuntimeError: no text\."
    ) as caught:
        gather(None, {"t": pd.DataFrame({"a": [Broken()]})})
    assert "\n" not in str(caught.value)


@settings(deadline=None, max_examples=40)
@given(
    st.integers(0, 400),
    st.integers(1, 9),
    st.sampled_from(["range", "offset", "text", "dates"]),
    st.integers(300, 3000),
)
def test_a_sample_says_which_rows_it_has(rows, step, kind, budget):
    """By the labels of the index, or by the rows' numbers where it is 0 … n-1; the values are those of these rows."""
    frame = pd.DataFrame({"v": np.arange(rows) * step})
    index = {
        "range": frame.index, "offset": frame.index + 5, "text": frame.index.map("r{}".format),
        "dates": pd.date_range("2024", periods=rows),
    }[kind]  # fmt: skip
    frame.index = index
    (part, described) = gather(None, {"t": frame}, max_bytes=budget)
    lines = oracle.read_csv(part.content.decode())
    assert part.rows[1] == rows
    if kind == "range" and part.rows[0] == rows:
        assert lines[0] == ["v"]
        return
    if not rows:
        return
    assert lines[0] == ["index", "v"]
    by_label = dict(zip(map(str, index.astype(str)), frame["v"], strict=True))
    for label, value in lines[1:]:
        assert by_label[label] == int(value)
    if kind == "range":
        assert "The first column of the CSV, `index`" in described.content.decode()
