"""Whatever is a table, seen the same way: so many rows, a header, types, and any rows of it as a pandas frame.

The libraries are recognised by their classes' names and never imported. A table is never copied or read as a whole:
all that is ever taken from it are rows at given positions, or one column to look up keys in.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .attachment import AttachmentError, is_a

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


@dataclass(frozen=True)
class Table:
    """A table as it is sent: ``header`` is unique text, an index that means something stands in its first columns.

    ``take`` gives the rows at some positions as a frame with that header; ``column`` one whole column by its number.
    """

    name: str
    what: str
    rows: int
    header: tuple[str, ...]
    dtypes: tuple[str, ...]
    take: Callable[[Any], pd.DataFrame]
    column: Callable[[int], Any]


def table_of(name: str, value: Any) -> Table | None:
    """Return a value as a table, or None where it is none.

    Raises:
        AttachmentError: it is a table that has no rows yet, or an array of no shape.
    """
    for library, kind, read in _READERS:
        if is_a(value, library, kind):
            return read(name, value)
    return None


# -- pandas


def _from_series(name: str, series: pd.Series[Any]) -> Table:
    frame = series.to_frame(series.name if series.name is not None else name)
    return _from_pandas(name, frame, f"Series of {len(series):,} rows")


def _from_index(name: str, index: pd.Index[Any]) -> Table:
    return _from_pandas(name, index.to_frame(index=False), f"Index of {len(index):,} values")


def _from_pandas(name: str, frame: pd.DataFrame, what: str = "") -> Table:
    levels = _levels(frame)
    labels = [*levels, *(_spell(label) for label in frame.columns)]
    header = _unique(labels)

    def take(positions: Any) -> pd.DataFrame:
        import pandas as pd

        part = frame.take(positions)
        if levels:
            index = part.index.to_frame(index=False)
            part = pd.concat([index, part.reset_index(drop=True).set_axis(range(frame.shape[1]), axis=1)], axis=1)
        return part.set_axis(list(header), axis=1)

    def column(number: int) -> Any:
        if number < len(levels):
            return frame.index.get_level_values(number).to_series()
        return frame.iloc[:, number - len(levels)]

    dtypes = [str(frame.index.get_level_values(number).dtype) for number in range(len(levels))] if levels else []
    dtypes += [_dtype(dtype) for dtype in frame.dtypes]
    what = what or f"DataFrame of {len(frame):,} rows × {frame.shape[1]:,} columns"
    renamed = [f"{old or 'an empty one'} → {new}" for old, new in zip(labels, header, strict=True) if old != new]
    if renamed:
        what += f" (names made unique: {', '.join(renamed[:20])})"
    return Table(name, what, len(frame), header, tuple(dtypes), take, column)


def _levels(frame: pd.DataFrame) -> list[str]:
    """Return the names of the index levels that must be sent: none for a plain running number."""
    import pandas as pd

    if isinstance(frame.index, pd.RangeIndex) and frame.index.name is None and frame.shape[1]:
        return []
    names = list(frame.index.names)
    if len(names) == 1:
        return ["index" if names[0] is None else _spell(names[0])]
    return [f"level_{number}" if name is None else _spell(name) for number, name in enumerate(names)]


def _dtype(dtype: Any) -> str:
    categories = getattr(dtype, "categories", None)
    return str(dtype) if categories is None else f"category of {len(categories):,}"


def _spell(label: Any) -> str:
    """Write a column's label as text; the parts of a MultiIndex with blanks and a slash between."""
    if isinstance(label, tuple):
        return " / ".join(_spell(part) for part in label if part not in {"", None})
    return "" if label is None or label != label else str(label).replace("\r", " ").replace("\n", " ")  # noqa: PLR0124 - NaN


def _unique(labels: Sequence[str]) -> tuple[str, ...]:
    """Make labels a header: none empty, and the second ``a`` is ``a.1``, as pandas would name it on reading."""
    taken = {label for label in labels if label}
    found: list[str] = []
    for number, label in enumerate(labels):
        label = label or f"column_{number}"  # noqa: PLW2901 - an empty one gets a name first
        free, count = label, 0
        while free in found or (count and free in taken):
            count += 1
            free = f"{label}.{count}"
        found.append(free)
    return tuple(found)


# -- polars and pyarrow


def _from_polars(name: str, frame: Any) -> Table:
    if is_a(frame, "polars", "Series"):
        frame = frame.to_frame(frame.name or name)
    header = _unique([_spell(label) for label in frame.columns])
    return Table(
        name,
        f"polars DataFrame of {frame.height:,} rows × {frame.width:,} columns",
        frame.height,
        header,
        tuple(str(dtype) for dtype in frame.dtypes),
        lambda positions: _from_lists(header, (one.to_list() for one in frame[list(positions)].get_columns())),
        lambda number: _series(frame.to_series(number).to_numpy()),
    )


def _from_lazy(name: str, _frame: Any) -> Table:
    raise AttachmentError(f"{name} is lazy and has no rows yet: attach {name}.collect().")


