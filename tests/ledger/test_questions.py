"""What the ledger keeps of questions, and what it deletes."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select, update

from codevf_nb.ledger import (
    Ledger,
    LedgerError,
    MemoryStore,
    SendState,
    Store,
    tables,
)
from tests.support.budgets import question

NOW = 1_800_000_000.0
DAY = 86400.0


@pytest.fixture
def ledger(store: Store) -> Ledger:
    return Ledger(store, "live-1", "live", clock=lambda: NOW)


def asked(ledger: Ledger, identity: str, at: float = NOW, **texts):
    """A question on its way, with an attempt out."""
    lease = ledger.lease(90)
    values = (
        question(identity, 240)
        | {"attachments": [{"name": "orders.csv", "size": 9, "sha256": "abc", "holds": ["a.csv"]}]}
        | texts
    )
    entry = ledger.sending.prepare(b"the bytes of " + identity.encode(), lease, at, **values)
    return entry, lease


def answered(ledger: Ledger, identity: str, at: float):
    """A question with everything that can be known of it."""
    entry, _ = asked(ledger, identity, at, prompt="secret prompt", code="secret code", response_schema={"secret": 1})
    ledger.questions.record_response(entry, "create", 201, b"secret raw", at)
    ledger.sending.accept(entry, task_id=f"task_{identity}", status="pending", created_at=at, notes=["secret note"])
    ledger.questions.record_response(entry, "retrieve", 200, b"secret raw", at)
    answer = {"message": "secret answer", "result": {"secret": True}, "credits_used": 96.0, "completed_at": at + 60}
    return ledger.questions.update_from_task(entry, status="completed", **answer)


def test_forgetting_deletes_texts_and_keeps_the_accounting(ledger, store):
    """Of what is over before a day nothing that anybody wrote stays; ids, times, credits, sizes and hashes do."""
    old, new = answered(ledger, "old", NOW - 10 * DAY), answered(ledger, "new", NOW - DAY)
    assert ledger.retention.forget(NOW - 5 * DAY) == 1
    kept = ledger.questions.get(old.id)
    assert kept.is_forgotten
    assert (kept.prompt, kept.code, kept.message, kept.result, kept.notes, kept.response_schema) == (None,) * 6
    assert (kept.task_id, kept.credits_used, kept.cost_cap, kept.created_at, kept.completed_at) == (
        *("task_old", 96.0, 240, NOW - 10 * DAY, NOW - 10 * DAY + 60),
    )
    assert kept.attachments == [{"size": 9, "sha256": "abc"}]
    assert [ledger.questions.raw(old.id, request) for request in ("create", "retrieve")] == [None, None]
    assert ledger.questions.get(new.id).message == "secret answer"
    assert ledger.questions.same("old").state == SendState.ACCEPTED
    assert ledger.retention.forget(NOW - 5 * DAY) == 0


def test_forgetting_leaves_what_is_not_over(ledger):
    """An open question and one nobody heard the end of keep what they need to be settled."""
    open_one, _ = asked(ledger, "open", NOW - 10 * DAY)
    ledger.sending.accept(open_one, task_id="task_open", status="processing")
    unknown, lease = asked(ledger, "unknown", NOW - 10 * DAY)
    ledger.sending.close(lease, "nobody heard")
    assert ledger.retention.forget(NOW) == 0
    assert ledger.questions.get(open_one.id).prompt == "x"
    assert ledger.questions.body(unknown.id) is not None


def test_forgetting_is_one_accounts(ledger, store):
    """What another account asked is not this one's to delete."""
    answered(Ledger(store, "live-2", "live", clock=lambda: NOW), "other", NOW - 10 * DAY)
    assert ledger.retention.forget(NOW) == 0


def test_a_yes_is_never_overwritten(ledger):
    """A late 500 can't take the place of the answer that holds the task's id; a newer yes can."""
    entry, _ = asked(ledger, "one")
    for status, body in ((201, b"the task"), (500, b"sorry"), (402, b"no")):
        ledger.questions.record_response(entry, "create", status, body, NOW)
    assert ledger.questions.raw(entry.id, "create").body == b"the task"
    ledger.questions.record_response(entry, "create", 200, b"the task again", NOW)
    assert ledger.questions.raw(entry.id, "create").body == b"the task again"


