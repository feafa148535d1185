"""What is refused before anything is sent, and in which words."""

import json
import math
import uuid
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from codevf_nb import sdk
from codevf_nb.sdk import (
    ServiceMode,
    calculate_final_credit_cost,
    validate_metadata,
    validation,
)

patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
PROMPT = "Is this join dropping rows?"
GOOD = {"prompt": PROMPT, "max_credits": 240, "project_id": 123}


def refused(client, service, kind, **changes):
    """The error of a task that is not even sent."""
    with pytest.raises(kind) as caught:
        client.tasks.create(**{**GOOD, **changes})
    assert service.requests == []
    assert caught.value.status_code is None
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("changes", "kind", "words"),
    [
        ({"prompt": "too short"}, "BadRequestError", "9 characters"),
        ({"prompt": "  short    "}, "BadRequestError", "5 characters"),
        ({"prompt": "x" * 10_001}, "BadRequestError", "10,001"),
        ({"prompt": None}, "BadRequestError", "prompt is None"),
        ({"prompt": PROMPT + "\ud800"}, "BadRequestError", "surrogate"),
        ({"mode": "quick"}, "InvalidModeError", "mode 'quick' is not one of realtime_answer, fast, standard"),
        ({"mode": None}, "InvalidModeError", "None"),
        ({"max_credits": 239}, "BadRequestError", "240 to 115,200"),
        ({"max_credits": 115_201}, "BadRequestError", "115,201 is out of range"),
        ({"max_credits": 601, "mode": "realtime_answer"}, "BadRequestError", "60 to 600"),
        ({"max_credits": 59, "mode": "realtime_answer"}, "BadRequestError", "60 to 600"),
        ({"max_credits": "300"}, "BadRequestError", "'300'"),
        ({"max_credits": 300.5}, "BadRequestError", "300.5"),
        ({"max_credits": True}, "BadRequestError", "True"),
        ({"project_id": "123"}, "BadRequestError", "project_id is '123'"),
        ({"project_id": -1}, "BadRequestError", "-1"),
        ({"tag_id": "engineer"}, "InvalidTagError", "'engineer'"),
        ({"metadata": ["a"]}, "InvalidMetadataError", "list"),
        ({"metadata": {"team": {"name": "x"}}}, "InvalidMetadataError", "metadata['team']"),
        ({"metadata": {"team": ["x"]}}, "InvalidMetadataError", "not nested"),
        ({"metadata": {7: "x"}}, "InvalidMetadataError", "keys must be text"),
        ({"metadata": {"x": math.nan}}, "InvalidMetadataError", "nan"),
        ({"idempotency_key": "mine"}, "BadRequestError", "'mine' is not a UUID"),
        ({"idempotency_key": str(uuid.uuid1())}, "BadRequestError", "version 4"),
        ({"attachments": [("a.txt", "x")] * 6}, "AttachmentLimitExceededError", "6 attachments"),
        ({"attachments": [("a.txt", 7)]}, "BadRequestError", "'a.txt'"),
        ({"attachments": 7}, "BadRequestError", "int"),
        ({"attachments": ["missing.csv"]}, "BadRequestError", "missing.csv"),
        ({"response_schema": {"type": "objekt", "properties": {}}}, "BadRequestError", "response_schema"),
        ({"response_schema": {"$ref": "https://example.com/s.json"}}, "BadRequestError", "example.com"),
    ],
)
def test_a_breach_is_one_clear_line_and_nothing_is_sent(client, service, changes, kind, words):
    """Every rule names the value and itself, in the class that the service would have used."""
    assert words in refused(client, service, getattr(sdk, kind), **changes)


def test_refusals_are_readable_field_by_field():
    """A local refusal has the same `.errors` as the service's."""
    with pytest.raises(sdk.BadRequestError) as caught:
        validation.validate_prompt("short")
    assert [entry.field for entry in caught.value.errors] == ["prompt"]
    assert "5 characters" in str(caught.value.errors[0])


def test_the_bounds_themselves_are_legal():
    """10 and 10,000 characters, 60 and 115,200 credits are taken."""
    assert len(validation.validate_prompt("x" * 10)) == 10
    assert len(validation.validate_prompt("x" * 10_000)) == 10_000
    for mode, least, most in (("realtime_answer", 60, 600), ("fast", 240, 115_200), ("standard", 240, 115_200)):
        assert validation.validate_credits(least, mode) == least
        assert validation.validate_credits(most, mode) == most
        assert ServiceMode(mode).credit_range == (least, most)
        assert ServiceMode(mode).meaning


def test_a_body_too_large_is_found_before_the_wire(client, service, monkeypatch):
    """The whole request is measured as it would travel."""
    monkeypatch.setattr(validation, "MAX_BODY_BYTES", 1000)
    words = refused(client, service, sdk.PayloadTooLargeError, attachments=[("a.txt", "x" * 1000)])
    assert "1,000" in words


def test_the_same_question_is_the_same_bytes(client):
    """Same arguments and key, same body: what was stored can be compared."""
    key = uuid.uuid4()
    first = client.tasks.prepare(**GOOD, idempotency_key=key, metadata={"b": 1, "a": None}, tag_id=5)
    second = client.tasks.prepare(**GOOD, idempotency_key=str(key).upper(), metadata={"b": 1, "a": None}, tag_id=5)
    assert first == second
    assert json.loads(first.body)["tagId"] == 5
    assert json.loads(first.body)["metadata"] == {"b": 1, "a": None}


def test_a_key_is_made_where_none_is_given(client):
    """Two questions without a key have two UUIDs of version 4."""
    keys = {client.tasks.prepare(**GOOD).idempotency_key for _ in range(2)}
    assert len(keys) == 2
    assert {uuid.UUID(key).version for key in keys} == {4}


SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
TEXT = st.text(st.characters(codec="utf-8"))


@patient
@given(st.dictionaries(TEXT, SCALARS | TEXT))
def test_flat_metadata_travels_unchanged(metadata):
    """Anything flat that JSON can express is taken as it is, in a copy."""
    taken = validate_metadata(metadata)
    assert taken == metadata
    assert taken is not metadata


@patient
@given(
    credits_=st.integers(0, 10**9),
    mode=st.sampled_from(list(ServiceMode)),
    tag=st.decimals(0, 1000, places=12, allow_nan=False, allow_infinity=False),
)
def test_cost_is_rounded_up_and_never_by_more_than_one(credits_, mode, tag):
    """The cost is a whole number, not below the exact product, and less than one above it."""
    cost = calculate_final_credit_cost(credits_, mode, tag)
    exact = credits_ * Fraction(mode.multiplier) * Fraction(tag)
    assert isinstance(cost, int)
    assert exact <= cost < exact + 1


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        ((-1, "fast"), sdk.BadRequestError),
        ((True, "fast"), sdk.BadRequestError),
        ((240, "quick"), sdk.InvalidModeError),
        ((240, "fast", Decimal("NaN")), sdk.InvalidTagError),
        ((240, "fast", "x"), sdk.InvalidTagError),
        ((240, "fast", -1), sdk.InvalidTagError),
    ],
)
def test_a_cost_of_nonsense_is_refused(arguments, kind):
    """Nothing is priced that could not be asked."""
    with pytest.raises(kind):
        calculate_final_credit_cost(*arguments)


@pytest.mark.parametrize("name", ["", "  ", None])
def test_a_project_needs_a_name(client, service, name):
    """An empty name is refused before the wire."""
    with pytest.raises(sdk.BadRequestError, match="project name"):
        client.projects.create(name)
    assert service.requests == []
