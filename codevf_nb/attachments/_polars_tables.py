"""Read polars frames and series as tables. The functions get values of polars only, so polars is already imported."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from codevf_nb.attachments._exact_numbers import numbers
from codevf_nb.attachments._headers import (
    counted,
    label_text,
    renamed,
    unique_header,
)
from codevf_nb.attachments._rows import Rows
from codevf_nb.attachments._table import Table
from codevf_nb.attachments._temporal_values import (
    date_of,
    time_of,
    to_durations,
    to_timestamps,
)
from codevf_nb.attachments.attachment import is_a

if TYPE_CHECKING:
    import pandas as pd

_LONGEST_DTYPE = 200  # characters; an Enum lists its categories


def from_polars(name: str, frame: Any) -> Table:
    """Read a polars DataFrame or Series."""
    what = f"polars DataFrame of {counted(frame.shape[0], 'row')} × "
    if is_a(frame, "polars", "Series"):
        what = f"polars Series of {counted(len(frame), 'row')}"
        frame = frame.to_frame(frame.name or name)
    else:
        what += counted(frame.width, "column")
    labels = [label_text(label) for label in frame.columns]
    header = unique_header(labels)
    dtypes = list(frame.schema.values())
    kinds = [dtype if _is_single(dtype) else None for dtype in dtypes]

    def take(positions: Any) -> Rows:
        part = frame if len(positions) == frame.height else frame[list(positions)]
        return _rows(part, header, kinds)

    return Table(
        name,
        what + renamed(labels, header),
        frame.height,
        header,
        tuple(_dtype(dtype) for dtype in dtypes),
        take,
        lambda number, start, stop: series_of(frame.to_series(number).slice(start, stop - start)),
        nan_is_null=False,
        labels=tuple(frame.columns),
    )


def _dtype(dtype: Any) -> str:
    text = str(dtype)
    return text if len(text) <= _LONGEST_DTYPE else f"{text[: _LONGEST_DTYPE - 1]}…"


def _is_single(dtype: Any) -> bool:
    """Whether the text of a value of this dtype never depends on the other values of its column."""
    import polars as pl

    singles = (pl.Boolean, pl.String, pl.Binary, pl.Date, pl.Time, pl.Datetime, pl.Duration)
    return dtype.is_numeric() or isinstance(dtype, singles)


def _rows(frame: Any, header: tuple[str, ...], kinds: Sequence[Any]) -> Rows:
    columns = frame.get_columns()

    def stack(numbers: list[int]) -> Any:
        import polars as pl

        stacked = series_of(pl.concat([columns[number].alias("") for number in numbers], rechunk=True))
        # A time zone column becomes text if one timestamp is out of range. This must not affect other columns.
        has_text = stacked.dtype.kind == "O" and isinstance(kinds[numbers[0]], pl.Datetime)
        return None if has_text else stacked.array

    return Rows(header, frame.height, lambda number: series_of(columns[number]), kinds, stack)


def series_of(column: Any) -> pd.Series[Any]:
    """Convert a polars series to a pandas series with the same values."""
    import pandas as pd
    import polars as pl

    dtype = column.dtype
    if isinstance(dtype, pl.Datetime | pl.Duration):
        values, missing = _filled(column.to_physical())
        if isinstance(dtype, pl.Duration):
            return to_durations(values, missing, dtype.time_unit)
        return to_timestamps(values, missing, dtype.time_unit, dtype.time_zone)
    if dtype == pl.Boolean or dtype.is_float() or (dtype.is_integer() and "128" not in str(dtype)):
        return numbers(*_filled(column))
    return pd.Series(_objects(column), dtype=object)


def _filled(column: Any) -> tuple[Any, Any]:
    import numpy as np
    import polars as pl

    if not column.null_count():  # a fast path: the expressions below are slow in a very wide frame
        return column.to_numpy(), np.zeros(len(column), dtype=bool)
    missing = column.is_null().to_numpy()
    filled = column.fill_null(False if column.dtype == pl.Boolean else 0)
    return filled.to_numpy(), missing


def _objects(column: Any) -> list[Any]:
    import polars as pl

    dtype = column.dtype
    if dtype == pl.Date:
        return [date_of(days) for days in column.to_physical().to_list()]
    if dtype == pl.Time:
        return [time_of(count, "ns") for count in column.to_physical().to_list()]
    if dtype.is_nested() and (plain := _plain_dtype(dtype)) != dtype:
        return [_rebuilt(value, dtype) for value in column.cast(plain).to_list()]
    values: list[Any] = column.to_list()
    return values


def _plain_dtype(dtype: Any) -> Any:
    """Return a nested dtype with integers instead of timestamps, because Python has only microseconds."""
    import polars as pl

    if isinstance(dtype, pl.List):
        return pl.List(_plain_dtype(dtype.inner))
    if isinstance(dtype, pl.Array):
        return pl.Array(_plain_dtype(dtype.inner), dtype.size)
    if isinstance(dtype, pl.Struct):
        return pl.Struct({field.name: _plain_dtype(field.dtype) for field in dtype.fields})
    return pl.Int64 if isinstance(dtype, pl.Datetime | pl.Duration | pl.Time) else dtype


def _rebuilt(value: Any, dtype: Any) -> Any:
    """Convert a value of ``_plain_dtype`` back to a value with pandas timestamps."""
    import polars as pl

    if value is None:
        return None
    if isinstance(dtype, pl.List | pl.Array):
        return [_rebuilt(part, dtype.inner) for part in value]
    if isinstance(dtype, pl.Struct):
        return {field.name: _rebuilt(value[field.name], field.dtype) for field in dtype.fields}
    if isinstance(dtype, pl.Time):
        return time_of(value, "ns")
    if isinstance(dtype, pl.Datetime | pl.Duration):
        return series_of(pl.Series([value]).cast(dtype)).iloc[0]
    return value
