"""Convert Arrow arrays to pandas columns with the same values. The functions get values of pyarrow only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from codevf_nb.attachments._exact_numbers import numbers
from codevf_nb.attachments._temporal_values import (
    date_of,
    time_of,
    to_durations,
    to_timestamps,
)

if TYPE_CHECKING:
    import pandas as pd


def is_single(kind: Any) -> bool:
    """Whether the text of a value of this type never depends on the other values of its column."""
    from pyarrow import types

    return bool(types.is_primitive(kind) or types.is_decimal(kind) or _is_text(kind))


def _is_text(kind: Any) -> bool:
    from pyarrow import types

    views = types.is_string_view(kind) or types.is_binary_view(kind)
    plain = types.is_string(kind) or types.is_large_string(kind) or types.is_binary(kind)
    return bool(plain or views or types.is_large_binary(kind) or types.is_fixed_size_binary(kind))


def chunks_of(column: Any) -> list[Any]:
    """Return the chunks of a column."""
    import pyarrow as pa

    if not isinstance(column, pa.ChunkedArray):
        return [column]
    return [column.chunk(0)] if column.num_chunks == 1 else column.chunks


def series_of(column: Any) -> pd.Series[Any]:
    """Convert an array to a pandas column with the same values."""
    import pandas as pd
    import pyarrow as pa
    from pyarrow import types

    kind = column.type
    if types.is_boolean(kind) or types.is_integer(kind) or types.is_floating(kind):
        return numbers(*_filled(column, None))
    if types.is_timestamp(kind):
        return to_timestamps(*_filled(column, pa.int64()), kind.unit, kind.tz)
    if types.is_duration(kind):
        return to_durations(*_filled(column, pa.int64()), kind.unit)
    return pd.Series(_objects(column), dtype=object)


def _filled(column: Any, cast: Any) -> tuple[Any, Any]:
    import numpy as np
    import pyarrow as pa

    chunks = chunks_of(column)
    missing = [
        chunk.is_null().to_numpy(zero_copy_only=False) if chunk.null_count else np.zeros(len(chunk), dtype=bool)
        for chunk in chunks
    ]
    plain = [chunk if cast is None else chunk.cast(cast) for chunk in chunks]
    filled = [
        chunk.fill_null(pa.scalar(0, pa.int8()).cast(chunk.type)) if chunk.null_count else chunk for chunk in plain
    ]
    values = [chunk.to_numpy(zero_copy_only=False) for chunk in filled]
    if not values:
        return np.zeros(0, (cast or column.type).to_pandas_dtype()), np.zeros(0, bool)
    return np.concatenate(values), np.concatenate(missing)


def _objects(column: Any) -> list[Any]:
    import pyarrow as pa
    from pyarrow import types

    kind = column.type
    if types.is_date32(kind):
        return [date_of(days) for days in column.cast(pa.int32()).to_pylist()]
    if types.is_date64(kind):
        return [
            None if value is None else date_of(value // 86_400_000) for value in column.cast(pa.int64()).to_pylist()
        ]
    if types.is_time(kind):
        width = pa.int32() if types.is_time32(kind) else pa.int64()
        return [time_of(count, kind.unit) for count in column.cast(width).to_pylist()]
    try:
        values: list[Any] = column.to_pylist()
    except (OverflowError, ValueError):  # holds a timestamp that Python can't represent
        return _each(column)
    return values


def _each(column: Any) -> list[Any]:
    """Convert nested values one level at a time, so that each part is converted by its own type."""
    from pyarrow import types

    kind = column.type
    if types.is_struct(kind):
        parts = [_part(column, field.name) for field in kind]
        names = [field.name for field in kind]
        rows = [dict(zip(names, row, strict=True)) for row in zip(*parts, strict=True)]
        return [None if gap else row for gap, row in zip(column.is_null().to_pylist(), rows, strict=True)]
    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        return [None if not value.is_valid else series_of(value.values).tolist() for value in column]
    raise ValueError(f"a value of {kind} is out of the range that Python has")


def _part(column: Any, name: str) -> list[Any]:
    import pyarrow.compute as pc

    return series_of(pc.struct_field(column, name)).tolist()
