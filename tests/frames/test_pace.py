"""``forecast()``: the pace of the last weeks carried on, with a range, and nothing promised beyond it."""

import numpy as np
import pandas as pd
import pytest

from codevf_nb import analysis
from codevf_nb.sdk.exceptions import BadRequestError
from tests.frames.history import DAY, History

NOW = 200 * DAY


def forecast(past, **options) -> dict:
    return analysis.forecast(past.store, past.account, NOW, **options).loc[0].to_dict()


def spent(past, per_day, days) -> None:
    """So many credits on each of the last days, by one number or by a rhythm."""
    for ago in range(1, days + 1):
        past.answered(NOW - ago * DAY + 60, used=float(per_day(ago) if callable(per_day) else per_day), cap=1000)


def test_an_even_pace_ends_on_the_day_it_must(past):
    """100 a day and 1,000 left last ten days, and no range is wider than that."""
    spent(past, 100, 21)
    past.ledger.balances.record(1000.0, 0.0, NOW)
    row = forecast(past)
    assert (row["limit"], row["left"], row["per_day"]) == ("available", 1000.0, 100.0)
    assert row["earliest"] == row["lasts_until"] == row["latest"] == pd.Timestamp(NOW + 10 * DAY, unit="s", tz="UTC")
    assert row["renews_at"] is pd.NaT


def test_an_uneven_pace_has_a_range(past):
    """Weeks that differ make the end uncertain, and the same ledger gives the same forecast."""
    spent(past, lambda ago: 20 if ago // 7 % 2 else 180, 84)
    past.ledger.balances.record(20_000.0, 0.0, NOW)
    row = forecast(past)
    assert row["earliest"] < row["lasts_until"] < row["latest"]
    even = NOW + 20_000 / row["per_day"] * DAY
    assert abs(row["lasts_until"].timestamp() - even) < 40 * DAY
    assert forecast(past) == row


def test_the_range_holds_what_it_says():
    """Of futures drawn like the past, about 80 percent end within the range."""
    from codevf_nb.analysis._forecast import _lasting

    chance = np.random.default_rng(7)
    left, weeks, inside = 60_000.0, 12, 0
    for _ in range(200):
        past, future = chance.gamma(2, 50, (weeks, 7)), chance.gamma(2, 50, 2000)
        low, high = np.quantile(_lasting(left, past), (0.1, 0.9))
        inside += low <= (future.cumsum() > left).argmax() <= high
    assert 0.65 < inside / 200 < 0.92


def test_idle_weeks_count(past):
    """Only the looked-at weeks count, an idle one among them as nothing spent."""
    past.answered(NOW - 100 * DAY, used=9000.0)
    spent(past, 120, 7)
    past.ledger.balances.record(1000.0, 0.0, NOW)
    assert forecast(past)["per_day"] == pytest.approx(10.0)
    assert forecast(past, weeks=1)["per_day"] == pytest.approx(120.0)


def test_too_little_history_has_no_range(past):
    """A pace, but no claim about how far it can be trusted."""
    spent(past, 100, 5)
    past.ledger.balances.record(1000.0, 0.0, NOW)
    row = forecast(past)
    assert row["lasts_until"] == pd.Timestamp(NOW + 10 * DAY, unit="s", tz="UTC")
    assert row["earliest"] is pd.NaT
    assert row["latest"] is pd.NaT


def test_nothing_spent_never_ends(past):
    """Not at this pace."""
    past.ledger.balances.record(1000.0, 0.0, NOW)
    assert forecast(past)["lasts_until"] is pd.NaT
    past.ask(NOW - 30 * DAY)
    assert forecast(past)["lasts_until"] is pd.NaT


def test_a_budget_ends_before_it_begins_anew_or_not_at_all(past):
    """Each budget is a row; of a project's, the project's own pace counts."""
    past.ledger.balances.record(100_000.0, 0.0, NOW - 60 * DAY)
    spent(past, 100, 21)
    past.ledger.budgets.set("50/day")
    past.ledger.budgets.set("90000/month")
    past.ledger.budgets.set("1000/month", project="other")
    table = analysis.forecast(past.store, past.account, NOW).set_index("limit")
    assert table.index.tolist() == ["available", "50/day", "90,000/month", "1,000/month"]
    assert table["project"].fillna("").tolist() == ["", "", "", "other"]
    assert table["renews_at"].notna().tolist() == [False, True, True, True]
    assert table["lasts_until"].notna().tolist() == [True, True, False, False]
    assert table.loc["50/day", "lasts_until"] < table.loc["50/day", "renews_at"]


def test_an_account_is_a_row_of_its_own(past, store):
    """A sandbox's credits never pay a live account's questions."""
    for history in (past, History(store, "sandbox", "sandbox")):
        history.ledger.balances.record(10.0, 0.0, NOW)
    assert analysis.forecast(store, None, NOW)["left"].tolist() == [10.0, 10.0]
    with pytest.raises(BadRequestError, match="weeks"):
        analysis.forecast(store, None, NOW, weeks=0)
