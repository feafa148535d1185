"""JSON Schemas for structured answers: a check before sending, and a comparison with the received data.

No schema is fetched from the network: a schema that refers to another address is refused.
"""

from __future__ import annotations

from typing import Any

from codevf_nb.sdk._schema_shapes import to_json_schema
from codevf_nb.sdk.exceptions import BadRequestError
from codevf_nb.sdk.parsing import one_line

__all__ = ["check_schema", "mismatches", "rows", "to_json_schema"]

MISMATCHES_SHOWN = 20
_REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")


def check_schema(schema: dict[str, Any]) -> dict[str, Any]:
    """Check that a schema is valid and refers to nothing outside of it.

    Args:
        schema: A JSON Schema.

    Returns:
        The same schema.

    Raises:
        BadRequestError: The schema is not valid. The message has the reason.

    Example:
        >>> check_schema({"type": "object"})
        {'type': 'object'}
    """
    problem = _problem_with(schema)
    if problem is None:
        return schema
    details = {"errors": [{"field": "response_schema", "message": problem}]}
    raise BadRequestError(f"response_schema {problem}", code="invalid_request", details=details)


def _problem_with(schema: object) -> str | None:
    from jsonschema.exceptions import SchemaError

    if not isinstance(schema, dict):
        return f"is of type {type(schema).__name__}; a JSON Schema is an object"
    try:
        for reference in _references(schema):
            if not reference.startswith("#"):
                return f"refers to {one_line(reference)!r}; only references within the schema (#/…) are allowed"
            _resolve(schema, reference)
        _validator_class(schema).check_schema(schema)
    except SchemaError as error:
        return f"is not a JSON Schema: {one_line(error.json_path)}: {one_line(error.message)}"
    except LookupError:
        return f"refers to {one_line(reference)!r}, which is not in it"
    except RecursionError:
        return "is nested too deeply"
    return None


def _validator_class(schema: dict[str, Any]) -> Any:
    from jsonschema import Draft202012Validator
    from jsonschema.validators import validator_for

    return validator_for(schema, default=Draft202012Validator)


def _registry() -> Any:
    """Return an empty registry. It fetches no schema."""
    from referencing import Registry

    return Registry()


def _resolve(schema: dict[str, Any], reference: str) -> Any:
    """Return the target of a reference in the schema. Raise LookupError if there is none."""
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


def _references(schema: object) -> list[str]:
    """Return every reference in a schema, also in places where it is only data: these are checked too."""
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


def mismatches(data: object, schema: object) -> list[str]:
    """Compare data with its schema. This function never raises and fetches nothing.

    Args:
        data: The data.
        schema: The JSON Schema. If it can't be used, this is one line of the result.

    Returns:
        A line for each difference.

    Example:
        >>> mismatches({"line": "12"}, {"properties": {"line": {"type": "integer"}}})
        ["$.line: '12' is not of type 'integer'"]
    """
    if not isinstance(schema, dict):
        return []
    try:
        validator = _validator_class(schema)(schema, registry=_registry())
        found = sorted(validator.iter_errors(data), key=lambda error: error.json_path)
        lines = [f"{one_line(error.json_path)}: {one_line(error.message)}" for error in found[:MISMATCHES_SHOWN]]
    except Exception as error:  # noqa: BLE001 - the data is not trusted, and the answer must be shown anyway
        return [f"$: can't be compared with its schema ({type(error).__name__})"]
    return lines + ([f"… and {len(found) - len(lines)} more"] if len(found) > len(lines) else [])


def rows(data: object, schema: object = None) -> list[dict[str, Any]] | None:
    """Return the rows of the table in structured data.

    An array of objects has its rows, and so has the only array of objects in an object. Any other object is one row.
    Any other value, and each value of any other array, is a row with the column `value`.

    Args:
        data: The data.
        schema: Its JSON Schema, which decides whether an empty array is a table. Without a schema, an empty array is a
            table if it is the only field.

    Returns:
        The rows, or None if an object has several tables.

    Example:
        >>> rows({"findings": [{"line": 3}, {"line": 7}], "summary": "two"})
        [{'line': 3}, {'line': 7}]
    """
    if isinstance(data, list):
        return list(data) if all(isinstance(entry, dict) for entry in data) else [{"value": entry} for entry in data]
    if not isinstance(data, dict):
        return [{"value": data}]
    tables = [value for name, value in data.items() if _is_table(value, schema, name, alone=len(data) == 1)]
    if len(tables) > 1:
        return None
    return list(tables[0]) if tables else [data] if data else []


def _is_table(value: object, schema: object, name: str, *, alone: bool) -> bool:
    if not isinstance(value, list):
        return False
    if value:
        return all(isinstance(entry, dict) for entry in value)
    expected = _items_of(schema, name)
    return alone if expected is None else _is_object(expected)


def _items_of(schema: object, name: str) -> Any:
    """Return the schema of the items of an array in an object, or None if it is not known."""
    part = _dereferenced(schema, schema)
    for key in ("properties", name, "items"):
        part = _dereferenced(part.get(key), schema) if isinstance(part, dict) else None
    return part if isinstance(part, dict) and part else None


def _dereferenced(part: Any, schema: Any) -> Any:
    """Return a part of a schema, or the target of its reference."""
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
