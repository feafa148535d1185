"""What makes two questions the same, and what it doesn't."""

import uuid
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codevf_nb.attachments import Attachment
from codevf_nb.questions.question import (
    Draft,
    Question,
    idempotency_key,
)
from codevf_nb.sdk.models import ServiceMode
from tests.support.questions import QUESTION

text = st.text(max_size=20)
texts = st.lists(text, max_size=3).map(tuple)

# Each part that identity holds, and values for it. None is "not given".
PARTS = {
    "prompt": text,
    "code": st.none() | text,
    "mode": st.none() | st.sampled_from(ServiceMode),
    "tag": st.none() | text,
    "max_credits": st.none() | st.integers(60, 115_200),
    "project": st.none() | text,
    "schema": st.none() | st.dictionaries(text, st.integers(), max_size=2),
    "metadata": st.dictionaries(text, text | st.integers() | st.booleans() | st.none(), max_size=2),
    "attached": texts,
    "contents": texts,
    "exception": st.none() | text,
    "asking": st.integers(1, 5),
}


def held(name: str, question: Question) -> object:
    """A part as identity sees it: names and contents have no order, and True is not 1."""
    value = getattr(question, name)
    if name in ("attached", "contents"):
        return sorted(value)
    return {key: repr(each) for key, each in value.items()} if name == "metadata" else value


@pytest.mark.parametrize("name", PARTS)
@given(data=st.data())
def test_each_part_that_is_listed_makes_another_question(name, data):
    """Two questions that differ in one listed part alone have the same identity only if that part is the same."""
    one, other = (replace(QUESTION, **{name: data.draw(PARTS[name])}) for _ in range(2))
    assert (one.identity("live-1") == other.identity("live-1")) == (held(name, one) == held(name, other))


def test_the_account_makes_another_question():
    """Another account, another question: its own task, its own credits."""
    assert QUESTION.identity("live-1") != QUESTION.identity("live-2")


def test_every_part_of_a_question_is_in_its_identity():
    """A part that is added later can't be left out by forgetting it."""
    assert set(Question.__dataclass_fields__) == set(PARTS)


@given(st.binary(max_size=50), st.binary(max_size=50))
def test_what_attachments_hold_makes_no_other_question(one, other):
    """Data that changed since is the same question: it is never paid for by surprise."""
    drafts = [Draft(QUESTION, (Attachment("orders.csv", content),)) for content in (one, other)]
    assert drafts[0].question.identity("live-1") == drafts[1].question.identity("live-1")


@given(st.permutations(["orders", "customers", "data.csv"]), st.permutations(["a", "b", "c"]))
def test_order_makes_no_other_question(names, keys):
    """The order in which attachments, metadata and a schema's members are given is how they were typed, no more."""
    usual = replace(QUESTION, attached=("orders", "customers", "data.csv"), metadata=dict.fromkeys("abc", 1))
    other = replace(usual, attached=tuple(names), metadata=dict.fromkeys(keys, 1))
    assert usual.identity("live-1") == other.identity("live-1")


def test_the_same_identity_in_every_version():
    """A new version that made another key of the same question would pay again for all that was ever asked."""
    identity = QUESTION.identity("live-1")
    assert identity == "cdd6b9cbfdb0c05a05a238c78add29feebbc6e951f4bb5fa462378df76024639"
    assert idempotency_key(identity) == "cdd6b9cb-fdb0-405a-85a2-38c78add29fe"


def test_the_first_identity_in_every_version():
    """Questions of the first ledgers are found by the identity that they had."""
    identity = QUESTION.identity_1("live-1", "shop", "fast", 5, 240)
    assert identity == "c5b639c2327b18e4c1cff7ca852af64d3fa6d73b76542c8c6da500ede7c0fa50"


@given(st.binary(min_size=32, max_size=32).map(bytes.hex))
def test_the_key_is_a_uuid4(identity):
    """The service takes UUIDs of version 4; the same identity makes the same one."""
    key = uuid.UUID(idempotency_key(identity))
    assert (key.version, key.variant) == (4, uuid.RFC_4122)
    assert idempotency_key(identity) == str(key)
