"""From the service's bytes to what is shown: every answer can be read, and is its own question's, on both databases."""

import json
import os
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from codevf_nb import analysis
from codevf_nb.analysis import structured
from codevf_nb.analysis.filters import Filters
from codevf_nb.delivery import OutcomeUnknownError
from codevf_nb.display import rendering as display
from codevf_nb.ledger import Store
from codevf_nb.ledger.tables import book
from codevf_nb.sdk.exceptions import (
    BadRequestError,
    CodeVFError,
    DownloadError,
    WrongTaskError,
)
from codevf_nb.session import Session
from codevf_nb.task import Task
from tests.ledger.conftest import ledger_url, postgres, store  # noqa: F401 - the fixtures of both databases
from tests.scripted import Scripted

SCHEMA = {"type": "object", "properties": {"x": {"type": "integer"}}, "required": ["x"]}
NUMBERS = count(1)
# Half an emoji, NUL, controls, directions, and what pages and terminals obey.
TEXT = st.text(st.characters() | st.sampled_from("\0\ud83d\udc00\x1b\u202e\n\r<&"), max_size=12)
VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(TEXT | st.sampled_from(["message", "x"]), inner, max_size=3)
    ),
    max_leaves=8,
)
ENVELOPE = st.fixed_dictionaries(
    {"message": TEXT | VALUE},
    optional={
        "deliverables": VALUE | st.lists(TEXT | st.fixed_dictionaries({"fileName": TEXT, "url": TEXT}), max_size=2),
        "more": VALUE,
    },
)
RESULT = VALUE | ENVELOPE
LONG = "a line " * 150_000
DEEP = (
    b'{"id": "%s", "status": "completed", "creditsUsed": 1, "result": '
    + b'{"a": [' * 5_000
    + b"1"
    + b"]}" * 5_000
    + b"}"
)


@pytest.fixture
def service() -> Iterator[Scripted]:
    service = Scripted()
    yield service
    service.close()


@pytest.fixture
def session(service: Scripted, store: Store) -> Iterator[Session]:  # noqa: F811
    session = service.session(store)
    yield session
    session.close()


def ask(session: Session, name: object = "A", **options: Any) -> Task:
    return session.ask(session.draft(f"Is this cell right? {name}", **options))


def text_of(task: Task) -> str:
    return task._repr_mimebundle_()["text/plain"]


def read_everywhere(session: Session, task: Task) -> str:
    """Read an answer in each way that there is, none of which fails, and return it as it is shown."""
    bundle = task._repr_mimebundle_()
    for form in bundle.values():
        assert form.encode()
        assert not set(form) & {"\0", "\x1b", "\u202e"}
    assert "<script" not in bundle["text/html"].lower()
    assert json.dumps([task.message, task.result], ensure_ascii=False, default=str).encode()
    assert all(part.file_name.encode() is not None for part in task.deliverables)
    assert len(analysis.tasks(session.ledger.store, Filters(session.account.name))) > 0
    try:
        structured.answers(session.ledger.store, [(session.account.name, task.id)])
        task.frame()
    except CodeVFError:  # it is text, or several tables
        pass
    return bundle["text/plain"]


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    result=RESULT, status=TEXT | st.sampled_from(["completed"]), schema=st.none() | st.just(SCHEMA), late=st.booleans()
)
def test_any_answer_is_stored_and_shown(service, session, result, status, schema, late):
    """Whatever JSON comes, in the answer to the question or to a look: it is there, and so are its very bytes."""
    said = {"status": status, "creditsUsed": 3, "result": result}
    made = f"task_any_{next(NUMBERS)}"
    service.tasks[made] = {"id": made, **said}
    service.on["tasks/create"] = lambda _: {"id": made, "status": "pending"} if late else service.tasks[made]
    task = ask(session, made, schema=schema).refresh()
    shown = read_everywhere(session, task)
    raw = session.ledger.questions.raw
    kept = (raw(task.entry.id, "retrieve") or raw(task.entry.id, "create")).body
    assert kept == json.dumps({"id": made, **said}).encode()
    if status == "completed" and result is not None:
        assert task.message is not None or task.result is not None or task.deliverables
        for text in (result, result.get("message") if isinstance(result, dict) else None):
            if isinstance(text, str) and text.isalnum() and text.isascii():
                assert text in shown
    service.on.clear()
    assert ask(session, made, schema=schema).id == made  # a repeat


