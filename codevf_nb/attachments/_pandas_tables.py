"""Read pandas frames, series and indexes as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from codevf_nb.attachments._headers import (
    counted,
    label_text,
    renamed,
    unique_header,
)
from codevf_nb.attachments._rows import Rows, rows_of_frame
from codevf_nb.attachments._table import Table
from codevf_nb.attachments.attachment import is_a

if TYPE_CHECKING:
    import pandas as pd

_BATCH_ROWS = 1 << 18  # labels per batch
_LONGEST_FACT = 200  # characters


def from_series(name: str, series: pd.Series[Any]) -> Table:
    """Read a Series as one column with its name, or else with the name of its variable."""
    frame = series.to_frame(series.name if series.name is not None else name)
    return from_frame(name, frame, f"Series of {counted(len(series), 'row')}")


def from_index(name: str, index: pd.Index[Any]) -> Table:
    """Read an Index as a table with one column for each level."""
    frame = _levels_frame(index, [name] if index.nlevels == 1 and index.name is None else None)
    return from_frame(name, frame, f"{type(index).__name__} of {counted(len(index), 'value')}")


def from_extension_array(name: str, array: Any) -> Table:
    """Read a pandas extension array, for example the result of ``unique()``."""
    import pandas as pd

    return from_frame(name, pd.DataFrame({name: array}), f"{type(array).__name__} of {counted(len(array), 'value')}")


def from_frame(name: str, frame: pd.DataFrame, what: str = "") -> Table:
    """Read a DataFrame. Its index is included unless it is exactly 0 … n-1 without a name."""
    levels = _levels(frame)
    labels = [*levels, *(label_text(label) for label in frame.columns)]
    header = unique_header(labels)
    # Without names: pandas treats a level name that is a number as a position.
    unnamed = frame.index.set_names([None] * frame.index.nlevels)

    def take(positions: Any) -> Rows:
        part = frame if len(positions) == len(frame) else frame.take(positions)
        if not levels:
            return rows_of_frame(part, header)
        index = rows_of_frame(_levels_frame(part.index, list(range(len(levels)))), header[: len(levels)])
        return index.hstack(rows_of_frame(part, header[len(levels) :]))

    def column_slice(number: int, start: int, stop: int) -> pd.Series[Any]:
        if number < len(levels):
            return unnamed[start:stop].get_level_values(number).to_series()
        return frame.iloc[:, number - len(levels)].iloc[start:stop]

    dtypes = [str(unnamed.get_level_values(number).dtype) for number in range(len(levels))]
    named = {dtype: str(dtype) for dtype in set(filter(_is_numpy, frame.dtypes))}  # str() is slow: once a dtype
    dtypes += [named[dtype] if _is_numpy(dtype) else _dtype(dtype) for dtype in frame.dtypes]
    size = f"{counted(len(frame), 'row')} × {counted(frame.shape[1], 'column')}"
    what = (what or f"{type(frame).__name__} of {size}") + renamed(labels, header)
    return Table(
        name,
        what,
        len(frame),
        header,
        tuple(dtypes),
        take,
        column_slice,
        len(levels),
        "index",
        facts=_facts(frame, levels),
        labels=(*(frame.index.names if levels else ()), *frame.columns),
    )


def _levels(frame: pd.DataFrame) -> list[str]:
    """Return the names of the index levels to send: none for exactly 0 … n-1 without a name."""
    if frame.shape[1] and _is_default(frame.index):
        return []
    names = list(frame.index.names)
    if len(names) == 1:
        return ["index" if names[0] is None else label_text(names[0])]
    return [f"level_{number}" if name is None else label_text(name) for number, name in enumerate(names)]


def _is_default(index: pd.Index[Any]) -> bool:
    import numpy as np
    import pandas as pd

    if index.name is not None or isinstance(index, pd.MultiIndex) or index.dtype != np.dtype("int64"):
        return False
    if isinstance(index, pd.RangeIndex):
        return index.equals(pd.RangeIndex(len(index)))
    if len(index) and (index[0] != 0 or index[-1] != len(index) - 1):
        return False
    return all(
        np.array_equal(index[start : start + _BATCH_ROWS], np.arange(start, min(start + _BATCH_ROWS, len(index))))
        for start in range(0, len(index), _BATCH_ROWS)
    )


def _levels_frame(index: pd.Index[Any], names: list[Any] | None) -> pd.DataFrame:
    import pandas as pd

    if not isinstance(index, pd.MultiIndex):
        return index.to_frame(index=False, name=index.name if names is None else names[0])
    return index.to_frame(index=False, name=list(index.names) if names is None else names, allow_duplicates=True)


def _is_numpy(dtype: Any) -> bool:
    return is_a(dtype, "numpy", "dtype")


def _dtype(dtype: Any) -> str:
    if is_a(dtype, "pandas", "CategoricalDtype"):
        return f"category of {len(dtype.categories):,}"
    return _short(str(dtype))


def _facts(frame: pd.DataFrame, levels: list[str]) -> tuple[str, ...]:
    """Describe what a CSV can't hold: the index type, names of axes, attrs, and a coordinate reference system."""
    index = frame.index
    what = (
        f"{type(index).__name__} {index.dtype}"
        if not is_a(index, "pandas", "MultiIndex")
        else f"MultiIndex of {counted(index.nlevels, 'level')}"
    )
    freq = getattr(index, "freqstr", None)
    if is_a(index, "pandas", "RangeIndex"):
        what = f"RangeIndex from {index.start} by {index.step}"  # type: ignore[attr-defined]
    where = f"its first {counted(len(levels), 'column')}" if levels else "which is 0 … n-1"
    facts = [f"Index: {what}{f', frequency {freq}' if freq else ''}, {where}."]
    names = [label_text(name) for name in frame.columns.names if name is not None]
    if names:
        facts.append(f"Name of the columns' axis: {_short(' / '.join(names))}.")
    if frame.columns.nlevels > 1:
        facts.append(f"Column labels have {frame.columns.nlevels} levels, written as `a / b`.")
    if frame.attrs:
        facts.append(f"attrs: {', '.join(_short(label_text(key)) for key in list(frame.attrs)[:20])} (not sent).")
    crs = getattr(frame, "crs", None) if is_a(frame, "geopandas", "GeoDataFrame") else None
    return (
        (*facts, f"Coordinate reference system: {_short(label_text(str(crs)))}.") if crs is not None else tuple(facts)
    )


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_FACT else f"{text[: _LONGEST_FACT - 1]}…"
