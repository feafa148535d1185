"""Statistics of one column: nulls, distinct values, minimum, maximum and quartiles.

They cover the whole column where that is fast: everything in a small table, and in a large table the statistics that
need one pass over numbers. The others cover only the rows sent, and are marked with ``*``. The choice depends only on
the size and the types of the table, never on time, so the same table always has the same profile.
"""

from __future__ import annotations

import datetime as dt
import decimal
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from codevf_nb.attachments._cell_text import is_nested, texts, type_names
from codevf_nb.attachments._json_values import is_missing
from codevf_nb.attachments._table import Table
from codevf_nb.attachments.attachment import is_a

if TYPE_CHECKING:
    import pandas as pd

BATCH_ROWS = 1 << 18  # rows per batch
_ALL_CELLS = 1_000_000  # a table with at most this many cells is counted completely
_PASS_CELLS = 100_000_000  # one pass is made over at most this many numbers
_SORTABLE = (int, float, decimal.Decimal, dt.date, dt.time, dt.timedelta)
# The texts that pandas.read_csv reads as a null.
_NULL_WORDS = frozenset(
    "#N/A,#N/A N/A,#NA,-1.#IND,-1.#QNAN,-NaN,-nan,1.#IND,1.#QNAN,<NA>,N/A,NA,NULL,NaN,None,n/a,nan,null".split(",")  # noqa: SIM905
)
_MIXED = ("object", "Object")  # dtypes that don't determine the types of their values
_MISSING_NAMES = {"float": "NaN", "NAType": "NA", "NaTType": "NaT"}


@dataclass
class Statistics:
    """Statistics of a column as text. A text that ends in ``*`` covers only the rows sent."""

    nulls: str = ""
    distinct: str = ""
    extremes: str = ""
    quartiles: str = ""
    types: str = ""
    remarks: list[str] = field(default_factory=list)


def statistics_of(table: Table, number: int, sent: pd.Series[Any], *, masked: bool) -> Statistics:
    """Compute the statistics of one column of a table.

    Args:
        table: The whole table.
        number: The column's number.
        sent: The column's values in the rows that are sent.
        masked: Whether the column is masked. Then no statistic shows a value.

    Returns:
        The statistics as text.
    """
    if table.part is not None:
        return _of_part(table, number, sent, masked=masked)
    if len(sent) == table.rows:
        return _counted(sent, table, number, masked=masked, mark="")
    if table.rows * len(table.header) <= _ALL_CELLS:
        return _counted(table.column_slice(number, 0, table.rows), table, number, masked=masked, mark="")
    found = _counted(sent, table, number, masked=masked, mark="*")
    if table.rows * len(table.header) <= _PASS_CELLS:
        _pass(table, number, found, masked=masked)
    return found


def _of_part(table: Table, number: int, sent: pd.Series[Any], *, masked: bool) -> Statistics:
    """Use the statistics that an engine computed over all rows; compute the others over the rows sent."""
    found = _counted(sent, table, number, masked=masked, mark="*")
    whole = table.part.figures.get(number) if table.part else None
    if whole is not None:
        found.nulls = whole.nulls or found.nulls
        found.distinct = whole.distinct or found.distinct
        if not masked:
            found.extremes = whole.extremes or found.extremes
            found.quartiles = whole.quartiles or found.quartiles
    return found


def _counted(values: pd.Series[Any], table: Table, number: int, *, masked: bool, mark: str) -> Statistics:
    """Compute all statistics over some values."""
    found = Statistics()
    missing, nan = _missing(values, nan_is_null=table.nan_is_null)
    known = values[~(missing | nan)]
    found.nulls = _nulls(values, int(missing.sum()), int(nan.sum())) + mark
    count = _distinct(known)
    found.distinct = "" if count is None else f"{count:,}{mark}"
    found.types = _types(known, mark) if table.dtypes[number] in _MIXED else ""
    if not masked:
        least, *quartiles, greatest = _order_statistics(known) or ["", ""]
        found.extremes = f"{least} … {greatest}{mark}" if greatest else ""
        found.quartiles = ", ".join(quartiles) + mark if quartiles else ""
        found.remarks += _category_remarks(values, mark)
    found.remarks += _text_remarks(known, mark, is_alone=len(table.header) == 1)
    return found


