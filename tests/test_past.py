"""A ledger with years behind it: what a cell asks of it takes no more work than with a few days behind it."""

import sqlite3
from collections.abc import Callable

import pytest
from sqlalchemy import event

from tests.bench import ledgers

FEW, MANY = 200, 20_000
# The trees of many are a level deeper.
TIMES = 1.5


class Work:
    """The instructions that SQLite takes for what a session does: no clock, so the same on every machine."""

    def __init__(self, engine) -> None:
        self.instructions = 0
        event.listen(engine, "connect", self._count)

    def of(self, job: Callable[[], object]) -> int:
        before = self.instructions
        job()
        return self.instructions - before

    def _count(self, connection: sqlite3.Connection, _record) -> None:
        connection.set_progress_handler(self._one_more, 1)

    def _one_more(self) -> None:
        self.instructions += 1


@pytest.fixture
def quiet(current):
    """Nobody but the test uses the ledger."""
    current.watcher.stop()
    current.ledger.budgets.set("1000000/month")
    return current


def jobs(current) -> dict[str, Callable[[], object]]:
    """What a cell does, and what goes on once a second while an answer is open."""
    numbers = iter(range(1000))

    def draft(number: int):
        return current.draft(f"Is this comparison right? Number {number}.", code="total = 1")

    return {
        "a new question": lambda: current.ask(draft(next(numbers))),
        "one asked before": lambda: current.ask(draft(0)),
        "a look at what is open": current.ledger.questions.open,
        "the newest balance": current.ledger.balances.last,
        "the newest question": current.ledger.questions.newest_at,
        "what nobody heard of": current.unsettled,
        "a question that was not sent": lambda: current.ledger.sending.close(current.ledger.lease(90), "refused"),
        "the projects": current.ledger.pages.projects,
        "an answer": lambda: current.refresh(current.ledger.questions.latest(1)[0]),
    }


def past(current, count: int, todo: dict[str, Callable[[], object]], work: Work) -> dict[str, int]:
    """What each of the jobs takes, with so many more questions of years ago on two accounts."""
    for account in (current.account.name, "another account"):
        ledgers.fill(current.ledger.store, account, count, still_open=0)
    for job in todo.values():  # once before: the newest balance is from today again
        job()
    while still_open := current.ledger.questions.open():
        for entry in still_open:
            current.refresh(entry)
    return {name: work.of(job) for name, job in todo.items()}


def test_years_of_questions_make_no_more_work(quiet):
    """Nothing that every cell waits for, or that is done every second, goes over what was asked long ago."""
    work = Work(quiet.ledger.store._engine)
    todo = jobs(quiet)
    before, after = (past(quiet, count, todo, work) for count in (FEW, MANY))
    assert {name: (before[name], after[name]) for name in todo if after[name] > TIMES * before[name]} == {}
