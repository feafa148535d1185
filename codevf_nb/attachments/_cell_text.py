"""The text of each table cell. The CSV and the profile both use this module, so they agree.

A null is None here and an empty cell in the CSV. An empty text is ``""`` in the CSV.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any, cast

from codevf_nb.attachments._json_values import is_missing, json_text
from codevf_nb.attachments.attachment import is_a

Texts = list[str | None]
_NUMBERS = frozenset({int, float, bool})
_QUOTED = re.compile('[,"\r\n]')


def csv_of(header: Sequence[str], columns: Sequence[Texts]) -> bytes:
    """Write columns of texts as CSV, in UTF-8, with ``\\n`` as the line ending."""
    if not header:
        return b"index\n"  # pandas can't read a file without a header
    cells = [_quoted(column, alone=len(header) == 1) for column in columns]
    lines = [",".join(map(_quoted_text, header)), *map(",".join, zip(*cells, strict=True)), ""]
    return "\n".join(lines).encode(errors="backslashreplace")


def _quoted(column: Texts, *, alone: bool) -> Sequence[str]:
    filled = cast("Sequence[str]", column) if all(column) else [text for text in column if text]
    null = '""' if alone else ""  # readers skip empty lines
    if _QUOTED.search("".join(filled)):
        return [null if text is None else _quoted_text(text) for text in column]
    if len(filled) == len(column):  # the fast path: most columns need no quotes
        return filled
    return [text or (null if text is None else '""') for text in column]


def _quoted_text(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if not text or _QUOTED.search(text) else text


def texts(values: Any, *, nan_is_null: bool = True, length: int = 0) -> Texts:
    """Return the text of each value of a numpy or pandas array.

    With a ``length``, the array holds several columns of this length, one after another. pandas chooses one format for
    all timestamps of a column (all as dates, or all with the same number of digits), so each column is formatted
    separately.
    """
    dtype = values.dtype
    if is_a(values, "numpy", "ndarray") or is_a(values, "pandas", "NumpyExtensionArray"):
        plain = values.to_numpy() if hasattr(values, "to_numpy") else values
        return _numpy_texts(plain, nan_is_null=nan_is_null, length=length)
    if is_a(dtype, "pandas", "CategoricalDtype"):
        names = texts(values.categories.array, nan_is_null=nan_is_null)
        return [None if code < 0 else names[code] for code in values.codes.tolist()]
    if is_a(dtype, "pandas", "ArrowDtype"):
        import pyarrow as pa

        from codevf_nb.attachments._arrow_values import series_of

        known = series_of(pa.chunked_array(values.__arrow_array__())).array
        return texts(known, nan_is_null=False, length=length)
    if is_a(dtype, "pandas", "BaseMaskedDtype"):
        known = _numpy_texts(values.to_numpy(dtype=dtype.numpy_dtype, na_value=0), nan_is_null=False)
        return [None if missing else text for missing, text in zip(values.isna().tolist(), known, strict=True)]
    if is_a(dtype, "pandas", "SparseDtype"):
        return texts(values.to_dense(), nan_is_null=nan_is_null)
    return _other_texts(values, length or len(values))


def _numpy_texts(values: Any, *, nan_is_null: bool, length: int = 0) -> Texts:
    kind = values.dtype.kind
    if kind in "iub":
        return [str(value) for value in values.tolist()]
    if kind == "f":
        written = map(repr, values.tolist()) if values.dtype.itemsize == 8 else map(str, values)
        return [(None if nan_is_null else "NaN") if text == "nan" else text for text in written]
    if kind in "mM":
        import pandas as pd

        return texts(pd.Series(values).array, length=length)
    return [value if type(value) is str else text_of(value, nan_is_null=nan_is_null) for value in values]


def _timestamp_texts(values: Any, length: int) -> Texts:
    """Return the texts of timestamps or durations. Columns with the same format are converted together."""
    import numpy as np

    if not len(values):
        return []
    fineness = _resolutions(values, length)
    levels = np.unique(fineness).tolist()
    if len(levels) == 1:
        return _written(values)
    found: Texts = [None] * len(values)
    for level in levels:
        places = (np.flatnonzero(fineness == level)[:, np.newaxis] * length + np.arange(length)).ravel()
        for place, text in zip(places.tolist(), _written(values[places]), strict=True):
            found[place] = text
    return found


def _resolutions(values: Any, length: int) -> Any:
    """Return the resolution of each column's timestamps: days, seconds, or a power of a thousandth of a second."""
    import numpy as np

    unit = getattr(values, "unit", None) or np.datetime_data(values.dtype)[0]
    day = 86_400 * {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[unit]
    counts, gaps = values.astype("int64").reshape(-1, length), values.isna().reshape(-1, length)
    steps = [day // part for part in (1, 86_400, 86_400 * 10**3, 86_400 * 10**6) if day // part > 1]
    return sum(((counts % step != 0) & ~gaps).any(axis=1).astype(int) for step in steps)


def _other_texts(values: Any, length: int) -> Texts:
    """Return the texts of an extension array such as text, dates, periods or intervals."""
    if is_a(values.dtype, "pandas", "StringDtype"):
        return [text if type(text) is str else None for text in values.tolist()]
    return _timestamp_texts(values, length) if values.dtype.kind in "mM" else _written(values)


def _written(values: Any) -> Texts:
    """Return the texts of an extension array, in the format that pandas uses."""
    import pandas as pd

    # Timestamp arrays give the same texts without a Series, which is slow.
    known = values.astype("U") if values.dtype.kind in "mM" else pd.Series(values).astype(str)
    return [None if gap else str(value) for gap, value in zip(values.isna().tolist(), known.tolist(), strict=True)]


def text_of(value: Any, *, nan_is_null: bool = True) -> str | None:
    """Return the text of one value of any type, or None for a null."""
    kind = type(value)
    if kind is str or value is None:
        return cast("str | None", value)
    if kind not in _NUMBERS:
        if is_missing(value):
            return None
        if is_nested(value):
            return json_text(value)
    text = str(value)
    if text == "nan" and not isinstance(value, str):
        return None if nan_is_null else "NaN"
    return text


def is_nested(value: Any) -> bool:
    """Whether a value is a collection, which is written as JSON."""
    if type(value) is str:
        return False
    return isinstance(value, dict | list | tuple | set | frozenset) or is_a(value, "numpy", "ndarray")


def type_names(values: Sequence[Any]) -> dict[str, int]:
    """Count the values of each Python type, without nulls, the most common type first."""
    counts: dict[str, int] = {}
    for value in values:
        if not is_missing(value) and not (isinstance(value, float) and math.isnan(value)):
            name = type(value).__name__
            counts[name] = counts.get(name, 0) + 1
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