def _missing(values: pd.Series[Any], *, nan_is_null: bool) -> tuple[Any, Any]:
    """Return which values are null, and which are a NaN that is not a null."""
    import numpy as np

    nothing = np.zeros(len(values), dtype=bool)
    kind = values.dtype
    if is_a(kind, "pandas", "BaseMaskedDtype") and kind.kind == "f":
        missing = values.isna().to_numpy(dtype=bool)
        return missing, np.isnan(values.to_numpy(dtype="float64", na_value=0.0)) & ~missing
    if is_a(kind, "pandas", "ArrowDtype") and kind.kind == "f":
        import pyarrow as pa

        missing = pa.chunked_array(values.array.__arrow_array__()).is_null().to_numpy()
        return missing, values.isna().to_numpy(dtype=bool) & ~missing
    missing = values.isna().to_numpy(dtype=bool)
    if nan_is_null or kind.kind not in "fO":
        return missing, nothing
    null = nothing if kind.kind == "f" else np.fromiter(map(is_missing, values), dtype=bool, count=len(values))
    return null, missing & ~null


def _nulls(values: pd.Series[Any], nulls: int, nan: int) -> str:
    if nan:
        return f"{nulls:,}, and {nan:,} NaN"
    if not nulls or not _is_object(values.dtype):
        return f"{nulls:,}"
    kinds: dict[str, int] = {}
    for value in values[values.isna()]:
        name = _MISSING_NAMES.get(type(value).__name__, "None")
        kinds[name] = kinds.get(name, 0) + 1
    listed = ", ".join(f"{count:,} {name}" for name, count in kinds.items())
    return f"{nulls:,} ({listed})" if kinds.keys() - {"None"} else f"{nulls:,}"


def _distinct(known: pd.Series[Any]) -> int | None:
    try:
        return int(known.nunique())
    except Exception:  # noqa: BLE001 - nested values: each library raises its own error for values that it can't compare
        return None


def _types(known: pd.Series[Any], mark: str) -> str:
    """Describe the Python types in a column of objects."""
    if not _is_object(known.dtype):
        return ""
    names = type_names(known.tolist())
    if len(names) == 1:
        return f" ({next(iter(names))})"
    listed = ", ".join(f"{name} {count:,}" for name, count in list(names.items())[:6])
    return f" ({listed}{', …' if len(names) > 6 else ''}{mark})" if names else ""


def _order_statistics(known: pd.Series[Any]) -> list[str] | None:
    """Return minimum, quartiles and maximum as text. They are values of the column, never interpolated."""
    if known.empty or not _has_order(known):
        return None
    known = known.dropna()
    try:
        ordered = known.sort_values(ignore_index=True)
    except Exception:  # noqa: BLE001 - for example, timestamps with and without a time zone
        return None
    last = len(ordered) - 1
    places = [0, last // 4, last // 2, 3 * last // 4, last]
    written = texts(ordered.iloc[places].array, nan_is_null=False)
    return [_short(text or "") for text in written]


def _has_order(known: pd.Series[Any]) -> bool:
    from pandas.api import types

    dtype: Any = known.dtype
    if is_a(dtype, "pandas", "CategoricalDtype"):
        return bool(dtype.ordered)
    if types.is_bool_dtype(dtype) or types.is_complex_dtype(dtype):
        return False
    if _is_object(dtype):
        return all(isinstance(value, _SORTABLE) and not isinstance(value, bool) for value in known)
    is_moment = types.is_datetime64_any_dtype(dtype) or types.is_timedelta64_dtype(dtype)
    return is_moment or types.is_numeric_dtype(dtype) or is_a(dtype, "pandas", "PeriodDtype")


def _category_remarks(values: pd.Series[Any], mark: str) -> list[str]:
    """List the categories in use, in their order. The others are only counted, because no row shows them."""
    dtype: Any = values.dtype
    if not is_a(dtype, "pandas", "CategoricalDtype"):
        return []
    names = texts(dtype.categories.array)
    used = sorted({code for code in values.cat.codes.unique().tolist() if code >= 0})
    sign = " < " if dtype.ordered else ", "
    listed = sign.join(_short(names[code] or "") for code in used[:20]) + (f"{sign}…" if len(used) > 20 else "")
    unused = f", {len(names) - len(used):,} without a row{mark}" if len(names) > len(used) else ""
    return [f"categories ({dtype.categories.dtype}{', ordered' if dtype.ordered else ''}{unused}): {listed}{mark}"]


def _text_remarks(known: pd.Series[Any], mark: str, *, is_alone: bool) -> list[str]:
    """Describe which texts or nested values of a column look different in the CSV."""
    if not _is_object(known.dtype) and not is_a(known.dtype, "pandas", "StringDtype"):
        return []
    found = []
    values = known.tolist()
    texts_there = [value for value in values if type(value) is str]
    empty = texts_there.count("")
    if empty:
        looks = (
            'in the CSV they look like nulls, `""`' if is_alone else 'in the CSV they are `""`, and a null is nothing'
        )
        found.append(f"{empty:,}{mark} empty texts: {looks}")
    words = sorted(_NULL_WORDS.intersection(texts_there))
    if words:
        found.append(
            f"holds {', '.join(words)} as text: pandas.read_csv takes that for a null unless keep_default_na=False"
        )
    if any(not value.isascii() and _has_surrogate(value) for value in texts_there):
        found.append("lone surrogates are written as \\ud800")
    if len(texts_there) < len(values) and any(map(is_nested, values)):
        found.append("nested values are JSON: what JSON has no word for (dates, Decimals, NaN) is text in it")
    return found


def _has_surrogate(text: str) -> bool:
    return any("\ud800" <= char <= "\udfff" for char in text)


def _is_object(dtype: Any) -> bool:
    return is_a(dtype, "numpy", "dtype") and bool(dtype.kind == "O")


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:39]}…"


