"""Values with named parts: dicts, records, models and rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from codevf_nb.attachments._json_values import fields_of
from codevf_nb.attachments.attachment import is_a


def named_parts(value: Any) -> Mapping[Any, Any] | None:
    """Return the named parts of a value, or None if it has none."""
    if isinstance(value, Mapping):
        return value
    record: dict[Any, Any] | None = fields_of(value)
    if record is not None:
        return record
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return dict(zip(value._fields, value, strict=False))
    dtype = getattr(value, "dtype", None)
    if getattr(dtype, "names", None) and is_a(value, "numpy", "void"):
        return {name: value[name] for name in dtype.names}  # type: ignore[union-attr]
    if is_a(value, "sqlite3", "Row"):
        return dict(value)
    return _attributes_of(value)


def _attributes_of(value: Any) -> Mapping[Any, Any] | None:
    """Return the attributes of an object that is written as its repr, because the repr may show them."""
    kind = type(value)
    if isinstance(value, type) or callable(value) or kind.__module__ in {"builtins", "datetime", "decimal", "uuid"}:
        return None
    if any(library in kind.__module__.partition(".")[0] for library in ("pandas", "numpy", "polars", "pyarrow")):
        return None
    listed = getattr(kind, "__struct_fields__", None) or [
        name for base in kind.__mro__ for name in _slots_of(base) if hasattr(value, name)
    ]
    found = {name: getattr(value, name) for name in listed} | getattr(value, "__dict__", {})
    return found or None


def _slots_of(kind: type) -> tuple[str, ...]:
    slots = kind.__dict__.get("__slots__", ())
    named = (slots,) if isinstance(slots, str) else tuple(slots)
    return tuple(name for name in named if not name.startswith("__"))
