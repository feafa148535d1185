"""Tasks as text and HTML; foreign text never becomes markup."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codevf_nb.display import rendering as display
from codevf_nb.ledger import Entry
from codevf_nb.ledger.records import COLUMNS

BASE = dict.fromkeys(COLUMNS) | {
    "id": 1,
    "identity": "abc",
    "prompt": "Is this join dropping rows?",
    "environment": "live",
    "asking": 1,
    "attachments": [],
    "mode": "fast",
    "tag": "Engineer",
    "max_credits": 240,
    "multiplier": 1.7,
    "cost_cap": 612,
    "state": "accepted",
    "task_id": "task_1",
    "status": "completed",
    "created_at": 1000.0,
    "completed_at": 1034.0,
    "credits_used": 262.0,
    "message": "It **is**.",
}


def entry(**values) -> Entry:
    return Entry(**(BASE | values))


def test_the_worst_case_stands_first():
    """Both forms begin with what the question may cost and what that is made of."""
    bundle = display.task_bundle(entry())
    worst = "may cost at most 612 credits (240 × fast 1.5× × Engineer 1.7×)"
    assert bundle["text/plain"].startswith(worst)
    assert bundle["text/html"].index(worst) < bundle["text/html"].index("completed")


def test_an_answer_tells_what_it_cost():
    """A final task says how long it took, what was used and what was released."""
    text = display.task_bundle(entry())["text/plain"]
    assert "completed · after 34 s · 262 credits used · 350 released" in text
    assert "<strong>is</strong>" in display.task_bundle(entry())["text/html"]


def test_who_did_not_write_it_is_always_said():
    """A sandbox's answer and a structured one never pass for a person's, in both forms."""
    for values, notice in (
        ({"environment": "sandbox"}, "no person reads this"),
        ({"response_schema": {"type": "object"}, "message": None, "result": {"a": 1}}, "AI generates it"),
    ):
        for form in display.task_bundle(entry(**values)).values():
            assert notice in form


def test_a_difference_from_what_was_asked_is_shown():
    """What the service answered differently stands with the task."""
    assert "mode: fast was asked for" in display.task_bundle(entry(notes=["mode: fast was asked for"]))["text/plain"]


@pytest.mark.parametrize(
    "foreign",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[click](javascript:alert(1))",
        "![x](http://127.0.0.1:1/pixel.png)",
        "<svg onload=alert(1)>",
        "<iframe src=http://127.0.0.1:1></iframe>",
        "\x1b[31mred\x1b[0m",
        "safe\u202egnp.exe",
    ],
)
@pytest.mark.parametrize("field", ["message", "tag", "status", "task_id", "error"])
def test_foreign_text_is_never_markup(field, foreign):
    """No tag, script link, image or control character of foreign text reaches page or terminal."""
    values = {field: foreign}
    if field == "error":
        values |= {"task_id": None, "state": "unknown"}
    bundle = display.task_bundle(entry(**values))
    page = bundle["text/html"].lower()
    for marker in ("<script", "<img", "<svg", "<iframe", 'href="javascript'):
        assert marker not in page
    for form in bundle.values():
        assert "\x1b" not in form
        assert "\u202e" not in form


@given(st.text(), st.text())
def test_any_answer_can_be_shown(message, name):
    """Whatever text comes, both forms can be made, and a deliverable's name is escaped."""
    made = display.task_bundle(entry(message=message, result={"deliverables": [{"file_name": name}]}))
    assert set(made) == {"text/plain", "text/html"}
    assert "<script" not in made["text/html"].lower()


@pytest.mark.parametrize(
    ("seconds", "told"), [(0.4, "0 s"), (34, "34 s"), (61, "1 min 1 s"), (3700, "1 h 1 min"), (90_000, "1 d 1 h")]
)
def test_durations(seconds, told):
    """A length of time is written in its two largest units."""
    assert display.duration(seconds) == told


AMOUNTS = [(1204, "1,204"), (12.5, "12.5"), (0.0, "0"), (None, "?"), (1e5, "100,000")]


@pytest.mark.parametrize(("amount", "told"), AMOUNTS)
def test_credits(amount, told):
    """Credits are written as people read them."""
    assert display.credits(amount) == told


def test_unknown_outcomes_are_told():
    """A question nobody heard the end of says so."""
    lost = dataclasses.replace(entry(), task_id=None, state="unknown", error="timed out")
    assert "timed out" in display.state(lost)
