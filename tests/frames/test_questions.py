"""``tasks()``: a row per question, in the columns of the design, and only those asked for."""

from datetime import UTC, date, datetime, timedelta, timezone

import pandas as pd
import pytest

from codevf_nb import analysis
from codevf_nb.sdk.exceptions import BadRequestError
from tests.frames.history import DAY

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
ATTACHED = [{"name": name, "bytes": 3, "sha256": "ab"} for name in ("cell.py", 'my "sha256": file.csv')]


def ids(past, **where) -> list[str]:
    return analysis.tasks(past.store, analysis.Filters(past.account, **where))["task_id"].tolist()


def test_a_row_tells_what_was_asked_and_what_became_of_it(past):
    """Times are moments in UTC, the length a Timedelta, attachments are counted."""
    task_id = past.answered(NEW_YEAR, used=12.5, took=90, max_credits=160, attachments=ATTACHED, prompt="Why?")
    row = analysis.tasks(past.store, analysis.Filters(past.account)).loc[0].to_dict()
    assert pd.isna(row.pop("message"))
    assert row == {
        "task_id": task_id,
        "account": "live-1",
        "environment": "live",
        "asked_by": "me",
        "project": "shop",
        "mode": "fast",
        "tag": "engineer",
        "status": "completed",
        "prompt": "Why?",
        "attachments": 2,
        "max_credits": 160.0,
        "cost_cap": 240.0,
        "credits_used": 12.5,
        "created_at": pd.Timestamp("2026-01-01", tz="UTC"),
        "completed_at": pd.Timestamp("2026-01-01 00:01:30", tz="UTC"),
        "answered_in": pd.Timedelta(seconds=90),
    }


def test_only_what_the_service_may_have_is_a_question(past):
    """Prepared and refused questions cost nothing anywhere; one nobody has heard of may."""
    unsent, refused, unheard = (past.ledger.lease(10) for _ in range(3))
    for lease in (unsent, refused, unheard):
        past.prepare(NEW_YEAR + DAY, lease=lease)
    past.ledger.sending.close(unsent, "never left", failed=1)
    past.ledger.sending.close(refused, "no", refused=True, failed=1)
    past.ledger.sending.close(unheard, "nothing was heard")
    table = analysis.tasks(past.store, analysis.Filters(past.account))
    assert table["status"].tolist() == ["unknown"]
    assert table["task_id"].isna().all()
    assert table["created_at"].tolist() == [pd.Timestamp("2026-01-02", tz="UTC")], "it stands where it was prepared"


def test_a_cancelled_task_was_not_answered(past):
    """How long it took to cancel says nothing about how long answers take."""
    past.answer(past.ask(NEW_YEAR), 0.0, NEW_YEAR + 5, status="cancelled")
    table = analysis.tasks(past.store, analysis.Filters(past.account))
    assert table["answered_in"].isna().all()
    assert table["completed_at"].notna().all()


def test_filters_leave_the_rest_out(past):
    """One word or several; each filter by itself, and all of them together."""
    mine = past.answered(NEW_YEAR, project="shop", mode="fast")
    open_one = past.ask(NEW_YEAR + DAY, project="lab", mode="standard", asked_by="you")
    assert ids(past) == [mine, open_one]
    assert ids(past, project="lab") == [open_one]
    assert ids(past, project=["lab", "shop"]) == [mine, open_one]
    assert ids(past, mode="fast") == [mine]
    assert ids(past, status="pending") == [open_one]
    assert ids(past, asked_by="me") == [mine]
    assert ids(past, asked_by="me", project="lab") == []
    assert ids(past, project=[]) == []


@pytest.mark.parametrize(
    "midnight",
    [
        "2026-01-02",
        "2026-01-02T01:00+01:00",
        date(2026, 1, 2),
        datetime(2026, 1, 2),  # noqa: DTZ001 - naive means UTC
        datetime(2026, 1, 1, 19, tzinfo=timezone(timedelta(hours=-5))),
        pd.Timestamp("2026-01-02"),
        pd.Timestamp("2026-01-02", tz="UTC").to_datetime64(),
    ],
    ids=repr,
)
def test_a_moment_can_be_said_in_every_usual_way(past, midnight):
    """Without a time zone it is UTC; from ``since`` on, and before ``until``."""
    before, at = past.ask(NEW_YEAR + DAY - 1), past.ask(NEW_YEAR + DAY)
    assert ids(past, since=midnight) == [at]
    assert ids(past, until=midnight) == [before]


@pytest.mark.parametrize("nonsense", ["soon", "", 1767225600, pd.NaT, "2026-13-01"], ids=repr)
def test_a_moment_that_cannot_be_read_is_refused(past, nonsense):
    """The message names the argument and what would do."""
    with pytest.raises(BadRequestError, match='since is a day or a time, such as "2026-01-31"'):
        ids(past, since=nonsense)


def test_of_every_account(past, store):
    """``account`` None reads those of all, and each row says whose it is."""
    past.ask(NEW_YEAR)
    type(past)(store, "sandbox", "sandbox").ask(NEW_YEAR)
    table = analysis.tasks(store, analysis.Filters())
    assert table[["account", "environment"]].values.tolist() == [["live-1", "live"], ["sandbox", "sandbox"]]
