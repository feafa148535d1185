"""The part of JSON Schema that the sandbox supports. Schemas are checked before credits are put on hold."""

from __future__ import annotations

import math
from typing import Any

ANNOTATIONS = frozenset({"title", "description", "default", "examples", "format", "$schema", "$comment", "deprecated"})
STRUCTURE = frozenset({"type", "enum", "const", "anyOf", "$ref", "$defs", "definitions"})
OBJECTS = frozenset({"properties", "required", "additionalProperties"})
ARRAYS = frozenset({"items", "minItems", "maxItems"})
STRINGS = frozenset({"minLength", "maxLength"})
NUMBERS = frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"})
KEYWORDS = ANNOTATIONS | STRUCTURE | OBJECTS | ARRAYS | STRINGS | NUMBERS
TYPES = frozenset({"object", "array", "string", "number", "integer", "boolean", "null"})

LARGEST = {"minItems": 1_000, "minLength": 10_000}
MOST_NODES = 2_000


class SchemaError(Exception):
    """The sandbox can't answer a `responseSchema`. The message names the keyword."""


def check_keywords(schema: object) -> None:
    """Raise SchemaError for a value that is not a JSON Schema, or not in the supported subset."""
    if not isinstance(schema, dict):
        raise SchemaError("Must be an object: a JSON Schema")
    _Walk(schema).visit(schema, "responseSchema")
    _well_formed(schema)


def resolve(root: dict[str, Any], reference: str) -> Any:
    """Return the target of a local `$ref` (`#`, `#/$defs/Name`). Other references are refused and never fetched."""
    if not reference.startswith("#"):
        raise SchemaError(f"$ref {reference!r}: only local references (#/$defs/…) are supported")
    node: Any = root
    for part in reference[1:].split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        if not isinstance(node, dict) or name not in node:
            raise SchemaError(f"$ref {reference!r} points to nothing")
        node = node[name]
    return node


class _Walk:
    """One pass over every subschema."""

    def __init__(self, root: dict[str, Any]) -> None:
        self.root = root
        self.nodes = 0

    def visit(self, node: object, where: str) -> None:
        self.nodes += 1
        if self.nodes > MOST_NODES:
            raise SchemaError(f"More than {MOST_NODES} subschemas")
        if node is True:
            return
        if not isinstance(node, dict):
            raise SchemaError(f"{where}: a subschema must be an object or true")
        for keyword, value in node.items():
            if keyword not in KEYWORDS:
                raise SchemaError(f"{where}: keyword {keyword!r} is not supported")
            if keyword in LARGEST and isinstance(value, int | float) and value > LARGEST[keyword]:
                raise SchemaError(f"{where}: {keyword} is supported up to {LARGEST[keyword]}")
        if isinstance(node.get("$ref"), str):
            resolve(self.root, node["$ref"])
        self._children(node, where)

    def _children(self, node: dict[str, Any], where: str) -> None:
        for keyword in ("properties", "$defs", "definitions"):
            held = node.get(keyword)
            for name, child in held.items() if isinstance(held, dict) else ():
                self.visit(child, f"{where}.{keyword}.{name}")
        if "items" in node:
            self.visit(node["items"], f"{where}.items")
        for index, child in enumerate(node["anyOf"] if isinstance(node.get("anyOf"), list) else ()):
            self.visit(child, f"{where}.anyOf[{index}]")
        if isinstance(node.get("additionalProperties"), dict):
            self.visit(node["additionalProperties"], f"{where}.additionalProperties")


def _well_formed(schema: dict[str, Any]) -> None:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import SchemaError as Malformed

    try:
        Draft202012Validator.check_schema({key: value for key, value in schema.items() if key != "$schema"})
    except Malformed as error:
        where = ".".join(str(part) for part in error.absolute_path)
        raise SchemaError(f"Is not a JSON Schema: {where or 'it'}: {error.message[:200]}") from None


def is_number(value: object) -> bool:
    """Return whether a value is a finite JSON number. `true` is not a number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def has_type(value: Any, kind: str) -> bool:
    """Return whether a JSON value has a JSON Schema type."""
    if kind == "integer":
        return is_number(value) and value == int(value)
    if kind == "number":
        return is_number(value)
    python = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}
    return isinstance(value, python[kind])
