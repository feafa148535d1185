"""A ledger with years behind it: a question asks no more of it than one with an empty one does."""

import sqlite3
from collections.abc import Callable

import pytest
from sqlalchemy import event

from tests.bench import ledgers

YEARS = 20_000
# Trees are a level deeper, and a ledger without a past has fewer statuses to step through.
TIMES = 3


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
        "an answer": lambda: current.refresh(current.ledger.questions.latest(1)[0]),
    }


def test_years_of_questions_make_no_more_work(quiet):
    """Nothing that every cell waits for, or that is done every second, goes over what was asked long ago."""
    work = Work(quiet.ledger.store._engine)
    todo = jobs(quiet)
    for job in todo.values():
        job()
    before = {name: work.of(job) for name, job in todo.items()}
    ledgers.fill(quiet.ledger.store, quiet.account.name, YEARS, still_open=0)
    ledgers.fill(quiet.ledger.store, "another account", YEARS // 10, still_open=0)
    todo["a new question"]()
    after = {name: work.of(job) for name, job in todo.items()}
    assert {name: (before[name], after[name]) for name in todo if after[name] > TIMES * before[name]} == {}