def _from_arrow(name: str, table: Any) -> Table:
    header = _unique([_spell(label) for label in table.schema.names])
    return Table(
        name,
        f"pyarrow {type(table).__name__} of {table.num_rows:,} rows × {table.num_columns:,} columns",
        table.num_rows,
        header,
        tuple(str(kind) for kind in table.schema.types),
        lambda positions: _from_lists(header, (one.take(_listed(positions)).to_pylist() for one in table.columns)),
        lambda number: _series(table.column(number).to_numpy()),
    )


def _from_arrow_array(name: str, array: Any) -> Table:
    return Table(
        name,
        f"pyarrow {type(array).__name__} of {len(array):,} values",
        len(array),
        (name,),
        (str(array.type),),
        lambda positions: _from_lists((name,), [array.take(_listed(positions)).to_pylist()]),
        lambda _number: _series(array.to_numpy()),
    )


def _listed(positions: Any) -> Any:
    """Return positions as an array of pyarrow's, which is loaded: a table of it is here."""
    import pyarrow as pa

    return pa.array(positions)


def _from_lists(header: Sequence[str], columns: Iterable[list[Any]]) -> pd.DataFrame:
    """Make a frame of Python values; nulls keep whole numbers whole."""
    import pandas as pd

    series = [pd.Series(column, dtype=object) for column in columns]
    frame = pd.concat(series, axis=1) if series else pd.DataFrame()
    return frame.set_axis(list(header), axis=1).infer_objects().convert_dtypes()


def _series(values: Any) -> pd.Series[Any]:
    import pandas as pd

    return pd.Series(values)


# -- numpy


def _from_array(name: str, array: np.ndarray[Any, Any]) -> Table:
    """A row for each place along all axes but the last; where those are several, their numbers stand in front."""
    import pandas as pd

    if array.ndim == 0:
        raise AttachmentError(f"{name} is an array without a shape: attach {name}.tolist().")
    fields = list(array.dtype.names or ())
    lead = array.shape if array.ndim == 1 or fields else array.shape[:-1]
    axes = [f"axis_{number}" for number in range(len(lead))] if len(lead) > 1 or 0 in array.shape[1:] else []
    data = fields or (["value"] if lead == array.shape else [str(number) for number in range(array.shape[-1])])
    rows = 1
    for length in lead:
        rows *= length

    def places(positions: Any) -> Any:
        import numpy as np

        return np.unravel_index(np.asarray(positions, dtype=np.int64), lead)

    def take(positions: Any) -> pd.DataFrame:
        at = places(positions)
        part = array[at]
        columns = [*at] if axes else []
        columns += [part[field] for field in fields] or ([part] if lead == array.shape else list(part.T))
        listed = [pd.Series(list(column) if column.ndim > 1 else column) for column in columns]
        frame = pd.concat(listed, axis=1) if listed else pd.DataFrame(index=range(len(part)))
        return frame.set_axis([*axes, *data], axis=1)

    dtypes = ["int64"] * len(axes)
    dtypes += [str(array.dtype[field]) for field in fields] if fields else [str(array.dtype)] * len(data)
    what = f"numpy array of shape {array.shape}, {array.dtype}"
    header = (*axes, *data)
    return Table(name, what, rows, header, tuple(dtypes), take, lambda number: take(range(rows)).iloc[:, number])


_READERS: tuple[tuple[str, str, Callable[[str, Any], Table]], ...] = (
    ("pandas", "DataFrame", _from_pandas),
    ("pandas", "Series", _from_series),
    ("pandas", "Index", _from_index),
    ("polars", "DataFrame", _from_polars),
    ("polars", "Series", _from_polars),
    ("polars", "LazyFrame", _from_lazy),
    ("pyarrow", "Table", _from_arrow),
    ("pyarrow", "RecordBatch", _from_arrow),
    ("pyarrow", "ChunkedArray", _from_arrow_array),
    ("pyarrow", "Array", _from_arrow_array),
    ("numpy", "ndarray", _from_array),
)


def csv_of(frame: pd.DataFrame) -> bytes:
    """Write a frame as CSV that ``pandas.read_csv`` reads again: nested values as JSON, UTF-8, ``\\n`` ends a line."""
    import csv

    if not frame.shape[1]:
        return b"index\n"  # pandas reads no file without a header
    frame = _flat(frame)
    text = frame.to_csv(index=False, lineterminator="\n")
    if "\r" in text:  # Python's writer leaves a lone one unquoted, and readers end the line at it
        text = frame.to_csv(index=False, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    return text.encode(errors="backslashreplace")


def _flat(frame: pd.DataFrame) -> pd.DataFrame:
    nested = [
        number
        for number, dtype in enumerate(frame.dtypes)
        if dtype.kind == "O" and any(_is_nested(value) for value in frame.iloc[:, number])
    ]
    if not nested:
        return frame
    frame = frame.copy(deep=False)
    for number in nested:
        column = frame.iloc[:, number].map(lambda value: _as_json(value) if _is_nested(value) else value)
        frame.isetitem(number, column.array)
    return frame


def _is_nested(value: Any) -> bool:
    return isinstance(value, dict | list | tuple | set | frozenset) or is_a(value, "numpy", "ndarray")


def _as_json(value: Any) -> str:
    plain = list(value) if isinstance(value, set | frozenset) or is_a(value, "numpy", "ndarray") else value
    try:
        return json.dumps(plain, ensure_ascii=False, default=str)
    except (TypeError, ValueError):
        return str(value)
