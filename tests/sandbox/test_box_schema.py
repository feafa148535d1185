"""Structured answers: valid data for the supported subset, a 400 that names the keyword for the rest."""

import json

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codevf_nb.sandbox._fill import check, fill
from codevf_nb.sandbox._reviewer._finding import Finding
from codevf_nb.sandbox._schema import SchemaError

from .conftest import text_file

FINDING = Finding("a.py", 3, "mutable-default", "high", "Shared default.", "Default to None.")


def vulnerabilities(golden):
    return next(item for item in golden("tasks_create") if item["name"] == "structured response")["request"]["body"]


def test_the_documents_schema_is_answered_with_data_itself(api, golden):
    """`result` is the data itself, filled from the findings; the schema comes back beside it."""
    body = vulnerabilities(golden)
    files = [text_file("a.py", "def f(a=[]):\n    return a\n")]
    done = api.answered(**{**body, "projectId": 1}, attachments=files)
    jsonschema.validate(done["result"], body["responseSchema"])
    assert done["responseSchema"] == body["responseSchema"]
    (item,) = done["result"]["vulnerabilities"]
    assert (item["severity"], item["location"]) == ("high", "a.py:1")
    assert "made once" in item["description"]
    assert "None" in item["recommendation"]
    assert done["result"]["securityScore"] == 0


def test_pydantics_schemas_are_answered():
    """Local $defs, Optional as anyOf, enums and nested models, as pydantic writes them."""
    schema = {
        "$defs": {
            "Item": {
                "type": "object",
                "title": "Item",
                "properties": {
                    "file_name": {"type": "string"},
                    "lineNumber": {"anyOf": [{"type": "integer"}, {"type": "null"}], "default": None},
                    "Severity": {"enum": ["LOW", "HIGH"]},
                    "message": {"type": "string", "maxLength": 6},
                    "parts": {"type": "array", "items": {"$ref": "#/$defs/Item"}},
                    "parent": {"anyOf": [{"$ref": "#/$defs/Item"}, {"type": "null"}]},
                },
                "required": ["file_name", "Severity"],
            }
        },
        "type": "object",
        "properties": {
            "issues": {"type": "array", "items": {"$ref": "#/$defs/Item"}},
            "issue_count": {"type": "integer"},
            "summary": {"anyOf": [{"type": "string"}, {"type": "null"}]},
            "extra": {"type": "object", "additionalProperties": {"type": "number"}},
        },
        "required": ["issues"],
    }
    check(schema)
    data = fill(schema, [FINDING], "One.")
    item = data["issues"][0]
    assert (item["file_name"], item["lineNumber"], item["Severity"], item["message"]) == ("a.py", 3, "HIGH", "Shared")
    assert (data["issue_count"], data["summary"], data["extra"]) == (1, "One.", {})


def test_where_nothing_is_known_data_is_neutral():
    """Unknown names get empty texts, the number nearest to 0, false, null where it is allowed, and no rows."""
    properties = {
        "colour": {"type": "string", "minLength": 2},
        "size": {"type": "integer", "minimum": 5, "multipleOf": 4},
        "ratio": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
        "below": {"type": "number", "maximum": -2.5},
        "good": {"type": "boolean"},
        "maybe": {"type": ["string", "null"]},
        "rows": {"type": "array", "items": {"type": "object", "properties": {"name": {"type": "string"}}}},
        "day": {"type": "string", "format": "date"},
        "fixed": {"const": [1]},
    }
    data = fill({"type": "object", "properties": properties, "required": ["anything"]}, [FINDING])
    assert data == {
        "colour": "--",
        "size": 8,
        "ratio": 0.5,
        "below": -2.5,
        "good": False,
        "maybe": None,
        "rows": [],
        "day": "1970-01-01",
        "fixed": [1],
        "anything": None,
    }