@pytest.mark.parametrize(
    "body",
    [
        DEEP,
        b'{"id": "%s", "status": "completed", "creditsUsed": 1, "result": {"message": "' + LONG.encode() + b'"}}',
        b'{"id": "%s", "status": "completed", "creditsUsed": 1, "result": ' + b"9" * 5_000 + b"}",
        b'{"id": "%s", "status": "completed", "result": {"message": "caf\xe9 \xed\xa0\xbd raw \x00 control"}}',
        b'{"id": "%s", "status": "completed", "result": {"message": "caf\\u00e9 \\ud83d \\u0000"}}',
        b'{"id": "%s", "status": "completed", "maxCredits": 99999999999, "expertiseMultiplier": 1e20, "result": "x"}',
    ],
    ids=["deep", "long", "digits", "latin-1", "escapes", "amounts"],
)
@pytest.mark.parametrize("late", [True, False])
def test_odd_bytes_are_stored_and_shown(service, session, body, late):
    """Deep nesting, a megabyte in a line, bad encodings, numbers past any limit."""
    whole = body.replace(b"%s", b"task_1")
    service.tasks["task_1"] = {"id": "task_1", "status": "pending"}
    if not late:
        service.on["tasks/create"] = lambda _: whole
    task = ask(session)
    service.on = {"tasks/task_1": lambda _: whole}
    task.refresh()
    assert (task.id, task.status) == ("task_1", "completed")
    assert task.message is not None or task.result is not None
    read_everywhere(session, task)
    assert session.ledger.questions.raw(task.entry.id, "retrieve").body == whole


def test_answers_are_judged_by_what_came(service, session):
    """Data and text, whichever was asked for; only data is said to be AI's."""
    cases = [
        (None, ["a", 1], None, ["a", 1]),
        (None, {"answer": "ok"}, None, {"answer": "ok"}),
        (None, {"message": ["x"]}, None, {"message": ["x"]}),
        (None, 5, None, 5),
        (None, "plain", "plain", "plain"),
        (None, {"message": "text", "confidence": 1}, "text", "text"),
        (SCHEMA, {"message": "no data, see text"}, "no data, see text", "no data, see text"),
        (SCHEMA, {"x": 1}, None, {"x": 1}),
        (SCHEMA, {"x": "no number", "message": "y"}, None, {"x": "no number", "message": "y"}),
        ({**SCHEMA, "properties": {"message": {}}, "required": []}, {"message": "m"}, None, {"message": "m"}),
    ]
    for number, (schema, result, message, seen) in enumerate(cases):
        task = ask(session, number, schema=schema)
        service.tasks[task.id].update(status="completed", result=result, creditsUsed=1)
        task.refresh()
        assert (task.message, task.result) == (message, seen)
        is_data = message is None
        assert (display.STRUCTURED_NOTICE in text_of(task)) == is_data
        assert len(structured.answers(session.ledger.store, [(task.entry.account, task.id)])) == (
            len(result) if isinstance(result, list) else int(is_data)
        )
    assert "confidence" in text_of(session.task("task_6"))


# -- an answer belongs to its question


def test_an_answer_about_another_task_is_not_recorded(service, session):
    """A cache that mixes answers up: the question stays open, and the next look finds its own answer."""
    first, second = ask(session, "A"), ask(session, "B")
    answered = {"status": "completed", "creditsUsed": 77, "result": {"message": "about B"}}
    service.on[f"tasks/{first.id}"] = lambda _: {"id": second.id, **answered}
    with pytest.raises(WrongTaskError):
        first.refresh()
    with pytest.raises(WrongTaskError):
        session._channel._poll(first.entry.id)
    assert (first.status, first.message, first.credits_used) == ("pending", None, None)
    assert session.ledger.questions.raw(first.entry.id, "retrieve") is None
    service.on[f"tasks/{first.id}"] = lambda _: {"id": first.id, **answered, "result": {"message": "about A"}}
    session._channel._poll(first.entry.id)
    assert first.message == "about A"


PAGES = [
    b"<html><script>var task_id = null</script>Please log in</html>",
    b'<html><script id="__NEXT_DATA__">{"props":{},"id":"root","buildId":"x"}</script></html>',
    b'{"props": {}, "id": "root", "buildId": "x"}',
]


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_no_task(service, session, page):
    """A yes without a task is an unknown outcome: the same bytes settle it once the service is well again."""
    service.on["tasks/create"] = lambda _: page
    with pytest.raises(CodeVFError):
        ask(session)
    assert session.ledger.questions.latest()[0].outcome == "unknown"
    service.on.clear()
    assert ask(session).id == "task_1"


def test_a_person_can_correct_a_wrong_id(service, session):
    """None where the service doesn't have it, or another task; what the wrong one moved in the book is taken out."""
    service.on["tasks/create"] = lambda _: {"id": "req_77", "status": "ok"}
    first = ask(session, "A")
    service.on.clear()
    service.tasks["task_9"] = {"id": "task_9", "status": "completed", "creditsUsed": 2, "result": {"message": "A's"}}
    entry = session.settle_by_hand(first.entry.id, "task_9")
    assert (entry.task_id, entry.message, entry.credits_used) == ("task_9", "A's", 2)
    assert moved(session) == {("task_9", "hold"): -240, ("task_9", "release"): 240, ("task_9", "charge"): -2}
    with pytest.raises(BadRequestError, match="the service has task_9, so question 1 may be paid"):
        session.settle_by_hand(entry.id, None)
    with pytest.raises(BadRequestError, match="is the task of question"):
        session.settle_by_hand(entry.id, "task_9")
    del service.tasks["task_9"]
    assert session.settle_by_hand(entry.id, None).state == "refused"
    assert moved(session) == {}
    assert ask(session, "A").id == "task_1"


