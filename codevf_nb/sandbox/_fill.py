"""Data for a `responseSchema`: findings in the properties with matching names, and neutral values elsewhere."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from typing import Any

from codevf_nb.sandbox._reviewer import Finding
from codevf_nb.sandbox._schema import (
    SchemaError,
    check_keywords,
    has_type,
    is_number,
    resolve,
)

MOST_VALUES = 20_000

FIELDS: dict[str, Callable[[Finding], Any]] = {
    name: read
    for names, read in (
        ("file filename path filepath source", lambda f: f.file),
        ("line lineno linenumber row rownumber", lambda f: f.line),
        ("column columnname field", lambda f: f.column),
        ("severity level priority importance", lambda f: f.severity),
        (
            "description message detail details explanation finding issue problem text comment",
            lambda f: f.message,
        ),
        ("title name summary rule code check kind type category", lambda f: f.rule),
        ("location where position place", lambda f: f.where),
        ("recommendation suggestion fix advice remedy solution", lambda f: f.advice),
    )
    for name in names.split()
}
"""From the name of a property (in lower case, without underscores) to a value of a finding."""

_DISTINCTIVE = "description message detail explanation finding issue problem text comment location line row severity"
_LISTS = "findings issues problems comments messages vulnerabilities defects bugs warnings errors results"
_COUNTS = "count total findingcount findingscount issuecount numberoffindings numberofissues problems issues"
_SUMMARIES = "summary message answer overview conclusion text"
# The rows of an array are findings if they have one of these properties. `name` alone is ambiguous.
DISTINCTIVE, LISTS, COUNTS, SUMMARIES = (
    frozenset(names.split()) for names in (_DISTINCTIVE, _LISTS, _COUNTS, _SUMMARIES)
)

FORMATS = {
    "date-time": "1970-01-01T00:00:00Z",
    "date": "1970-01-01",
    "time": "00:00:00Z",
    "email": "nobody@example.invalid",
    "uri": "https://example.invalid/",
    "uuid": "00000000-0000-0000-0000-000000000000",
}


def check(schema: Any) -> None:
    """Raise SchemaError for a schema that can't be answered.

    The schema is filled once: this shows bounds that contradict each other, and endless recursion.
    """
    try:
        check_keywords(schema)
        fill(schema, ())
    except RecursionError:
        raise SchemaError("Nests too deeply, or needs itself") from None
    except OverflowError:
        raise SchemaError("Holds a number that is too large") from None


def fill(schema: dict[str, Any], findings: Sequence[Finding], summary: str = "") -> Any:
    """Return data that matches a schema. Raise SchemaError if there is none."""
    from jsonschema import Draft202012Validator

    data = _Filler(schema, findings, summary).value(schema, "")
    plain = {key: value for key, value in schema.items() if key != "$schema"}
    error = next(Draft202012Validator(plain).iter_errors(data), None)
    if error is not None:
        raise SchemaError(f"No data found that matches it: {error.message[:200]}")
    return data


class _Filler:
    def __init__(self, root: dict[str, Any], findings: Sequence[Finding], summary: str) -> None:
        self.root = root
        self.findings = findings
        self.summary = summary
        self.finding: Finding | None = None  # the one whose row is being filled
        self.made = 0
        self.open: list[str] = []  # the references that are being followed: an optional property never recurses

    def value(self, schema: Any, name: str) -> Any:
        """Return the data for the subschema of the property `name`."""
        self.made += 1
        if self.made > MOST_VALUES:
            raise SchemaError(f"Needs more than {MOST_VALUES} values")
        if schema is True or not schema:
            return None
        if "$ref" in schema:
            self.open.append(schema["$ref"])
            try:
                return self.value(resolve(self.root, schema["$ref"]), name)
            finally:
                self.open.pop()
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return self._choice(schema["enum"], name)
        if "anyOf" in schema:
            return self._any_of(schema, name)
        return self._of_type(schema, name)

    def _any_of(self, schema: dict[str, Any], name: str) -> Any:
        """Return data for the first suitable alternative. An `Optional[X]` without a known value is null."""
        choices = sorted(schema["anyOf"], key=lambda choice: choice is not True and choice.get("type") == "null")
        for choice in choices[:-1]:
            if choice is not True and choice.get("$ref") in self.open:
                continue
            if self._known(name, choice) or len(choices) == 1 or choices[-1].get("type") != "null":
                return self.value(choice, name)
        return self.value(choices[-1], name)

    def _known(self, name: str, schema: object) -> bool:
        if self.finding is not None:
            return plain(name) in FIELDS and self._suggest(name, schema) is not None
        return plain(name) in LISTS | COUNTS | SUMMARIES

    def _of_type(self, schema: dict[str, Any], name: str) -> Any:
        kinds = schema.get("type", _implied(schema))
        kinds = [kinds] if isinstance(kinds, str) else kinds
        for kind in kinds:
            suggestion = (
                self._suggest(name, {**schema, "type": kind})
                if kind in {"string", "integer", "number", "boolean"}
                else None
            )
            if suggestion is not None:
                return suggestion
        if "null" in kinds:
            return None
        kind = kinds[0]
        if kind == "object":
            return self._object(schema)
        if kind == "array":
            return self._array(schema, name)
        return _neutral(kind, schema)

    def _object(self, schema: dict[str, Any]) -> dict[str, Any]:
        required = schema.get("required", [])
        properties = schema.get("properties", {})
        names = [name for name in properties if name in required or not self._recurses(properties[name])]
        filled = {name: self.value(properties[name], name) for name in names}
        others = schema.get("additionalProperties", True)
        return filled | {name: self.value(others, name) for name in required if name not in filled}

    def _array(self, schema: dict[str, Any], name: str) -> list[Any]:
        items, least = schema.get("items", True), int(schema.get("minItems", 0))
        most = schema.get("maxItems", math.inf)
        rows: list[Any] = []
        if self.finding is None and self._holds_findings(items, name):
            for finding in self.findings[: int(min(most, len(self.findings)))]:
                self.finding = finding
                rows.append(self.value(items, "finding"))
            self.finding = None
        return rows + [self.value(items, "") for _ in range(least - len(rows))]

    def _holds_findings(self, items: object, name: str) -> bool:
        followed: set[str] = set()
        while isinstance(items, dict) and "$ref" in items and items["$ref"] not in followed:
            followed.add(items["$ref"])
            items = resolve(self.root, items["$ref"])
        if not isinstance(items, dict):
            return False
        if items.get("type") == "string":
            return plain(name) in LISTS and "enum" not in items
        return any(plain(name) in DISTINCTIVE for name in items.get("properties", {}))

    def _recurses(self, schema: object) -> bool:
        return isinstance(schema, dict) and schema.get("$ref") in self.open

    def _choice(self, choices: list[Any], name: str) -> Any:
        wanted = FIELDS[plain(name)](self.finding) if self.finding is not None and plain(name) in FIELDS else None
        if not choices:
            raise SchemaError("enum: holds no value")
        same = [choice for choice in choices if isinstance(choice, str) and choice.lower() == wanted]
        return same[0] if same else choices[-1]

    def _suggest(self, name: str, schema: object) -> Any:
        """Return the known value for a property, or None if there is none that the schema accepts."""
        known = plain(name)
        suggestion: Any = None
        if self.finding is not None:
            suggestion = FIELDS[known](self.finding) if known in FIELDS else None
            if isinstance(schema, dict) and schema.get("type") == "string" and is_number(suggestion):
                suggestion = str(suggestion)
        elif known in COUNTS:
            suggestion = len(self.findings)
        elif known in SUMMARIES:
            suggestion = self.summary or None
        if isinstance(suggestion, str) and isinstance(schema, dict):
            suggestion = suggestion[: int(schema.get("maxLength", len(suggestion)))]
        return suggestion if suggestion is not None and _takes(schema, suggestion) else None


def plain(name: str) -> str:
    """Return the name of a property for comparison: `line_number`, `lineNumber` and `Line number` are equal."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _implied(schema: dict[str, Any]) -> str:
    """Return the type of a schema without `type`, from its keywords."""
    if "properties" in schema or "required" in schema:
        return "object"
    if "items" in schema or "minItems" in schema:
        return "array"
    if "minimum" in schema or "maximum" in schema or "multipleOf" in schema:
        return "number"
    return "string" if "minLength" in schema else "null"