@pytest.mark.parametrize(
    ("schema", "named"),
    [
        ({"type": "string", "pattern": "^a"}, "'pattern'"),
        ({"oneOf": [{}]}, "'oneOf'"),
        ({"type": "object", "properties": {"a": {"not": {}}}}, "properties.a: keyword 'not'"),
        ({"type": "array", "items": {"uniqueItems": True}}, "'uniqueItems'"),
        ({"$ref": "https://example.invalid/schema"}, "only local references"),
        ({"$ref": "#/$defs/Gone"}, "points to nothing"),
        ({"type": "text"}, "type"),
        ({"type": "integer", "minimum": 0.2, "maximum": 0.8}, "No data found"),
        ({"type": "array", "minItems": 10_000_000}, "minItems"),
        ({"type": "array", "minItems": 900, "items": {"type": "array", "minItems": 900}}, "values"),
        ({"$ref": "#"}, "needs itself"),
        ({"items": False}, "subschema"),
        ({"enum": []}, "enum"),
        ({"properties": 5}, "properties"),
        ({"required": "x"}, "required"),
        ({"$ref": 5}, "$ref"),
        ({"type": "integer", "minimum": 10**400}, "too large"),
        ({"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}}, "needs itself"),
    ],
)
def test_what_is_not_supported_is_named(api, schema, named):
    """Any other keyword, a remote reference, or a schema that no data matches is a 400, and nothing is held."""
    refused = api.create(responseSchema=schema)
    assert refused.status_code == 400
    (error,) = refused.json()["error"]["details"]["errors"]
    assert error["field"] == "responseSchema"
    assert named in error["message"]
    assert api.balance()[1] == 0


def schemas():
    scalars = st.one_of(
        st.builds(
            lambda a, b: {"type": "integer", "minimum": min(a, b), "maximum": max(a, b)},
            st.integers(-50, 50),
            st.integers(-50, 50),
        ),
        st.builds(
            lambda a, b: {"type": "number", "minimum": min(a, b), "maximum": max(a, b)},
            st.floats(-9, 9),
            st.floats(-9, 9),
        ),
        st.builds(
            lambda a, b: {"type": "string", "minLength": a, "maxLength": a + b}, st.integers(0, 9), st.integers(0, 9)
        ),
        st.builds(lambda values: {"enum": values}, st.lists(st.text(max_size=3), min_size=1, max_size=3, unique=True)),
        st.sampled_from(
            [{"type": "boolean"}, {"type": "null"}, {"type": ["integer", "null"]}, {"const": {"a": 1}}, {}, True]
        ),
        st.builds(lambda step: {"type": "integer", "multipleOf": step, "exclusiveMinimum": 3}, st.integers(1, 9)),
    )
    names = st.sampled_from(["line", "message", "severity", "file", "count", "summary", "issues", "colour", "location"])
    return st.recursive(
        scalars,
        lambda inner: st.one_of(
            st.builds(
                lambda properties, closed: {
                    "type": "object",
                    "properties": properties,
                    "required": sorted(properties),
                    "additionalProperties": not closed,
                },
                st.dictionaries(names, inner, max_size=4),
                st.booleans(),
            ),
            st.builds(
                lambda items, least: {"type": "array", "items": items, "minItems": least, "maxItems": least + 1},
                inner,
                st.integers(0, 3),
            ),
            st.builds(lambda one: {"anyOf": [one, {"type": "null"}]}, inner),
        ),
        max_leaves=8,
    )


@settings(max_examples=150, deadline=None, database=None)
@given(schemas())
def test_whatever_is_accepted_is_answered_with_valid_data(schema):
    """For every schema of the subset, with findings and without, jsonschema accepts what is answered."""
    whole = {"type": "object", "properties": {"data": schema}, "required": ["data"]}
    check(whole)
    for findings in ((), (FINDING,), (FINDING,) * 3):
        data = fill(whole, findings, "A summary.")
        jsonschema.Draft202012Validator(whole).validate(data)
        json.dumps(data, allow_nan=False)


def test_references_in_a_circle_end():
    """Rows whose references only lead to each other are no rows, and the sandbox doesn't hang on them."""
    circle = {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}
    schema = {"type": "array", "items": {"$ref": "#/$defs/a"}, "$defs": circle}
    check(schema)
    assert fill(schema, [FINDING]) == []


def test_a_schema_that_is_no_object_is_refused():
    """A list or a text is no schema."""
    for wrong in ([], "object", 5, True):
        with pytest.raises(SchemaError, match="object"):
            check(wrong)
