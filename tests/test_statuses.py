"""A status is a row of one table, and each place that reads it has an entry for each row."""

import inspect
import re

import pytest

from codevf_nb.display import rendering as display
from codevf_nb.ledger import (
    STATE_FILTERS,
    Entry,
    Ledger,
    PageFilter,
    State,
    Store,
    migrations,
)
from codevf_nb.ledger.tables import IS_OPEN
from codevf_nb.sandbox import _task as sandbox
from codevf_nb.sdk.statuses import (
    FINAL,
    LAST_STEP,
    STATUS_TABLE,
    UNKNOWN_STATUS,
    TaskStatus,
)
from tests.ledger.conftest import ledger_url, postgres, store  # noqa: F401 - the fixtures of both databases

STATUSES = [*TaskStatus, UNKNOWN_STATUS]


def test_every_status_has_a_row_and_a_mark_of_its_own():
    """None of them is told from another by its word alone."""
    assert set(STATUS_TABLE) == set(STATUSES)
    assert len({look.mark for look in STATUS_TABLE.values()}) == len(STATUS_TABLE)
    assert all(
        1 <= look.step <= LAST_STEP and (look.step == LAST_STEP) == look.is_final for look in STATUS_TABLE.values()
    )


def test_the_database_and_the_sandbox_know_the_same_ends():
    """The index of open questions (a new final status needs a migration), and the statuses that the sandbox sends."""
    assert set(re.findall(r"'(\w+)'", str(IS_OPEN))) == set(FINAL)
    sent = {TaskStatus.of(status): status in sandbox.OPEN for status in (*sandbox.OPEN, "completed", *sandbox.ENDS)}
    assert sent == {status: not STATUS_TABLE[status].is_final for status in sent}


def test_the_index_of_open_questions_leaves_out_every_final_status():
    """Otherwise the database can't use it: a new final status needs a migration that makes the index again."""
    made = re.findall(
        r"CREATE INDEX questions_open ON questions \(account\)\s+WHERE (.*)", inspect.getsource(migrations)
    )
    assert made[-1] == str(IS_OPEN)


@pytest.mark.parametrize("status", STATUSES)
def test_every_status_is_shown_and_found(store: Store, status: str):  # noqa: F811
    """Its mark, its word and what it means stand in the display, and its filter finds it, and no other end."""
    ledger = Ledger(store, "sandbox", "sandbox")
    whose = {"environment": "sandbox", "origin": "sandbox", "credential": "key", "asked_by": "elsewhere"}
    made: dict[str, Entry] = {
        name: ledger.questions.import_task(f"task_{number}", 0.0, status=name, **whose)
        for number, name in enumerate(STATUSES)
    }
    look = STATUS_TABLE[status]
    shown = display.state(made[status])
    assert shown.startswith(f"{look.mark} {status}")
    assert look.meaning in shown
    state = TaskStatus(status) if look.is_final else State.OPEN
    assert state in STATE_FILTERS
    found = {entry.status for entry in ledger.pages.page(PageFilter(state=state), 10)}
    assert found == ({status} if look.is_final else {name for name in STATUSES if not STATUS_TABLE[name].is_final})
    assert made[status].is_open == (not look.is_final)
