"""From what people have (classes, columns, dtypes) to a JSON Schema.

pandas and pydantic are recognised by what their objects can do, never imported.
"""

from __future__ import annotations

import dataclasses
import enum
import types
import typing
from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from codevf_nb.sdk.exceptions import BadRequestError

ROWS = "rows"
"""The name of the one array in the schema of a table."""

_JSON_TYPES = {"object", "array", "string", "number", "integer", "boolean", "null"}
_KEYWORDS: dict[str, type | tuple[type, ...]] = {
    "$schema": str,
    "$ref": str,
    "$defs": dict,
    "properties": dict,
    "items": (dict, bool),
    "anyOf": list,
    "oneOf": list,
    "allOf": list,
    "enum": list,
}
_PYTHON_TYPES: dict[Any, dict[str, Any]] = {
    str: {"type": "string"},
    bytes: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    Decimal: {"type": "number"},
    None: {"type": "null"},
    type(None): {"type": "null"},
    Any: {},
    object: {},
    dict: {"type": "object"},
    list: {"type": "array"},
    datetime: {"type": "string", "format": "date-time"},
    date: {"type": "string", "format": "date"},
    time: {"type": "string", "format": "time"},
}
# The starts of dtype names, in pandas' and numpy's spellings; the first that fits decides.
_DTYPES = (
    (("bool",), {"type": "boolean"}),
    (("int", "uint"), {"type": "integer"}),
    (("float", "double", "number", "decimal"), {"type": "number"}),
    (("datetime", "timestamp"), {"type": "string", "format": "date-time"}),
    (("date",), {"type": "string", "format": "date"}),
    (("timedelta", "str", "string", "object", "category", "large_string", "<u", "<m8"), {"type": "string"}),
)


def to_json_schema(shape: Any) -> dict[str, Any]:
    """A JSON Schema from a schema, or from a shape as Python and pandas write it.

    * a dict that is a JSON Schema: as it is;
    * a dict of names to types or dtypes (`{"severity": str, "line": int}`), a dataclass, a pydantic model
      class, a TypedDict: one object with those fields;
    * a list of (column, dtype) pairs, `df.dtypes`, or a list with one class or dict in it (`[Finding]`):
      a table, that is an object whose one array, `rows`, holds the rows.

    Raises BadRequestError for anything else, and names the part it can't express.
    """
    if isinstance(shape, dict):
        return shape if _is_schema(shape) else _object_of(shape)
    if isinstance(shape, list | tuple):
        return _table(shape)
    if hasattr(shape, "items") and hasattr(shape, "dtype") and not isinstance(shape, type):
        return _table([(name, kind) for name, kind in shape.items()])
    schema = _schema_of(shape, ())
    if schema.get("type") == "array":
        return _in_rows(schema)
    if schema.get("type") == "object" or "$ref" in schema:
        return schema
    raise _inexpressible(shape)


def _is_schema(shape: dict[Any, Any]) -> bool:
    if not shape:
        return True
    kind = shape.get("type")
    kinds = kind if isinstance(kind, list) and kind else [kind]
    if all(isinstance(entry, str) and entry in _JSON_TYPES for entry in kinds):
        # {"type": "string", "line": int} is a row with a column called type.
        return not any(isinstance(value, type) for value in shape.values())
    return any(isinstance(shape.get(word), form) for word, form in _KEYWORDS.items()) or "const" in shape


def _table(columns: Any) -> dict[str, Any]:
    columns = list(columns)
    if len(columns) == 1 and not isinstance(columns[0], list | tuple | str):
        return _in_rows({"type": "array", "items": to_json_schema(columns[0])})
    if not columns or not all(isinstance(column, list | tuple) and len(column) == 2 for column in columns):
        raise _inexpressible(columns, "a list must hold (column, dtype) pairs, such as [('line', 'int64')]")
    return _in_rows({"type": "array", "items": _object_of(dict(columns))})


def _in_rows(array: dict[str, Any]) -> dict[str, Any]:
    """A table inside an object: the documentation's example has an object at the top."""
    definitions = array.get("items", {}).pop("$defs", None)
    schema: dict[str, Any] = {"type": "object", "properties": {ROWS: array}, "required": [ROWS]}
    return schema if definitions is None else {**schema, "$defs": definitions}


