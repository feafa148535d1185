"""JSON Schemas from Python classes, columns and dtypes.

pandas and pydantic are never imported. Their objects are recognized by their attributes.
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
"""The name of the only array in the schema of a table."""

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
# Prefixes of the dtype names of pandas and numpy. The first match is used.
_DTYPES = (
    (("bool",), {"type": "boolean"}),
    (("int", "uint"), {"type": "integer"}),
    (("float", "double", "number", "decimal"), {"type": "number"}),
    (("datetime", "timestamp"), {"type": "string", "format": "date-time"}),
    (("date",), {"type": "string", "format": "date"}),
    (("timedelta", "str", "string", "object", "category", "large_string", "<u", "<m8"), {"type": "string"}),
)


def to_json_schema(shape: object) -> dict[str, Any]:
    """Return a JSON Schema for a shape.

    Args:
        shape: One of these:

            * a JSON Schema: it is returned unchanged;
            * a dict of names to types or dtypes (`{"severity": str, "line": int}`), a dataclass, a pydantic model
              class or a TypedDict: the schema of one object with these fields;
            * a list of (column, dtype) pairs, `df.dtypes`, or a list with one class or dict (`[Finding]`): the schema
              of a table, which is an object with one array named `rows`.

    Raises:
        BadRequestError: The shape, or the part of it that the message names, has no JSON Schema.

    Example:
        >>> to_json_schema({"line": int})
        {'type': 'object', 'properties': {'line': {'type': 'integer'}}, 'required': ['line']}
        >>> to_json_schema([("line", "int64")])["properties"]["rows"]["items"]["required"]
        ['line']
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
        # {"type": "string", "line": int} describes a row with a column named type.
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
    """Return the schema of an object with the array: the documentation only shows objects at the top level."""
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


def _schema_of(kind: object, seen: tuple[Any, ...]) -> dict[str, Any]:
    """Return the schema of one type. `seen` are the classes that contain it."""
    try:
        if kind in _PYTHON_TYPES:
            return dict(_PYTHON_TYPES[kind])
    except (TypeError, ValueError):  # unhashable: a dict or a list
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
        raise _inexpressible(kind, "a class that contains itself needs a hand-written schema")
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


def _schema_of_generic(kind: object, seen: tuple[Any, ...]) -> dict[str, Any]:
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


def _schema_of_dtype(kind: object) -> dict[str, Any]:
    categories = getattr(kind, "categories", None)
    if categories is not None and all(isinstance(entry, str) for entry in categories):
        return {"type": "string", "enum": list(categories)}
    name = str(getattr(kind, "name", None) or getattr(kind, "__name__", None) or kind).lower()
    if isinstance(kind, str) or hasattr(kind, "kind") or hasattr(kind, "itemsize"):
        for starts, schema in _DTYPES:
            if name.startswith(starts):
                return dict(schema)
    raise _inexpressible(kind)


def _inexpressible(shape: object, why: str = "") -> BadRequestError:
    text = getattr(shape, "__name__", None) or repr(shape)
    text = f"a {type(shape).__name__}" if "\n" in text else text
    hint = why or "use a JSON Schema, a dataclass, a pydantic model, a dict of names to types, or column pairs"
    message = f"{text[:80]} can't be made a JSON Schema: {hint}"
    details = {"errors": [{"field": "response_schema", "message": message}]}
    return BadRequestError(f"response_schema: {message}", code="invalid_request", details=details)
