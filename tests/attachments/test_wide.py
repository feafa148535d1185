"""Tables of many columns: what is written for all columns of a type at once is what is written of each by itself."""

import cProfile
import pstats

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codevf_nb.attachments import gather
from codevf_nb.attachments._cell_text import texts
from codevf_nb.attachments._sampling import evenly
from codevf_nb.attachments._table_readers import table_of
from tests.attachments import oracle
from tests.bench.attaching import mixed
from tests.support.tables import DECIMALS, FLOATS, INTS, LONE, NESTED, TEXTS, UINTS

# Moments of every fineness, since a column is written as days only where all of them are.
STEPS = st.sampled_from([86_400 * 10**9, 3600 * 10**9, 10**9, 10**6, 10**3, 1])
MOMENTS = st.builds(lambda number, step: number // step * step, st.integers(-(10**18), 10**18), STEPS)


def columns_of(values, nulls: bool, most: int = 6):
    """Return a strategy for columns of one length, as lists."""
    cells = st.one_of(st.none(), values) if nulls else values
    return lambda rows: st.lists(st.lists(cells, min_size=rows, max_size=rows), min_size=1, max_size=most)


def numpy_made(dtype):
    return lambda listed: pd.Series(np.array(listed, dtype=dtype))


def stamped(zone):
    def made(listed):
        stamps = pd.Series(np.array(["NaT" if n is None else n for n in listed], dtype="M8[ns]"))
        return stamps if zone is None else stamps.dt.tz_localize("UTC").dt.tz_convert(zone)

    return made


def array_of(dtype):
    return lambda listed: pd.Series(pd.array(listed, dtype=dtype))


def arrow_array(kind):
    return lambda listed: pd.Series(pd.arrays.ArrowExtensionArray(pa.chunked_array([pa.array(listed, kind)])))


PANDAS = [
    (INTS, False, numpy_made("int64")),
    (UINTS, False, numpy_made("uint64")),
    (FLOATS, False, numpy_made("float64")),
    (st.floats(width=32), False, numpy_made("float32")),
    (st.booleans(), False, numpy_made("bool")),
    (st.one_of(TEXTS, LONE, NESTED, DECIMALS, INTS, FLOATS), True, lambda listed: pd.Series(listed, dtype=object)),
    (TEXTS, True, lambda listed: pd.Series(listed, dtype="str")),
    (TEXTS, True, array_of("string")),
    (INTS, True, array_of("Int64")),
    (st.booleans(), True, array_of("boolean")),
    (TEXTS, True, lambda listed: pd.Series(pd.Categorical(listed))),
    (MOMENTS, True, stamped(None)),
    (MOMENTS, True, stamped("Europe/Berlin")),
    (MOMENTS, True, stamped("UTC")),
    (MOMENTS, True, lambda listed: pd.Series(np.array(["NaT" if n is None else n for n in listed], dtype="m8[ns]"))),
    (INTS, True, array_of(pd.ArrowDtype(pa.int64()))),
    (TEXTS, True, array_of(pd.ArrowDtype(pa.string()))),
    (MOMENTS, True, arrow_array(pa.timestamp("ns"))),
    (MOMENTS, True, arrow_array(pa.timestamp("ns", "Europe/Berlin"))),
    (st.lists(st.integers(0, 3), max_size=2), True, arrow_array(pa.list_(pa.int64()))),
]
POLARS = [
    (INTS, pl.Int64),
    (UINTS, pl.UInt64),
    (FLOATS, pl.Float64),
    (st.floats(width=32), pl.Float32),
    (st.booleans(), pl.Boolean),
    (TEXTS, pl.String),
    (TEXTS, pl.Categorical),
    (st.dates(), pl.Date),
    (DECIMALS, pl.Decimal(20, 3)),
    (st.binary(max_size=3), pl.Binary),
    (st.lists(st.integers(0, 3), max_size=2), pl.List(pl.Int64)),
]
# Seconds far beyond what zones reach: such a column is written in UTC, and no other for its sake.
FAR = st.one_of(MOMENTS.map(lambda number: number // 10**6), st.just(10**17))
TIMED = [
    (MOMENTS, pl.Datetime("ns")),
    (FAR, pl.Datetime("ms", "Europe/Berlin")),
    (FAR, pl.Datetime("ms", "UTC")),
    (MOMENTS, pl.Duration("ns")),
    (st.integers(0, 86_400 * 10**9 - 1), pl.Time),
]


@st.composite
def pandas_frames(draw):
    rows, made = draw(st.integers(0, 4)), []
    for values, nulls, make in draw(st.lists(st.sampled_from(PANDAS), min_size=1, max_size=3)):
        made += map(make, draw(columns_of(values, nulls)(rows)))
    order = draw(st.permutations(range(len(made))))
    frame = pd.DataFrame({f"c{place}": made[number] for place, number in enumerate(order)}, index=range(rows))
    return frame if draw(st.booleans()) else frame.set_index("c0")


@st.composite
def polars_frames(draw):
    rows, made = draw(st.integers(0, 4)), []
    for values, dtype in draw(st.lists(st.sampled_from([*POLARS, *TIMED]), min_size=1, max_size=3)):
        for listed in draw(columns_of(values, nulls=True)(rows)):
            series = pl.Series(listed, dtype=pl.Int64 if (values, dtype) in TIMED else dtype, strict=False)
            made.append(series.cast(dtype))
    order = draw(st.permutations(range(len(made))))
    return pl.DataFrame({f"c{place}": made[number] for place, number in enumerate(order)})


def check(value) -> None:
    table = table_of("t", value)
    for positions in (range(table.rows), range(0, table.rows, 2)):
        rows = table.take(np.array(positions))
        alone = [texts(rows.column(number).array, nan_is_null=table.nan_is_null) for number in range(len(rows.header))]
        assert rows.texts(nan_is_null=table.nan_is_null) == alone


@settings(deadline=None, max_examples=150)
@given(pandas_frames())
def test_pandas_columns_of_one_type_are_written_as_each_alone(frame):
    """Of numpy's, nullable, Arrow and other types, with and without nulls, with an index too."""
    check(frame)


@settings(deadline=None, max_examples=150)
@given(polars_frames(), st.booleans())
def test_polars_and_arrow_columns_of_one_type_are_written_as_each_alone(frame, in_chunks):
    """A moment that its zone doesn't reach, or that is no whole day, changes the text of its own column only."""
    check(frame)
    arrow = frame.to_arrow(compat_level=pl.CompatLevel.oldest())
    check(pa.concat_tables([arrow.slice(0, 1), arrow.slice(1)]) if in_chunks else arrow)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 4), st.integers(1, 5), st.sampled_from(["int64", "float32", "complex128", "M8[us]", "S3"]))
def test_an_array_is_written_as_each_of_its_columns_alone(rows, columns, dtype):
    """Of any type, also masked."""
    array = np.arange(rows * columns).reshape(rows, columns).astype(dtype)
    check(array)
    check(np.ma.array(array, mask=np.arange(rows * columns).reshape(rows, columns) % 3 == 0))


@pytest.mark.parametrize("convert", [pl.from_pandas, pa.Table.from_pandas], ids=["polars", "arrow"])
def test_a_null_in_a_text_column_is_no_nan(convert):
    """Nor is it one in a column of floats that are masked, where a NaN stays what it is."""
    frame = convert(pd.DataFrame({"text": ["a", None, "b"], "row": range(3)}))
    parts = {part.file_name: part.content.decode() for part in gather(None, {"t": frame})}
    assert "NaN" not in parts["profile.md"]
    (line,) = [line for line in parts["profile.md"].splitlines() if line.startswith("| text |")]
    assert line.split(" | ")[2:4] == ["1", "2"]  # nulls, distinct values
    floats = pl.DataFrame({"x": [1.5, float("nan"), None], "row": range(3)})
    floats = floats if convert is pl.from_pandas else floats.to_arrow()
    parts = {part.file_name: part.content.decode() for part in gather(None, {"t": floats}, redact=["x"])}
    assert [row[0] for row in oracle.read_csv(parts["t.csv"])[2:]] == ["NaN", None]


def test_all_rows_go_where_they_fit_whatever_the_first_look_saw():
    """A table is not cut short since the rows that are looked at first are longer than the others."""
    cells = np.array(["z"] * 90, dtype=object)
    cells[evenly(90, 10)] = "y" * 200
    (part, _) = gather(None, {"t": pd.DataFrame({"x": cells})}, max_bytes=2600)
    assert part.rows == (90, 90)


@pytest.mark.parametrize(
    "convert",
    [
        lambda frame: frame,
        lambda frame: frame.convert_dtypes(),
        lambda frame: pa.Table.from_pandas(frame).to_pandas(types_mapper=pd.ArrowDtype),
        pl.from_pandas,
        pa.Table.from_pandas,
    ],
    ids=["numpy", "nullable", "arrow dtypes", "polars", "arrow"],
)
def test_a_column_more_costs_few_calls(convert):
    """Whatever the library: what is done for each column of a hundred thousand is what takes long (250 calls and more
    where each becomes a pandas column)."""

    def calls(columns: int) -> int:
        table, profiler = convert(mixed(columns)), cProfile.Profile()
        profiler.runcall(gather, None, {"t": table}, max_bytes=10_000_000)
        return pstats.Stats(profiler).total_calls

    assert (calls(2000) - calls(1000)) / 1000 < 120
