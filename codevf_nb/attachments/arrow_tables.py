"""Arrow tables and arrays as tables. Only called with a value of pyarrow's, so that is imported already."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .exact_numbers import numbers
from .headers import counted, label_text, renamed, unique_header
from .moments import date_of, durations, moments, time_of
from .rows import Rows
from .table import Table

if TYPE_CHECKING:
    import pandas as pd


def from_arrow(name: str, table: Any) -> Table:
    """Read a Table or a RecordBatch."""
    labels = [label_text(label) for label in table.schema.names]
    header = unique_header(labels)
    what = (
        f"pyarrow {type(table).__name__} of {counted(table.num_rows, 'row')} × {counted(table.num_columns, 'column')}"
    )
    return _table(name, what + renamed(labels, header), header, table, tuple(table.schema.names))


def from_arrow_array(name: str, array: Any) -> Table:
    """Read an Array or a ChunkedArray: one column under the name of its variable."""
    import pyarrow as pa

    what = f"pyarrow {type(array).__name__} of {counted(len(array), 'value')}"
    return _table(name, what, (name,), pa.table([array], names=[name]))


def _table(name: str, what: str, header: tuple[str, ...], table: Any, labels: tuple[object, ...] = ()) -> Table:
    types = table.schema.types
    kinds = [kind if is_single(kind) else None for kind in types]

    def take(positions: Any) -> Rows:
        columns = table.columns if len(positions) == table.num_rows else _taken(table, positions)
        return _rows(columns, header, len(positions), kinds)

    return Table(
        name,
        what,
        table.num_rows,
        header,
        tuple(_dtype(kind) for kind in types),
        take,
        lambda number, start, stop: series_of(table.column(number).slice(start, stop - start)),
        nan_is_null=False,
        labels=labels,
    )


def is_single(kind: Any) -> bool:
    """Whether each value of a type is written the same, whatever the values beside it."""
    from pyarrow import types

    return bool(types.is_primitive(kind) or types.is_decimal(kind) or _is_text(kind))


def _is_text(kind: Any) -> bool:
    from pyarrow import types

    views = types.is_string_view(kind) or types.is_binary_view(kind)
    plain = types.is_string(kind) or types.is_large_string(kind) or types.is_binary(kind)
    return bool(plain or views or types.is_large_binary(kind) or types.is_fixed_size_binary(kind))


def _rows(columns: list[Any], header: tuple[str, ...], count: int, kinds: Sequence[Any]) -> Rows:
    def stack(numbers: list[int]) -> Any:
        import pyarrow as pa

        chunks = [chunk for number in numbers for chunk in _chunks(columns[number])]
        stacked = series_of(pa.concat_arrays(chunks) if chunks else columns[numbers[0]])
        # Moments of a zone become text where one of them is out of its range: only those of its own column then.
        has_text = stacked.dtype.kind == "O" and pa.types.is_timestamp(kinds[numbers[0]])
        return None if has_text else stacked.array

    return Rows(header, count, lambda number: series_of(columns[number]), kinds, stack)


def _chunks(column: Any) -> list[Any]:
    import pyarrow as pa

    if not isinstance(column, pa.ChunkedArray):
        return [column]
    return [column.chunk(0)] if column.num_chunks == 1 else column.chunks


def _dtype(kind: Any) -> str:
    text = str(kind)
    return text if len(text) <= 200 else f"{text[:199]}…"


def _taken(table: Any, positions: Any) -> list[Any]:
    """Return the columns of some rows."""
    import pyarrow as pa

    places = pa.array(positions, type=pa.int64())
    try:
        return table.take(places).columns  # type: ignore[no-any-return]
    except pa.ArrowNotImplementedError:  # one of its columns is of views, for one
        return [_column_taken(column, places) for column in table.columns]


def _column_taken(column: Any, places: Any) -> Any:
    import pyarrow as pa

    try:
        return column.take(places)
    except pa.ArrowNotImplementedError:
        chunks = [chunk for place in places.to_pylist() for chunk in _chunks(column.slice(place, 1))]
        return pa.chunked_array(chunks, type=column.type)


def series_of(column: Any) -> pd.Series[Any]:
    """Return an array as a pandas column of the same values."""
    import pandas as pd
    import pyarrow as pa
    from pyarrow import types

    kind = column.type
    if types.is_boolean(kind) or types.is_integer(kind) or types.is_floating(kind):
        return numbers(*_filled(column, None))
    if types.is_timestamp(kind):
        return moments(*_filled(column, pa.int64()), kind.unit, kind.tz)
    if types.is_duration(kind):
        return durations(*_filled(column, pa.int64()), kind.unit)
    return pd.Series(_objects(column), dtype=object)


def _filled(column: Any, cast: Any) -> tuple[Any, Any]:
    import numpy as np
    import pyarrow as pa

    chunks = _chunks(column)
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
        return column.to_pylist()  # type: ignore[no-any-return]
    except (OverflowError, ValueError):  # a moment inside that Python doesn't have
        return _each(column)


def _each(column: Any) -> list[Any]:
    """Return nested values one level at a time, so that each part is converted by its own type."""
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
