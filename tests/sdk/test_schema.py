"""Schemas from what people have, checked without the network, and held against answers."""

import enum
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, NotRequired, Optional, TypedDict

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from codevf_nb.sdk import (
    BadRequestError,
    check_schema,
    mismatches,
    rows,
    to_json_schema,
)

patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


class Severity(enum.Enum):
    HIGH = "high"
    LOW = "low"


@dataclass
class Place:
    file: str
    line: int | None = None


@dataclass
class Finding:
    severity: Severity
    place: Place
    kind: Literal["bug", "style"]
    lines: list[int]
    score: Optional[float] = None  # noqa: UP045 - people still write it so
    notes: dict[str, str] = field(default_factory=dict)


class Row(TypedDict):
    city: str
    count: NotRequired[int]


class Model:
    """What a pydantic model class can do."""

    @classmethod
    def model_json_schema(cls) -> dict[str, Any]:
        return {"type": "object", "properties": {"a": {"$ref": "#/$defs/A"}}, "$defs": {"A": {"type": "string"}}}


def test_a_schema_stays_what_it_is(golden):
    """The documents' schema is taken unchanged, and so are short ones."""
    documented = golden("tasks_create")[3]["request"]["body"]["responseSchema"]
    for schema in (documented, {"type": "array"}, {"$ref": "#/$defs/a", "$defs": {"a": {}}}, {"enum": ["a"]}, {}):
        assert check_schema(to_json_schema(schema)) is schema


def test_a_dict_of_types_is_one_object():
    """Names to Python types or dtype names make an object with all of them required."""
    schema = to_json_schema({"severity": str, "line": int, "score": "float64", "when": "datetime64[ns]", "ok": bool})
    assert schema == {
        "type": "object",
        "properties": {
            "severity": {"type": "string"},
            "line": {"type": "integer"},
            "score": {"type": "number"},
            "when": {"type": "string", "format": "date-time"},
            "ok": {"type": "boolean"},
        },
        "required": ["severity", "line", "score", "when", "ok"],
    }
    assert to_json_schema({"type": "string", "line": int})["required"] == ["type", "line"]
    assert to_json_schema({"severity": "string"})["properties"] == {"severity": {"type": "string"}}


def test_a_dataclass_becomes_its_fields():
    """Nested classes, lists, literals, enums and what may be missing are all kept, and real data fits."""
    schema = check_schema(to_json_schema(Finding))
    assert schema["required"] == ["severity", "place", "kind", "lines"]
    data = {"severity": "high", "place": {"file": "a.py"}, "kind": "bug", "lines": [1], "score": None, "notes": {}}
    assert mismatches(data, schema) == []
    assert len(mismatches({**data, "severity": "dire", "lines": ["x"]}, schema)) == 2


@pytest.mark.parametrize(
    "shape", [[("city", "string"), ("count", "int64")], [Row], list[Row], [{"city": str, "count": int}]]
)
def test_a_table_is_an_object_with_rows(shape):
    """Pairs, or a list of one class, ask for rows; they come back as rows."""
    schema = check_schema(to_json_schema(shape))
    assert schema["required"] == ["rows"]
    data = {"rows": [{"city": "Oslo", "count": 2}]}
    assert mismatches(data, schema) == []
    assert mismatches({"rows": [{"city": 7, "count": 2}]}, schema)
    assert rows(data) == data["rows"]


def test_pandas_dtypes_become_types():
    """A frame's dtypes ask for a table like it, categories included."""
    frame = pd.DataFrame({"city": ["Oslo"], "count": [1], "share": [0.5], "ok": [True]})
    frame["when"] = pd.Timestamp("2026-01-01", tz="UTC")
    frame["level"] = pd.Categorical(["low"], categories=["low", "high"])
    frame["maybe"] = pd.array([1], dtype="Int64")
    for shape in (frame.dtypes, list(frame.dtypes.items())):
        columns = to_json_schema(shape)["properties"]["rows"]["items"]["properties"]
        assert columns["city"] == {"type": "string"}
        assert columns["count"] == columns["maybe"] == {"type": "integer"}
        assert columns["share"] == {"type": "number"}
        assert columns["ok"] == {"type": "boolean"}
        assert columns["when"]["type"] == "string"
        assert columns["level"] == {"type": "string", "enum": ["low", "high"]}


def test_a_pydantic_model_speaks_for_itself():
    """A class with `model_json_schema` gives its own; in a table its definitions stay reachable."""
    assert check_schema(to_json_schema(Model))["properties"] == {"a": {"$ref": "#/$defs/A"}}
    table = check_schema(to_json_schema([Model]))
    assert mismatches({"rows": [{"a": 1}]}, table)
    assert not mismatches({"rows": [{"a": "x"}]}, table)


def test_annotated_and_any_are_understood():
    """Annotations that say nothing about the form are looked through."""
    schema = to_json_schema({"a": Annotated[int, "lines"], "b": Any, "c": int | None, "d": set[str]})
    assert schema["properties"]["a"] == {"type": "integer"}
    assert schema["properties"]["b"] == {}
    assert schema["properties"]["d"]["type"] == "array"


@dataclass
class Endless:
    child: "Endless"


