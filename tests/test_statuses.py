"""A status is a row of one table, and each place that reads it has an entry for each row."""

import re

import pytest

from codevf_nb.display import rendering as display
from codevf_nb.ledger import (
    Entry,
    Ledger,
    PageFilter,
    State,
    Store,
)
from codevf_nb.ledger.tables import IS_OPEN
from codevf_nb.sandbox import _task as sandbox
from codevf_nb.sdk.statuses import (
    FINAL,
    LAST_STEP,
    LOOKS,
    UNKNOWN_STATUS,
    TaskStatus,
)
from tests.ledger.conftest import ledger_url, postgres, store  # noqa: F401 - the fixtures of both databases

STATUSES = [*TaskStatus, UNKNOWN_STATUS]


def test_every_status_has_a_row_and_a_mark_of_its_own():
    """None of them is told from another by its word alone."""
    assert set(LOOKS) == set(STATUSES)
    assert len({look.mark for look in LOOKS.values()}) == len(LOOKS)
    assert all(1 <= look.step <= LAST_STEP and (look.step == LAST_STEP) == look.is_final for look in LOOKS.values())


def test_the_database_and_the_sandbox_know_the_same_ends():
    """The index of open questions (a new end needs a migration), and the states that the sandbox ends a task with."""
    assert set(re.findall(r"'(\w+)'", str(IS_OPEN))) == set(FINAL)
    assert {TaskStatus.of(end) for end in (*sandbox.OPEN, "completed", *sandbox.ENDS)} == set(TaskStatus)


@pytest.mark.parametrize("status", STATUSES)
def test_every_status_is_shown_and_found(store: Store, status: str):  # noqa: F811
    """Its mark, its word and what it means stand in the display, and its filter finds it, and no other end."""
    ledger = Ledger(store, "sandbox", "sandbox")
    whose = {"environment": "sandbox", "origin": "sandbox", "credential": "key", "asked_by": "elsewhere"}
    made: dict[str, Entry] = {
        name: ledger.questions.take_in(f"task_{number}", 0.0, status=name, **whose)
        for number, name in enumerate(STATUSES)
    }
    look = LOOKS[status]
    shown = display.state(made[status])
    assert shown.startswith(f"{look.mark} {status}")
    assert look.meaning in shown
    found = {entry.status for entry in ledger.pages.page(PageFilter(state=State(look.filter)), 10)}
    assert status in found
    assert found == {name for name in STATUSES if LOOKS[name].filter == look.filter}
    assert made[status].is_open == (not look.is_final)
