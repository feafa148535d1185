"""``spend()``: sums, shares and lengths of time per group and period."""

from datetime import UTC, datetime

import pandas as pd
import pytest

from codevf_nb import analysis
from codevf_nb.sdk.exceptions import BadRequestError
from tests.frames.history import DAY, History

MONDAY = datetime(2026, 1, 5, tzinfo=UTC).timestamp()


def spend(past, by=("mode",), freq=None, **where) -> pd.DataFrame:
    return analysis.spend(past.store, analysis.Filters(past.account, **where), by, freq)


def test_a_group_tells_all_of_the_designs_columns(past):
    """Cost per answer counts answers only, and what is open holds its worst case."""
    for took in (60, 120, 600):
        past.answered(MONDAY, used=100.0, took=took, mode="fast")
    past.answer(past.ask(MONDAY, mode="fast"), 0.0, MONDAY + 1, status="cancelled")
    past.ask(MONDAY, cap=500, mode="fast")
    past.answered(MONDAY, used=100.0, mode="standard")
    table = spend(past)
    assert table["mode"].tolist() == ["fast", "standard"]
    assert table.loc[0].to_dict() == {
        "mode": "fast",
        "questions": 5,
        "credits_used": 300.0,
        "credits_held": 500.0,
        "credits_per_answer": 100.0,
        "share": 0.75,
        "median_answered_in": pd.Timedelta(minutes=2),
        "p90_answered_in": pd.Timedelta(seconds=504),
    }


def test_nothing_answered_means_nothing_per_answer(past):
    """No division by zero, and no zero that looks like a price."""
    past.ask(MONDAY)
    row = spend(past).loc[0]
    assert (row["credits_used"], row["share"]) == (0.0, 0.0)
    assert row["credits_per_answer"] is pd.NA
    assert row["median_answered_in"] is pd.NaT


@pytest.mark.parametrize(
    ("freq", "begins"),
    [
        ("h", "2026-02-05 13:00"),
        ("D", "2026-02-05"),
        ("W", "2026-02-02"),
        ("M", "2026-02-01"),
        ("ME", "2026-02-01"),
        ("Q", "2026-01-01"),
        ("Y", "2026-01-01"),
    ],
)
def test_a_period_is_named_by_its_beginning(past, freq, begins):
    """In UTC; weeks begin on Monday."""
    past.answered(datetime(2026, 2, 5, 13, 45, tzinfo=UTC).timestamp())
    assert spend(past, freq=freq)["period"].tolist() == [pd.Timestamp(begins, tz="UTC")]


def test_every_group_has_every_period_and_empty_ones_are_zeros(past):
    """From the first question to the last; with bounds, between these."""
    past.answered(MONDAY, mode="fast", used=30.0)
    past.answered(MONDAY + 21 * DAY, mode="standard", used=10.0)
    table = spend(past, freq="W")
    assert len(table) == 4 * 2
    assert table.groupby("period").size().tolist() == [2, 2, 2, 2]
    assert table.pivot_table(index="period", columns="mode", values="credits_used").to_numpy().tolist() == [
        [30.0, 0.0],
        [0.0, 0.0],
        [0.0, 0.0],
        [0.0, 10.0],
    ]
    assert table["share"].sum() == pytest.approx(1)
    assert table.loc[table["questions"] == 0, "credits_per_answer"].isna().all()
    bounded = spend(past, freq="W", since="2025-12-29", until="2026-01-12")
    assert bounded[["period", "mode", "questions"]].values.tolist() == [
        [pd.Timestamp("2025-12-29", tz="UTC"), "fast", 0],
        [pd.Timestamp("2026-01-05", tz="UTC"), "fast", 1],
    ]


def test_by_nothing_is_one_sum(past):
    """Or one row per period."""
    past.answered(MONDAY, mode="fast", used=30.0)
    past.answered(MONDAY + 7 * DAY, mode="standard", used=10.0)
    assert spend(past, ())["credits_used"].tolist() == [40.0]
    assert spend(past, (), "W")["credits_used"].tolist() == [30.0, 10.0]
    assert spend(past, (), "W", project="none")["credits_used"].tolist() == []


def test_a_group_without_a_name_is_a_group(past):
    """A task asked from elsewhere has no project, and its credits aren't lost."""
    past.answered(MONDAY, project=None, used=30.0)
    past.answered(MONDAY, used=10.0)
    table = spend(past, "project", "D")
    assert table["credits_used"].sum() == 40.0
    assert table["project"].isna().tolist() == [False, True]


def test_a_sandbox_is_never_added_to_a_live_account(past, store):
    """Of every account at once, the environment is a column of its own, and shares are those within it."""
    past.answered(MONDAY, used=30.0)
    for used in (100.0, 300.0):
        History(store, f"sandbox-{used:g}", "sandbox").answered(MONDAY, used=used)
    everywhere = analysis.spend(store, analysis.Filters(), "mode")
    assert everywhere[["environment", "mode", "credits_used", "share"]].values.tolist() == [
        ["sandbox", "fast", 400.0, 1.0],
        ["live", "fast", 30.0, 1.0],
    ]
    by_account = analysis.spend(store, analysis.Filters(), ("account", "environment"), "D")
    assert by_account["share"].tolist() == [1.0, 0.25, 0.75]


@pytest.mark.parametrize(
    ("by", "freq", "told"), [("weather", None, "can't be by weather"), ("mode", "2W", "freq is h, D")]
)
def test_what_there_is_no_column_for_is_refused(past, by, freq, told):
    """With what would do."""
    with pytest.raises(BadRequestError, match=told):
        spend(past, by, freq)