def test_what_closing_makes_of_a_question(ledger):
    """Unheard attempts decide: any of them, and the outcome is unknown, refusal or not."""
    states = {}
    for name, heard, options in (
        ("all lost", 0, {}),
        ("refused", 2, {"refused": True}),
        ("refused after one was lost", 1, {"refused": True}),
        ("never left", 0, {"failed": 2}),
        ("one lost, one never left", 0, {"failed": 1}),
    ):
        entry, lease = asked(ledger, name)
        ledger.sending.attempt(lease)
        for _ in range(heard):
            ledger.questions.record_response(entry, "create", 402, b"no", NOW, failed=1)
        states[name] = ledger.sending.close(lease, name, **options).outcome
    assert states == {
        "all lost": "unknown",
        "refused": "refused",
        "refused after one was lost": "unknown",
        "never left": "not sent",
        "one lost, one never left": "unknown",
    }


def test_a_lease_is_one_senders(ledger):
    """While one sends, no other can, prepare anew or attempt; once its lease is over, the first can't either."""
    now = NOW
    first, second = ledger.lease(90), ledger.lease(200)
    with first.held(), second.held():
        entry = ledger.sending.prepare(b"bytes", first, now, **question("one", 240))
        assert not ledger.sending.resume(entry.id, second, now)
        assert ledger.sending.prepare(b"other", second, now, **question("one", 240)).lease_owner == first.owner
        assert not ledger.sending.attempt(second)
        assert ledger.sending.attempt(first)
        assert ledger.sending.resume(entry.id, second, now + 91)
        assert not ledger.sending.attempt(first)
        assert ledger.sending.close(first, "late") is None
        assert ledger.sending.attempt(second)
        assert ledger.questions.body(entry.id) == b"bytes"


def test_a_task_that_exists_is_recorded_whatever_was_said_before(ledger):
    """A yes that comes after a no, or after another kernel's yes, makes one task, held once."""
    entry, lease = asked(ledger, "one")
    ledger.questions.record_response(entry, "create", 402, b"no", NOW, failed=1)
    ledger.sending.close(lease, "no", refused=True)
    for _ in range(2):
        assert ledger.sending.accept(entry, task_id="task_1", status="pending").state == SendState.ACCEPTED
    assert ledger.questions.get(entry.id).task_id == "task_1"


def test_a_task_from_elsewhere_is_kept_once(ledger):
    """Taken in twice it is one row; once its question is known here, it is that question's."""
    known = dict.fromkeys(("environment", "origin", "credential", "asked_by"), "x")
    first = ledger.questions.import_task("task_1", NOW, status="pending", **known)
    assert ledger.questions.import_task("task_1", NOW, status="pending", **known).id == first.id
    assert first.is_foreign
    entry, _ = asked(ledger, "mine")
    ledger.sending.accept(entry, task_id="task_1", status="pending")
    assert ledger.questions.task("task_1").id == entry.id
    assert len(ledger.questions.latest()) == 1


def test_what_lies_beside_a_number_is_its_questions_alone(ledger, store):
    """Where a ledger was put back, bytes and answers may be left of a question whose number is given out anew."""
    before, _ = asked(ledger, "before")
    number = before.id + 1
    with store.write() as connection:
        connection.execute(insert(tables.bodies).values(question_id=number, body=b"another's bytes"))
        left = {"question_id": number, "request": "create", "status_code": 201, "body": b"another's answer"}
        connection.execute(insert(tables.answers).values(left))
    entry, _ = asked(ledger, "after")
    assert entry.id == number
    assert ledger.questions.raw(number, "create") is None
    assert ledger.questions.body(number) == b"the bytes of after"


def test_an_answer_is_never_another_questions(ledger, store):
    """Put back while the service is asked, the ledger may have another question under the same number."""
    gone, _ = asked(ledger, "gone")
    with store.write() as connection:
        connection.execute(update(tables.questions).values(identity="another"))
    for heard in (
        lambda: ledger.questions.record_response(gone, "create", 201, b"its answer", NOW),
        lambda: ledger.sending.accept(gone, task_id="task_1", status="pending"),
        lambda: ledger.questions.update_from_task(gone, status="completed"),
    ):
        with pytest.raises(LedgerError, match="no longer in the ledger"):
            heard()
    assert ledger.questions.raw(gone.id, "create") is None
    assert ledger.questions.get(gone.id).task_id is None


