"""What people do with a frame: save it, group it, resample it, merge it. Nothing warns, nothing is lost."""

import io

import pandas as pd
import pytest

from codevf_nb import analysis
from tests.frames.history import DAY

# Every frame there is, by how it is made from a ledger.
EVERY = {
    "tasks": (lambda store, account: analysis.tasks(store, analysis.Filters(account)), analysis.TASKS),
    "credits": (analysis.credits, analysis.CREDITS_BOOK),
    "balance": (analysis.balance, analysis.BALANCES),
    "tags": (analysis.tags, analysis.TAGS),
    "forecast": (lambda store, account: analysis.forecast(store, account, 60 * DAY), analysis.FORECAST),
    "spend": (
        lambda store, account: analysis.spend(store, analysis.Filters(account), ("project", "mode"), "W"),
        {"project": analysis.TEXT, "mode": analysis.TEXT, "period": analysis.TIME, **analysis.SPEND},
    ),
}
each_frame = pytest.mark.parametrize("name", EVERY)


@pytest.fixture(autouse=True)
def _history(past):
    past.ledger.balances.record(5000.0, 0.0, at=0.0)
    for day in range(0, 50, 5):
        past.answered(day * DAY, used=12.25, mode=("fast", "standard")[day % 2], project=None if day == 5 else "shop")
    past.ask(50 * DAY)
    past.ledger.budgets.set("100/day")


def made(past, name: str, account: str = "live-1") -> pd.DataFrame:
    return EVERY[name][0](past.store, account)


@each_frame
@pytest.mark.parametrize("account", ["live-1", "nobody"])
def test_columns_and_dtypes_are_the_designs(past, name, account):
    """An empty frame has the same columns and dtypes as a full one."""
    frame = made(past, name, account)
    assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == EVERY[name][1]
    assert len(frame) == 0 if account == "nobody" or name == "tags" else len(frame) > 0
    assert isinstance(frame.index, pd.RangeIndex)


@each_frame
def test_a_frame_survives_parquet(past, name, tmp_path):
    """It comes back as it went, dtypes included."""
    frame = made(past, name)
    frame.to_parquet(tmp_path / "frame.parquet")
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "frame.parquet"), frame)


@each_frame
def test_a_frame_survives_csv(past, name):
    """Every row and value is there; a length of time comes back from its text."""
    frame = made(past, name)
    spans = [column for column, dtype in EVERY[name][1].items() if dtype == analysis.SPAN]
    times = [column for column, dtype in EVERY[name][1].items() if dtype == analysis.TIME]
    back = pd.read_csv(io.StringIO(frame.to_csv(index=False)))
    for column in spans:
        back[column] = pd.to_timedelta(back[column])
    for column in times:
        back[column] = pd.to_datetime(back[column], format="ISO8601", utc=True)
    pd.testing.assert_frame_equal(back.astype(EVERY[name][1]), frame)


def test_groupby_yields_only_what_occurs(past):
    """Text is text, not a category: no empty groups."""
    table = made(past, "tasks")
    assert table.groupby("status").size().to_dict() == {"completed": 10, "pending": 1}
    assert table.groupby(["mode", "status"])["credits_used"].sum().to_dict() == {
        ("fast", "completed"): 61.25,
        ("fast", "pending"): 0.0,
        ("standard", "completed"): 61.25,
    }


def test_resample_counts_by_time(past):
    """A time column is an index to resample by."""
    by_week = made(past, "tasks").set_index("created_at").resample("10D")["credits_used"].sum()
    assert by_week.tolist() == [24.5, 24.5, 24.5, 24.5, 24.5, 0.0]
    last = made(past, "credits").set_index("at").resample("D")["available"].last().ffill()
    assert last.iloc[0] == 4987.75


def test_merge_finds_its_own_and_others(past):
    """With the book by task id, and with a table of the user's own whatever its dtype of text."""
    table, book = made(past, "tasks"), made(past, "credits")
    charges = book[book["kind"] == "charge"].merge(table, on="task_id", suffixes=("_book", ""))
    assert (-charges["credits"] == charges["credits_used"]).all()
    own = pd.DataFrame({"project": ["shop", "lab"], "owner": ["ann", "bob"]})
    assert table.merge(own, on="project", how="left")["owner"].notna().sum() == 10
    assert own.merge(table, on="project")["owner"].tolist() == ["ann"] * 10


def test_arithmetic_needs_no_thought(past):
    """Credits add and compare, times subtract, and what isn't known stays unknown."""
    table = made(past, "tasks")
    assert (table["cost_cap"] - table["credits_used"]).isna().sum() == 1
    assert ((table["completed_at"] - table["created_at"]).dropna() == table["answered_in"].dropna()).all()
    assert table["answered_in"].dt.total_seconds().mean() == 60.0
