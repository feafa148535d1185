"""Read Arrow tables and arrays as tables. The functions get values of pyarrow only, so pyarrow is already imported."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from codevf_nb.attachments._arrow_values import chunks_of, is_single, series_of
from codevf_nb.attachments._headers import (
    counted,
    label_text,
    renamed,
    unique_header,
)
from codevf_nb.attachments._rows import Rows
from codevf_nb.attachments._table import Table

if TYPE_CHECKING:
    pass


def from_arrow(name: str, table: Any) -> Table:
    """Read a pyarrow Table or RecordBatch."""
    labels = [label_text(label) for label in table.schema.names]
    header = unique_header(labels)
    what = (
        f"pyarrow {type(table).__name__} of {counted(table.num_rows, 'row')} × {counted(table.num_columns, 'column')}"
    )
    return _table(name, what + renamed(labels, header), header, table, tuple(table.schema.names))


def from_arrow_array(name: str, array: Any) -> Table:
    """Read a pyarrow Array or ChunkedArray as one column with the name of its variable."""
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


def _rows(columns: list[Any], header: tuple[str, ...], count: int, kinds: Sequence[Any]) -> Rows:
    def stack(numbers: list[int]) -> Any:
        import pyarrow as pa

        chunks = [chunk for number in numbers for chunk in chunks_of(columns[number])]
        stacked = series_of(pa.concat_arrays(chunks) if chunks else columns[numbers[0]])
        # A time zone column becomes text if one timestamp is out of range. This must not affect other columns.
        has_text = stacked.dtype.kind == "O" and pa.types.is_timestamp(kinds[numbers[0]])
        return None if has_text else stacked.array

    return Rows(header, count, lambda number: series_of(columns[number]), kinds, stack)


def _dtype(kind: Any) -> str:
    text = str(kind)
    return text if len(text) <= 200 else f"{text[:199]}…"


def _taken(table: Any, positions: Any) -> list[Any]:
    """Return the columns of the rows at these positions."""
    import pyarrow as pa

    places = pa.array(positions, type=pa.int64())
    try:
        columns: list[Any] = table.take(places).columns
    except pa.ArrowNotImplementedError:  # for example, a column of a view type
        return [_column_taken(column, places) for column in table.columns]
    return columns


def _column_taken(column: Any, places: Any) -> Any:
    import pyarrow as pa

    try:
        return column.take(places)
    except pa.ArrowNotImplementedError:  # take is missing for this type: slices of one row do the same
        chunks = [chunk for place in places.to_pylist() for chunk in chunks_of(column.slice(place, 1))]
        return pa.chunked_array(chunks, type=column.type)