def _takes(schema: Any, value: Any) -> bool:
    if not isinstance(schema, dict):
        return schema is True
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if not any(has_type(value, kind) for kind in kinds):
        return False
    if isinstance(value, str):
        return bool(schema.get("minLength", 0) <= len(value))
    return not is_number(value) or _in_bounds(schema, value)


def _in_bounds(schema: dict[str, Any], value: float) -> bool:
    return bool(
        schema.get("minimum", value) <= value <= schema.get("maximum", value)
        and schema.get("exclusiveMinimum", -math.inf) < value < schema.get("exclusiveMaximum", math.inf)
        and ("multipleOf" not in schema or value % schema["multipleOf"] == 0)
    )


def _neutral(kind: str, schema: dict[str, Any]) -> Any:
    if kind == "boolean":
        return False
    if kind == "string":
        text = FORMATS.get(schema.get("format", ""), "")
        return text.ljust(int(schema.get("minLength", 0)), "-")
    return _nearest_to_zero(schema, whole=kind == "integer")


def _nearest_to_zero(schema: dict[str, Any], *, whole: bool) -> int | float:
    """Return the number closest to 0 in the bounds, among a few candidates."""
    step = schema.get("multipleOf", 1 if whole else None)
    low = max(schema.get("minimum", -math.inf), schema.get("exclusiveMinimum", -math.inf))
    high = min(schema.get("maximum", math.inf), schema.get("exclusiveMaximum", math.inf))
    if step is None:
        middle = (low + high) / 2 if math.isfinite(low) and math.isfinite(high) else 0.0
        candidates = [0, low, high, middle, low + 1, high - 1]
    else:
        edges = [edge for edge in (low, high) if math.isfinite(edge)]
        candidates = [0] + [step * (edge // step + offset) for edge in edges for offset in (-1, 0, 1, 2)]
    allowed = [value for value in candidates if math.isfinite(value) and _in_bounds(schema, value)]
    best = min(allowed, key=abs, default=0)
    return int(best) if best == int(best) else best