# -- one pass over a column that is too long for all statistics


@dataclass
class _Totals:
    nulls: int = 0
    nan: int = 0
    empty: int = 0
    ends: list[Any] = field(default_factory=list)

    def add(self, part: pd.Series[Any], *, nan_is_null: bool, masked: bool) -> None:
        kind: Any = part.dtype
        if is_a(kind, "pandas", "CategoricalDtype"):
            self.nulls += int((part.cat.codes.to_numpy() < 0).sum())
            return
        is_full = is_a(kind, "numpy", "dtype") and kind.kind in "iub"  # this dtype has no nulls
        missing = None
        if not is_full:
            missing, not_numbers = _missing(part, nan_is_null=nan_is_null)
            self.nulls, self.nan = self.nulls + int(missing.sum()), self.nan + int(not_numbers.sum())
        if is_a(kind, "pandas", "StringDtype"):
            self.empty += int((part == "").sum())
        elif kind.kind in "iufmM" and not masked:
            self.ends += _ends(part, missing)


def _pass(table: Table, number: int, found: Statistics, *, masked: bool) -> None:
    """Replace nulls and extremes of the rows sent by those of the whole column, if one pass over it is fast."""
    kind: Any = table.column_slice(number, 0, 1).dtype
    is_text = is_a(kind, "pandas", "StringDtype")
    is_quick = kind.kind in "iufbmM" or is_a(kind, "pandas", "CategoricalDtype")
    if _is_object(kind) or not (is_quick or (is_text and kind.storage == "pyarrow")):
        return
    totals = _Totals()
    for start in range(0, table.rows, BATCH_ROWS):
        part = table.column_slice(number, start, min(start + BATCH_ROWS, table.rows))
        if part.dtype.kind != kind.kind:  # polars or Arrow floats: batches with nulls have another dtype
            return
        totals.add(part, nan_is_null=table.nan_is_null, masked=masked)
    found.nulls = f"{totals.nulls:,}, and {totals.nan:,} NaN" if totals.nan else f"{totals.nulls:,}"
    if totals.ends:
        _put_extremes(found, kind, totals.ends)
    if is_text:
        found.remarks = [remark for remark in found.remarks if "empty texts" not in remark]
        if totals.empty:
            found.remarks.append(f'{totals.empty:,} empty texts: in the CSV they are `""`, and a null is nothing')


def _ends(part: pd.Series[Any], missing: Any) -> list[Any]:
    """Return the minimum and the maximum of a batch, with numpy where that is faster."""
    import numpy as np

    if not len(part):
        return []
    if is_a(part.dtype, "numpy", "dtype"):
        values = part.to_numpy()
        if values.dtype.kind == "f":
            return [np.fmin.reduce(values), np.fmax.reduce(values)]
        if values.dtype.kind in "iu" or not missing.any():
            return [values.min(), values.max()]
    return [part.min(), part.max()]


def _put_extremes(found: Statistics, kind: Any, ends: list[Any]) -> None:
    import pandas as pd

    there = pd.Series(ends).dropna()
    if there.empty:
        found.extremes = ""
        return
    both = pd.Series([there.min(), there.max()])
    written = texts(both.astype(kind).array, nan_is_null=False)
    found.extremes = " … ".join(text or "" for text in written)