def _object_of(
    fields: Mapping[Any, Any], required: list[str] | None = None, seen: tuple[Any, ...] = ()
) -> dict[str, Any]:
    for name in fields:
        if not isinstance(name, str):
            raise _inexpressible(name, "names must be text")
    return {
        "type": "object",
        "properties": {name: _schema_of(kind, seen) for name, kind in fields.items()},
        "required": list(fields) if required is None else required,
    }


def _schema_of(kind: Any, seen: tuple[Any, ...]) -> dict[str, Any]:
    """The schema of one type, wherever it stands; `seen` are the classes that it stands in."""
    try:
        if kind in _PYTHON_TYPES:
            return dict(_PYTHON_TYPES[kind])
    except (TypeError, ValueError):  # unhashable: a dict or a list of its own
        if isinstance(kind, dict | list | tuple):
            return to_json_schema(kind)
        raise _inexpressible(kind) from None
    if typing.get_origin(kind) is not None:
        return _schema_of_generic(kind, seen)
    if isinstance(kind, type):
        return _schema_of_class(kind, seen)
    return _schema_of_dtype(kind)


def _schema_of_class(kind: Any, seen: tuple[Any, ...]) -> dict[str, Any]:
    if hasattr(kind, "model_json_schema"):
        return dict(kind.model_json_schema())
    if issubclass(kind, enum.Enum):
        return {"enum": [member.value for member in kind]}
    if kind in seen:
        raise _inexpressible(kind, "a class that holds itself needs a schema written by hand")
    if dataclasses.is_dataclass(kind):
        defaults = (dataclasses.MISSING, dataclasses.MISSING)
        fields = [field for field in dataclasses.fields(kind) if field.init]
        needed = [field.name for field in fields if (field.default, field.default_factory) == defaults]
        hints = typing.get_type_hints(kind)
        return _object_of({field.name: hints[field.name] for field in fields}, needed, (*seen, kind))
    if typing.is_typeddict(kind):
        return _object_of(typing.get_type_hints(kind), sorted(kind.__required_keys__), (*seen, kind))
    for base in (bool, int, float, str):
        if issubclass(kind, base):
            return dict(_PYTHON_TYPES[base])
    return _schema_of_dtype(kind)


def _schema_of_generic(kind: Any, seen: tuple[Any, ...]) -> dict[str, Any]:
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Annotated:
        return _schema_of(inner[0], seen)
    if origin is typing.Literal:
        return {"enum": list(inner)}
    if origin in {typing.Union, types.UnionType}:
        return {"anyOf": [_schema_of(entry, seen) for entry in inner]}
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {"type": "object", "additionalProperties": _schema_of(inner[1], seen)}
    if isinstance(origin, type) and issubclass(origin, list | tuple | set | frozenset):
        return {"type": "array", "items": _schema_of(inner[0], seen)}
    if hasattr(origin, "__mro__") and hasattr(origin, "__iter__"):
        return {"type": "array", "items": _schema_of(inner[0], seen)}
    raise _inexpressible(kind)


def _schema_of_dtype(kind: Any) -> dict[str, Any]:
    categories = getattr(kind, "categories", None)
    if categories is not None and all(isinstance(entry, str) for entry in categories):
        return {"type": "string", "enum": list(categories)}
    name = str(getattr(kind, "name", None) or getattr(kind, "__name__", None) or kind).lower()
    if isinstance(kind, str) or hasattr(kind, "kind") or hasattr(kind, "itemsize"):
        for starts, schema in _DTYPES:
            if name.startswith(starts):
                return dict(schema)
    raise _inexpressible(kind)


def _inexpressible(shape: Any, why: str = "") -> BadRequestError:
    text = getattr(shape, "__name__", None) or repr(shape)
    text = f"a {type(shape).__name__}" if "\n" in text else text
    hint = why or "use a JSON Schema, a dataclass, a pydantic model, a dict of names to types, or column pairs"
    message = f"{text[:80]} can't be made a JSON Schema: {hint}"
    details = {"errors": [{"field": "response_schema", "message": message}]}
    return BadRequestError(f"response_schema: {message}", code="invalid_request", details=details)