@pytest.mark.parametrize(
    "shape", [7, "int", object(), ["city"], [], {"a": object()}, {1: str}, Endless, int, [("a", "b", "c")]]
)
def test_what_has_no_schema_is_named(shape):
    """Anything else is refused with what would do."""
    with pytest.raises(BadRequestError, match="response_schema"):
        to_json_schema(shape)


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"$ref": "https://example.com/a.json"}, "example.com"),
        ({"properties": {"a": {"$ref": "file:///etc/passwd"}}}, "passwd"),
        ({"properties": {"a": {"$ref": "other.json#/a"}}}, "other.json"),
        ({"properties": {"a": {"$dynamicRef": "http://127.0.0.1/a"}}}, "127.0.0.1"),
        ({"$ref": "#/$defs/gone"}, "not in it"),
        ({"type": "objekt"}, "objekt"),
        ({"type": "object", "required": "a"}, "required"),
        ({"type": "string", "pattern": "("}, "pattern"),
        ([], "object"),
    ],
)
def test_a_bad_schema_is_refused_with_its_place(schema, words, monkeypatch):
    """A schema that is none, or that points elsewhere, is refused, and nothing is fetched."""
    monkeypatch.setattr("socket.socket.connect", lambda *_: pytest.fail("went to the network"))
    with pytest.raises(BadRequestError, match="response_schema") as caught:
        check_schema(schema)
    assert words in str(caught.value)
    assert caught.value.errors[0].field == "response_schema"


def test_mismatches_name_the_place():
    """Each line says where in the data and what is wrong; the data is left alone."""
    schema = {"type": "object", "properties": {"score": {"maximum": 100}, "a": {"type": "array"}}, "required": ["b"]}
    told = mismatches({"score": 140, "a": 1}, schema)
    assert any("$.score" in line and "140" in line for line in told)
    assert any("'b'" in line for line in told)
    assert len(mismatches(list(range(50)), {"items": {"type": "string"}})) == 21


@pytest.mark.parametrize(
    "schema",
    [{"$ref": "http://127.0.0.1:9/a"}, {"$ref": "#"}, {"$ref": "#/gone"}, {"type": 7}, {"pattern": "("}, None, 7],
)
def test_mismatches_never_raise(schema, monkeypatch):
    """A schema that can't be used is a line, not a crash, and is not fetched."""
    monkeypatch.setattr("socket.socket.connect", lambda *_: pytest.fail("went to the network"))
    assert isinstance(mismatches("data", schema), list)


@patient
@given(ANY_JSON, ANY_JSON)
def test_any_data_against_any_schema(data, schema):
    """Whatever the two are, the comparison ends with a list of lines, and rows with rows or None."""
    assert all(isinstance(line, str) for line in mismatches(data, schema))
    table = rows(data)
    assert table is None or all(isinstance(row, dict) for row in table)


@pytest.mark.parametrize(
    ("data", "table"),
    [
        ([{"a": 1}], [{"a": 1}]),
        ([], []),
        ({"rows": [{"a": 1}], "score": 2}, [{"a": 1}]),
        ({"rows": []}, []),
        ({"a": 1, "b": None}, [{"a": 1, "b": None}]),
        ({"tags": ["x"], "rows": [{"a": 1}]}, [{"a": 1}]),
        ({"one": [{"a": 1}], "two": [{"b": 1}]}, None),
        ({"a": {"b": 1}}, [{"a": {"b": 1}}]),
        ([1, 2], [{"value": 1}, {"value": 2}]),
        ([{"a": 1}, 2], [{"value": {"a": 1}}, {"value": 2}]),
        ({}, []),
        ("text", [{"value": "text"}]),
        (None, [{"value": None}]),
        ({"score": 0, "tags": [""]}, [{"score": 0, "tags": [""]}]),
        ({"score": 0, "tags": []}, [{"score": 0, "tags": []}]),
    ],
)
def test_rows_are_the_one_table_in_the_data(data, table):
    """An array of objects, the one in an object, or all of it as one row; of several tables, none is chosen."""
    assert rows(data) == table


@pytest.mark.parametrize(
    ("items", "is_table"),
    [
        ({"type": "object"}, True),
        ({"properties": {"a": {}}}, True),
        ({"$ref": "#/$defs/Line"}, True),
        ({"type": "string"}, False),
        ({"$ref": "#/$defs/Gone"}, False),
        ({"$ref": "#/properties/lines/items"}, False),
    ],
)
def test_the_schema_says_what_an_empty_array_would_have(items, is_table):
    """An answer has the same shape whether its array is empty or not."""
    schema = {"properties": {"lines": {"type": "array", "items": items}}, "$defs": {"Line": {"type": "object"}}}
    data = {"score": 0, "lines": []}
    assert rows(data, schema) == ([] if is_table else [data])


@patient
@given(
    st.dictionaries(
        st.text(min_size=1), st.sampled_from([str, int, float, bool, "int64", "string", "float32"]), min_size=1
    )
)
def test_every_made_schema_is_one(fields):
    """What is made from names and types is a JSON Schema, whatever the names are."""
    schema = to_json_schema(list(fields.items()))
    Draft202012Validator.check_schema(schema)
    assert check_schema(schema) is schema