def moved(session: Session) -> dict[tuple[str, str], float]:
    with session.ledger.store.read() as connection:
        rows = connection.execute(select(book).where(book.c.kind != "balance")).all()
    return {(row.task_id, row.kind): row.credits for row in rows}


def test_an_id_that_is_another_questions_is_not_accepted(service, session):
    """It stays unsettled, without paying again, until a person says what it became."""
    first = ask(session, "A")
    service.on["tasks/create"] = lambda _: {"id": first.id, "status": "pending"}
    for _ in range(2):
        with pytest.raises(OutcomeUnknownError, match=f"{first.id} already belongs to question 1.*settle 2"):
            ask(session, "B")
    assert service.sent() == 2
    service.tasks["task_9"] = {"id": "task_9", "status": "pending"}
    session.settle_by_hand(2, "task_9")
    assert (ask(session, "B").id, first.id) == ("task_9", "task_1")


# -- final is looked at again


def test_a_late_result_is_taken_over(service, session):
    """Completed comes a moment before the answer and its cost: it is looked at again by itself, and on request."""
    task = ask(session, "A")
    service.tasks[task.id].update(status="completed")
    polled = session._channel._poll(task.entry.id)
    assert polled.entry.is_open
    assert polled.next_in == 2.0
    service.tasks[task.id].update(result={"message": "late"}, creditsUsed=100)
    assert not session._channel._poll(task.entry.id).entry.is_open
    assert (task.message, task.credits_used) == ("late", 100)
    ended = task.entry.completed_at
    service.tasks[task.id].update(result={"message": "later"}, creditsUsed=60)
    assert (task.refresh().message, task.credits_used, task.entry.completed_at) == ("later", 60, ended)
    service.tasks[task.id].update(status="processing", result=None, creditsUsed=None)
    assert (task.refresh().message, task.credits_used, task.status) == ("later", 60, "completed")
    assert moved(session) == {(task.id, "hold"): -240, (task.id, "release"): 240, (task.id, "charge"): -60}


def test_a_task_that_stays_bare_ends(service, session):
    """After a few looks, ever more slowly, it is over without an answer; what comes then is found on request."""
    task = ask(session, "A")
    service.tasks[task.id].update(status="completed")
    pauses = []
    while (polled := session._channel._poll(task.entry.id)).entry.is_open:
        pauses.append(polled.next_in)
    assert pauses == [2.0, 4.0, 8.0, 16.0]
    assert task.status == "completed"
    service.tasks[task.id].update(result={"message": "late"}, creditsUsed=100)
    assert (task.refresh().message, task.credits_used) == ("late", 100)
    assert moved(session)[task.id, "charge"] == -100


def test_a_new_address_is_taken_over(service, session, tmp_path):
    """A deliverable whose address has expired is fetched from the one that a refresh brings."""
    task = ask(session, "A")
    file = {"fileName": "x.txt", "url": service.url + "old/x"}
    service.tasks[task.id].update(status="completed", creditsUsed=1, result={"message": "m", "deliverables": [file]})
    service.on = {"old/x": lambda _: (403, b"expired"), "new/x": lambda _: b"data"}
    with pytest.raises(DownloadError, match=r"status 403; retrieve the task again \(task.refresh\(\)\)"):
        task.refresh().download(tmp_path / "a")
    file["url"] = service.url + "new/x"
    assert [path.read_bytes() for path in task.refresh().download(tmp_path / "a")] == [b"data"]


@pytest.mark.parametrize("refusal", [400, 409])
def test_cancelling_an_answered_task_shows_the_answer(service, session, refusal):
    """What was answered meanwhile is no error; what can't be cancelled for another reason is one."""
    task = ask(session, "A")
    service.on[f"tasks/{task.id}/cancel"] = lambda _: (
        refusal,
        b'{"error": {"code": "x", "message": "not cancellable"}}',
    )
    with pytest.raises(CodeVFError, match="not cancellable"):
        task.cancel()
    service.tasks[task.id].update(status="completed", result={"message": "the answer"}, creditsUsed=1)
    assert "the answer" in text_of(task.cancel())
    assert "the answer" in text_of(task.cancel())


# -- our own texts


@pytest.mark.parametrize("given", [{"code": "x = '\ud83d'"}, {"project": "half \ud83d"}, {"metadata": {"k": "\ud83d"}}])
def test_half_a_character_of_ours_is_refused_in_one_line(service, session, given):
    """What can't be sent isn't, and says so."""
    with pytest.raises(CodeVFError, match=r"^[^\n]*Nothing was sent\.$"):
        ask(session, "A", **given)
    with pytest.raises(CodeVFError, match=r"^[^\n]*Nothing was sent\.$"):
        session.ask(session.draft("Is this half a character? \ud83d"))
    assert service.sent() == 0


def test_a_folder_with_an_odd_name_is_a_project(service, store, tmp_path, monkeypatch):  # noqa: F811
    """A folder's name in Latin-1 is a default, not what anybody said: it is cleaned."""
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    folder.mkdir()
    monkeypatch.chdir(folder)
    session = service.session(store)
    assert ask(session, "A").entry.project == "caf\ufffd"
    session.close()
