"""JSON Schemas for structured answers: checked before they are sent, and held against what comes back.

Nothing here goes to the network: a schema that refers to another address is refused.
"""

from __future__ import annotations

from typing import Any

from codevf_nb.sdk._schema_shapes import to_json_schema
from codevf_nb.sdk.exceptions import BadRequestError
from codevf_nb.sdk.parsing import clean

__all__ = ["check_schema", "mismatches", "rows", "to_json_schema"]

MISMATCHES_SHOWN = 20
_REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")


def check_schema(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema itself, if it is one that stands on its own; else BadRequestError says what is wrong."""
    complaint = _complaint(schema)
    if complaint is None:
        return schema
    details = {"errors": [{"field": "response_schema", "message": complaint}]}
    raise BadRequestError(f"response_schema {complaint}", code="invalid_request", details=details)


def _complaint(schema: Any) -> str | None:
    from jsonschema.exceptions import SchemaError

    if not isinstance(schema, dict):
        return f"is of type {type(schema).__name__}; a JSON Schema is an object"
    try:
        for reference in _references(schema):
            if not reference.startswith("#"):
                return f"refers to {clean(reference)!r}; only references within the schema (#/…) are taken"
            _resolve(schema, reference)
        _validator_class(schema).check_schema(schema)
    except SchemaError as error:
        return f"is no JSON Schema: {clean(error.json_path)}: {clean(error.message)}"
    except LookupError:
        return f"refers to {clean(reference)!r}, which is not in it"
    except RecursionError:
        return "is nested too deeply"
    return None


def _validator_class(schema: dict[str, Any]) -> Any:
    from jsonschema import Draft202012Validator
    from jsonschema.validators import validator_for

    return validator_for(schema, default=Draft202012Validator)


def _registry() -> Any:
    """A registry that knows nothing and fetches nothing."""
    from referencing import Registry

    return Registry()


def _resolve(schema: dict[str, Any], reference: str) -> Any:
    """Raises LookupError where a reference within the schema leads nowhere."""
    from referencing.exceptions import Unresolvable
    from referencing.jsonschema import DRAFT202012

    resource = DRAFT202012.create_resource(schema)
    try:
        return (
            _registry()
            .with_resource(resource.id() or "", resource)
            .resolver(resource.id() or "")
            .lookup(reference)
            .contents
        )
    except (Unresolvable, ValueError, TypeError, AttributeError) as error:
        raise LookupError(reference) from error


def _references(schema: Any) -> list[str]:
    """Every reference in a schema, also in places where it would only be data: those are refused as well."""
    found = []
    waiting = [schema]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            found += [part[name] for name in _REFERENCES if isinstance(part.get(name), str)]
            waiting += part.values()
        elif isinstance(part, list):
            waiting += part
    return found


def mismatches(data: Any, schema: Any) -> list[str]:
    """Where data does not fit its schema, a readable line each; empty where it fits.

    Never raises, and fetches nothing: a schema that can't be used is itself a line.
    """
    if not isinstance(schema, dict):
        return []
    try:
        validator = _validator_class(schema)(schema, registry=_registry())
        found = sorted(validator.iter_errors(data), key=lambda error: error.json_path)
        lines = [f"{clean(error.json_path)}: {clean(error.message)}" for error in found[:MISMATCHES_SHOWN]]
    except Exception as error:  # noqa: BLE001 - foreign data against a foreign schema: the answer is shown all the same
        return [f"$: can't be held against its schema ({type(error).__name__})"]
    return lines + ([f"… and {len(found) - len(lines)} more"] if len(found) > len(lines) else [])


def rows(data: Any, schema: Any = None) -> list[dict[str, Any]] | None:
    """The rows of a table in structured data, or None where an object has several tables, of which none is chosen.

    An array of objects is its rows; so is the one array of objects in an object. Any other object is one row, whatever
    its values are; a single value, or each value of another array, is a row with one column, ``value``. The schema
    says what an empty array would have: without one, an empty array is a table where it is all that there is.
    """
    if isinstance(data, list):
        return list(data) if all(isinstance(entry, dict) for entry in data) else [{"value": entry} for entry in data]
    if not isinstance(data, dict):
        return [{"value": data}]
    tables = [value for name, value in data.items() if _is_table(value, schema, name, alone=len(data) == 1)]
    if len(tables) > 1:
        return None
    return list(tables[0]) if tables else [data] if data else []


def _is_table(value: Any, schema: Any, name: str, *, alone: bool) -> bool:
    if not isinstance(value, list):
        return False
    if value:
        return all(isinstance(entry, dict) for entry in value)
    expected = _items_of(schema, name)
    return alone if expected is None else _is_object(expected)


def _items_of(schema: Any, name: str) -> Any:
    """Return the schema of the items of an array in an object, or None where it isn't known."""
    part = _followed(schema, schema)
    for key in ("properties", name, "items"):
        part = _followed(part.get(key), schema) if isinstance(part, dict) else None
    return part if isinstance(part, dict) and part else None


def _followed(part: Any, schema: Any) -> Any:
    """Return a part of a schema, or what it refers to."""
    for _ in range(20):
        if not isinstance(part, dict) or not isinstance(part.get("$ref"), str):
            return part
        try:
            part = _resolve(schema, part["$ref"])
        except LookupError:
            return None
    return None


def _is_object(schema: dict[str, Any]) -> bool:
    return schema.get("type") == "object" or "properties" in schema
