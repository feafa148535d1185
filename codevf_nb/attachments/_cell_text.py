"""The text of each cell, as it is in the CSV and in the profile: both ask here, so that they agree.

A text of None is a null, which is an empty cell; an empty text is ``""``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from codevf_nb.attachments._json_values import is_missing, json_text
from codevf_nb.attachments.attachment import is_a

if TYPE_CHECKING:
    import pandas as pd

Texts = list[str | None]
_QUOTED = re.compile('[,"\r\n]')


def csv_of(frame: pd.DataFrame, *, nan_is_null: bool = True) -> bytes:
    """Write a frame as CSV: nested values as JSON, UTF-8, ``\\n`` ends a line.

    ``nan_is_null``: a NaN is how the table's library marks a missing value, so it is an empty cell too.
    """
    if not frame.shape[1]:
        return b"index\n"  # pandas reads no file without a header
    columns = [_quoted(column, alone=frame.shape[1] == 1) for column in columns_of(frame, nan_is_null=nan_is_null)]
    header = ",".join(_quoted_text(str(name)) for name in frame.columns)
    lines = [header, *map(",".join, zip(*columns, strict=True)), ""]
    return "\n".join(lines).encode(errors="backslashreplace")


def _quoted(column: Texts, *, alone: bool) -> list[str]:
    filled = [text for text in column if text]
    if len(filled) == len(column) and not _QUOTED.search("".join(filled)):  # most columns, at once
        return filled
    null = '""' if alone else ""  # a line that is empty altogether would be skipped
    return [null if text is None else _quoted_text(text) for text in column]


def _quoted_text(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if not text or _QUOTED.search(text) else text


def columns_of(frame: pd.DataFrame, *, nan_is_null: bool = True) -> list[Texts]:
    """Return the texts of all columns; those of one numpy type are taken at once, since a frame may be very wide."""
    found: dict[int, Texts] = {}
    kinds: dict[Any, list[int]] = {}
    for number, dtype in enumerate(frame.dtypes):
        kinds.setdefault(dtype, []).append(number)
    for dtype, numbers in kinds.items():
        part = frame if len(numbers) == frame.shape[1] else frame.iloc[:, numbers]
        if dtype.kind in "iufbcO" and is_a(dtype, "numpy", "dtype"):
            listed: Iterable[Any] = part.to_numpy().T
        else:
            listed = (column.array for _, column in part.items())
        for number, values in zip(numbers, listed, strict=True):
            found[number] = texts(values, nan_is_null=nan_is_null)
    return [found[number] for number in range(frame.shape[1])]


def texts(values: Any, *, nan_is_null: bool = True) -> Texts:
    """Return the text of each value of an array of numpy's or pandas'."""
    dtype = values.dtype
    if is_a(values, "numpy", "ndarray") or is_a(values, "pandas", "NumpyExtensionArray"):
        return _numpy_texts(values.to_numpy() if hasattr(values, "to_numpy") else values, nan_is_null=nan_is_null)
    if is_a(dtype, "pandas", "CategoricalDtype"):
        names = texts(values.categories.array, nan_is_null=nan_is_null)
        return [None if code < 0 else names[code] for code in values.codes.tolist()]
    if is_a(dtype, "pandas", "ArrowDtype"):
        import pyarrow as pa

        from codevf_nb.attachments._arrow_tables import series_of

        return texts(series_of(pa.chunked_array(values.__arrow_array__())).array, nan_is_null=False)
    if is_a(dtype, "pandas", "BaseMaskedDtype"):
        known = _numpy_texts(values.to_numpy(dtype=dtype.numpy_dtype, na_value=0), nan_is_null=False)
        return [None if missing else text for missing, text in zip(values.isna().tolist(), known, strict=True)]
    if is_a(dtype, "pandas", "SparseDtype"):
        return texts(values.to_dense(), nan_is_null=nan_is_null)
    return _other_texts(values)


def _numpy_texts(values: Any, *, nan_is_null: bool) -> Texts:
    kind = values.dtype.kind
    if kind in "iub":
        return [str(value) for value in values.tolist()]
    if kind == "f":
        written = map(repr, values.tolist()) if values.dtype.itemsize == 8 else map(str, values)
        return [(None if nan_is_null else "NaN") if text == "nan" else text for text in written]
    if kind in "mM":
        import pandas as pd

        return texts(pd.Series(values).array)
    return [text_of(value, nan_is_null=nan_is_null) for value in values]


def _other_texts(values: Any) -> Texts:
    """Return the texts of an extension array, as pandas writes them: dates, periods, intervals, text."""
    import pandas as pd

    if is_a(values.dtype, "pandas", "StringDtype"):
        return [text if type(text) is str else None for text in values.tolist()]
    # Each column of a wide frame pays for a Series; moments write themselves in the same way without one.
    known = values.astype("U") if values.dtype.kind in "mM" else pd.Series(values).astype(str)
    return [None if gap else str(value) for gap, value in zip(values.isna().tolist(), known.tolist(), strict=True)]


def text_of(value: Any, *, nan_is_null: bool = True) -> str | None:
    """Return the text of one value of any type."""
    if type(value) is str:
        return value
    if is_missing(value):
        return None
    if is_nested(value):
        return json_text(value)
    text = str(value)
    if text == "nan" and not isinstance(value, str):
        return None if nan_is_null else "NaN"
    return text


def is_nested(value: Any) -> bool:
    """Whether a value is a collection, which goes as JSON."""
    if type(value) is str:
        return False
    return isinstance(value, dict | list | tuple | set | frozenset) or is_a(value, "numpy", "ndarray")


def type_names(values: Sequence[Any]) -> dict[str, int]:
    """Return how many values there are of each Python type, nulls left out, the commonest first."""
    counts: dict[str, int] = {}
    for value in values:
        if not is_missing(value) and not (isinstance(value, float) and value != value):  # noqa: PLR0124 - NaN
            name = type(value).__name__
            counts[name] = counts.get(name, 0) + 1
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