def test_what_is_open(ledger, store):
    """Whatever isn't known to be final is open, a status nobody has heard of too; other accounts' are not ours."""
    for status in ("processing", "completed", "pending", "Cancelled", "on the moon", "failed", "expired", "unknown"):
        entry, _ = asked(ledger, status)
        ledger.sending.accept(entry, task_id=f"task_{status}", status=status)
    asked(ledger, "without a task")
    other = Ledger(store, "live-2", "live", clock=lambda: NOW)
    entry, _ = asked(other, "another account's")
    other.sending.accept(entry, task_id="task_other", status="pending")
    assert [entry.status for entry in ledger.questions.open()] == ["processing", "pending", "on the moon", "unknown"]
    assert Ledger(store, "live-3", "live").questions.open() == []


@pytest.mark.parametrize(
    ("asked_there", "found"),
    [
        (("ada", "https://codevf.com"), ["same on live-2"]),
        (("grace", "https://codevf.com"), []),
        (("ada", "https://elsewhere.com"), []),
    ],
)
def test_the_same_question_of_other_accounts(ledger, store, asked_there, found):
    """It is found on accounts under which the same person asked at the same place, whatever it was, and only there."""
    other = Ledger(store, "live-2", "live", clock=lambda: NOW)
    asked_by, origin = asked_there
    asked(ledger, "same on live-1", asked_by="ada", origin="https://codevf.com")
    asked(other, "same on live-2", asked_by="grace", origin="https://codevf.com")
    asked(other, "another one", asked_by=asked_by, origin=origin)
    same = ledger.questions.same_elsewhere("same on {}".format, "https://codevf.com", "ada")
    assert [entry.identity for entry in same] == found


def test_bytes_are_kept_for_a_day(ledger):
    """What was sent longer ago can't be sent again anyway; the next question takes it away, however it ended."""
    old, lease = asked(ledger, "old", NOW - DAY - 60)
    ledger.sending.close(lease, "nobody heard")
    recent, _ = asked(ledger, "recent", NOW - DAY + 60)
    asked(ledger, "now")
    assert ledger.questions.body(old.id) is None
    assert ledger.questions.body(recent.id) == b"the bytes of recent"


def test_forgetting_lets_others_write_in_between(ledger, ledger_url, monkeypatch):
    """However many questions there are, the lock is held for a moment at a time; and none is left out."""
    monkeypatch.setattr("codevf_nb.ledger._retention.FORGET_SECONDS", 0.0001)
    monkeypatch.setattr("codevf_nb.ledger._retention.FORGET_PAUSE_SECONDS", 0.0)
    about = dict.fromkeys(("environment", "origin", "credential", "asked_by"), "x")
    for number in range(120):
        ledger.questions.import_task(f"task_{number}", NOW - DAY, status="completed", message="secret", **about)
    held = []
    write = ledger.store.write
    monkeypatch.setattr(ledger.store, "write", lambda: held.append(1) or write())
    assert ledger.retention.forget(NOW) == 120
    assert len(held) > 2
    assert {entry.message for entry in ledger.questions.latest(200)} == {None}


LOOKS = (
    {"status": "pending"},
    {"status": "processing", "credits_used": 0.0},
    {"status": "a new word", "credits_used": 0.0, "message": "not yet"},
    {"status": "completed", "completed_at": NOW + 60},
    {
        "status": "completed",
        "completed_at": NOW + 60,
        "credits_used": 96.0,
        "message": "Yes.",
        "result": {"deliverables": []},
    },
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(LOOKS), max_size=8))
def test_who_looked_first_may_record_last(looks):
    """Two kernels record what they have seen in any order: once the answer is there, it and its charge stay."""
    store = MemoryStore()
    ledger = Ledger(store, "live-1", "live", clock=lambda: NOW)
    entry, _ = asked(ledger, "one", cost_cap=240)
    ledger.sending.accept(entry, task_id="task_1", status="pending", created_at=NOW)
    for look in (*looks, LOOKS[-1], *looks):
        ledger.questions.update_from_task(entry, **look)
    seen = ledger.questions.get(entry.id)
    assert (seen.status, seen.credits_used, seen.message) == ("completed", 96.0, "Yes.")
    with store.read() as connection:
        moved = connection.scalars(select(tables.book.c.credits).where(tables.book.c.task_id == "task_1")).all()
    assert sum(moved) == -96.0
    store.close()
