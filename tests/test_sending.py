"""How a question is sent, attempt by attempt: what is known afterwards, and how often it is written down."""

from collections.abc import Iterator, Sequence
from copy import copy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, update

from codevf_nb.accounts.settings import Account
from codevf_nb.ledger import (
    LedgerError,
    MemoryStore,
    RateLimiter,
    SendState,
    Store,
    migrations,
    tables,
)
from codevf_nb.questions.question import Draft
from codevf_nb.sdk._http import Reply
from codevf_nb.sdk.exceptions import APIConnectionError, CodeVFError
from codevf_nb.sdk.limits import MAX_RETRIES
from codevf_nb.session import Session
from tests.ledger.conftest import ledger_url, postgres  # noqa: F401 - the fixtures of both databases
from tests.support.questions import QUESTION, TERMS

ACCOUNT = Account("sandbox", "sandbox", "http://127.0.0.1:9/api/v1/", "cvf_test_x", "a test", "sandbox", None)
TASK = b'{"id": "task_1", "status": "pending", "mode": "standard", "maxCredits": 240}'
NO = b'{"error": {"code": "insufficient_credits", "message": "no"}}'
# What may come of an attempt, and whether the service may have made a task of it.
OUTCOMES = {
    "accepted": (Reply(201, {}, TASK), False),
    "refused": (Reply(402, {}, NO), False),
    "too many": (Reply(429, {}, b"{}"), False),
    "failed": (Reply(503, {}, b""), True),
    "lost": (APIConnectionError("the answer was cut off", sent=True), True),
    "never left": (APIConnectionError("could not be reached", sent=False), False),
}
NOTHING = {"task_id": None, "status": None}
ENDS = ("accepted", "refused")


def expected(outcomes: Sequence[str]) -> tuple[str, int]:
    """Return what is known in the end of a question with such attempts, and how many of them nobody knows about."""
    unheard = sum(OUTCOMES[outcome][1] for outcome in outcomes)
    if outcomes[-1] == "accepted":
        return "accepted", 0
    if unheard:
        return "unknown", unheard
    return ("refused" if outcomes[-1] in ("refused", "too many") else "not sent"), 0


def submit(session: Session, outcomes: Sequence[str]) -> list[str]:
    """Send a question whose attempts come out so; return those that were made."""
    made: list[str] = []

    def exchange(*_args: object, **_options: object) -> Reply | CodeVFError:
        made.append(outcomes[len(made)])
        return copy(OUTCOMES[made[-1]][0])  # an error learns more on its way up

    session.client._transport.wire.exchange = exchange
    session.client._transport.sleep = lambda _: None
    try:
        session._submission.submit(Draft(QUESTION, terms=TERMS), 1)
    except CodeVFError:
        assert made[-1] != "accepted"
    return made


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(sorted(OUTCOMES)), min_size=MAX_RETRIES + 1, max_size=MAX_RETRIES + 1))
def test_each_attempt_counts_for_itself(outcomes):
    """However the attempts of a question come out: only those whose end nobody knows leave it open whether it is there.

    A refusal after attempts that never left this machine is certain.
    """
    session = Session(ACCOUNT, MemoryStore())
    made = submit(session, outcomes)
    entry = session.ledger.questions.latest()[0]
    assert (entry.outcome, entry.unheard) == expected(made)
    assert entry.attempts == len(made)
    assert not entry.is_being_sent(session.ledger.clock())
    assert len(made) == len(outcomes) or made[-1] in ENDS
    session.close()


@pytest.fixture
def store(ledger_url: str) -> Iterator[Store]:  # noqa: F811 - pytest's way to name a fixture
    store = Store(ledger_url)
    yield store
    store.close()


@pytest.mark.parametrize(
    ("outcomes", "commits"),
    [(["accepted"], 3), (["refused"], 3), (["lost", "accepted"], 4), (["too many", "accepted"], 6)],
)
def test_a_question_is_three_commits(store, outcomes, commits):
    """Bytes, key, attempt and turn; the raw answer; the task.

    One more for each further attempt, and for what others must know of a 429.
    """
    session = Session(ACCOUNT, store)
    session._submission._rate_limiter = RateLimiter(store, "key", 1000.0)
    written = []
    write = store.write
    store.write = lambda: (written.append(1), write())[1]
    submit(session, outcomes)
    assert len(written) == commits
    session.close()


def test_a_ledger_of_five_states_keeps_what_it_knew(ledger_url, monkeypatch):  # noqa: F811
    """What was prepared, being sent or unknown is open, and the count says which; what is settled stays settled."""
    newest = migrations.STEPS
    before = newest.index(migrations._OPEN)
    states = {"prepared": 0, "sending": 1, "unknown": 2, "accepted": 0, "refused": 0}
    asked = dict.fromkeys(("account", "environment", "origin", "credential", "asked_by"), "sandbox")
    asked |= {"asking": 1, "idempotency_key": "k", "attachments": "[]"}
    with monkeypatch.context() as patch:
        patch.setattr(migrations, "STEPS", newest[:before])
        old = Store(ledger_url)
        with old.write() as connection:
            connection.execute(
                insert(tables.questions),
                [
                    {**asked, "identity": state, "state": state, "unheard": unheard, "prepared_at": 1.0, "attempts": 1}
                    | ({"task_id": "task_1", "status": "pending"} if state == "accepted" else NOTHING)
                    for state, unheard in states.items()
                ],
            )
        old.close()
    store = Store(ledger_url)
    session = Session(ACCOUNT, store)
    found = {entry.identity: (entry.state, entry.outcome) for entry in session.ledger.questions.latest()}
    assert found == {
        "prepared": (SendState.OPEN, "not sent"),
        "sending": (SendState.OPEN, "unknown"),
        "unknown": (SendState.OPEN, "unknown"),
        "accepted": (SendState.ACCEPTED, "accepted"),
        "refused": (SendState.REFUSED, "refused"),
    }
    assert [entry.identity for entry in session.ledger.questions.with_unknown_outcome()] == ["sending", "unknown"]
    assert [entry.identity for entry in session.ledger.questions.open()] == ["accepted"]
    session.close()


def test_a_state_of_another_version_is_refused(store):
    """Nothing is decided about a question whose state only another version knows."""
    session = Session(ACCOUNT, store)
    submit(session, ["accepted"])
    with store.write() as connection:
        connection.execute(update(tables.questions).values(state="sending"))
    with pytest.raises(LedgerError, match="question 1 has the state 'sending' in the ledger"):
        session._submission.repeat(Draft(QUESTION, terms=TERMS))
    session.close()
