"""Convert any value to JSON without a hidden loss: numbers stay numbers, and arrays become complete lists.

Values that JSON lacks are written as text: dates, Decimals, bytes, and also NaN and infinities, because strict JSON
parsers reject these.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable, Iterable
from typing import Any

from codevf_nb.attachments.attachment import is_a

_LONGEST = 1000  # characters of the text of an object with an unknown type


class LoopError(ValueError):
    """The value contains itself."""


def is_missing(value: Any) -> bool:
    """Whether a value is None, pandas.NA, NaT or a numpy NaT. A NaN is a number."""
    if value is None:
        return True
    kind = type(value)
    if kind.__module__.partition(".")[0] == "pandas":
        return kind.__name__ in {"NAType", "NaTType"}
    return kind.__name__ in {"datetime64", "timedelta64"} and bool(value != value)  # noqa: PLR0124 - numpy's NaT


def fields_of(value: Any) -> Any:
    """Return the fields of a dataclass or a pydantic model as a dict, or None for any other value."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if not is_a(value, "pydantic", "BaseModel"):
        return None
    return value.model_dump() if hasattr(value, "model_dump") else value.dict()


def json_text(value: Any) -> str:
    """Return a nested value of a cell as JSON on one line."""
    return json.dumps(plain(value), ensure_ascii=False)


def plain(value: Any, special: Callable[[Any], Any] = lambda _value: None, _path: tuple[int, ...] = ()) -> Any:
    """Convert a value to dicts, lists, texts and numbers.

    Args:
        value: The value to convert.
        special: A function that may return a replacement for a value, which is then converted; None keeps the value.

    Returns:
        A value that ``json.dumps`` accepts.

    Raises:
        LoopError: The value contains itself.
    """
    if value is None or value is True or value is False or type(value) in {str, int}:
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else _number_text(value)
    replaced = special(value)
    value = value if replaced is None else replaced
    parts = _parts(value)
    if parts is None:
        return _scalar(value)
    if id(value) in _path:
        raise LoopError("the value contains itself")
    path = (*_path, id(value))
    if isinstance(parts, dict):
        return {key: plain(part, special, path) for key, part in _text_keys(parts).items()}
    return [plain(part, special, path) for part in parts]


def _parts(value: Any) -> Any:
    """Return the parts of a collection as a dict or a list, or None for a scalar."""
    if isinstance(value, dict):
        return value
    if isinstance(value, set | frozenset):
        return ordered(value)
    if isinstance(value, list | tuple):
        fields = getattr(value, "_fields", None)  # a named tuple becomes a dict
        return dict(zip(fields, value, strict=True)) if isinstance(fields, tuple) else list(value)
    if is_a(value, "numpy", "ndarray"):
        return _array_parts(value)
    return fields_of(value)


def ordered(values: Iterable[Any]) -> list[Any]:
    """Return the members of a set in the same order in every kernel."""
    return sorted(values, key=lambda part: (type(part).__name__, _sortable(part)))


def _sortable(part: Any) -> Any:
    return (0, part, "") if isinstance(part, int | float) and part == part else (1, 0, repr(part))  # noqa: PLR0124


def _array_parts(array: Any) -> Any:
    if array.ndim == 0:
        return None
    if is_a(array, "numpy", "MaskedArray"):
        return array.tolist()
    if (array.dtype.kind in "biuf" and array.dtype.itemsize <= 8) or array.dtype.kind in "UT":
        return array.tolist()
    if array.dtype.names:
        return [{name: row[name] for name in array.dtype.names} for row in array]
    return list(array)


def _scalar(value: Any) -> Any:
    if is_missing(value):
        return None
    if is_a(value, "numpy", "ndarray"):
        return plain(value[()])
    if is_a(value, "numpy", "generic") and value.dtype.kind in "biufU" and value.dtype.itemsize <= 8:
        item = value.item()
        return item if not isinstance(item, float) or math.isfinite(item) else _number_text(item)
    if isinstance(value, int | str) and not hasattr(value, "name"):  # an Enum member is written as its text
        return int(value) if isinstance(value, int) else str(value)
    text = str(value)
    return text if len(text) <= _LONGEST or is_a(value, "numpy", "generic") or _is_data(value) else f"{text[:999]}…"


def _is_data(value: Any) -> bool:
    return isinstance(value, str | bytes | bytearray) or is_a(value, "decimal", "Decimal")


def _number_text(value: float) -> str:
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _text_keys(parts: dict[Any, Any]) -> dict[str, Any]:
    """Convert the keys of a dict to text. If a key that is not text has the same text as another, its type is added."""
    found: dict[str, Any] = {key: part for key, part in parts.items() if type(key) is str}
    if len(found) == len(parts):
        return found
    texts: dict[str, Any] = {}
    for key, part in parts.items():
        text = key if type(key) is str else _key_text(key)
        while type(key) is not str and (text in found or text in texts):
            text = f"{text} ({type(key).__name__})"
        texts[text] = part
    return texts


def _key_text(key: Any) -> str:
    if key is None or isinstance(key, bool | float):
        return json.dumps(key)
    return str(key)
