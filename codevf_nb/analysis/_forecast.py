"""How long the credits last at the pace of the last weeks, with a range from a bootstrap over those weeks.

A thousand times, the past weeks are resampled with replacement, and their daily spending is repeated until no credits
are left. ``lasts_until`` is the median of these thousand days; ``earliest`` and ``latest`` enclose the middle 80
percent. Whole weeks are drawn since days of a week differ. It knows no holidays and no new colleagues: it extrapolates
the present pace.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import pandas as pd

from codevf_nb.analysis._book import credits
from codevf_nb.analysis._dtypes import (
    CREDITS,
    TEXT,
    TIME,
    framed,
)
from codevf_nb.analysis._questions import tasks
from codevf_nb.analysis.filters import Filters
from codevf_nb.ledger import Budgets, Store
from codevf_nb.sdk.exceptions import BadRequestError

FORECAST: Final = {
    "account": TEXT,
    "environment": TEXT,
    "limit": TEXT,
    "project": TEXT,
    "left": CREDITS,
    "per_day": CREDITS,
    "lasts_until": TIME,
    "earliest": TIME,
    "latest": TIME,
    "renews_at": TIME,
}
WEEKS: Final = 12
AVAILABLE: Final = "available"

_DRAWS = 1000
_RANGE = {"earliest": 0.1, "lasts_until": 0.5, "latest": 0.9}
_LEAST_WEEKS = 2
_DAY = 86400.0
# A later end is reported as "does not run out at this pace".
_FURTHEST_DAYS = 100 * 365.25

Days = np.ndarray[Any, np.dtype[np.float64]]


def forecast(store: Store, account: str | None, now: float, weeks: int = WEEKS) -> pd.DataFrame:
    """Return until when the balance of each account and each budget lasts, a row each, named by ``limit``.

    A budget belongs to an environment with all its accounts, so its ``account`` is missing. ``per_day`` is the mean of
    credits used per day. ``lasts_until``, ``earliest`` and ``latest`` are NaT where the credits don't run out at this
    pace, or a budget not before it renews at ``renews_at``. Without two whole weeks of data there is no range.

    Args:
        store: The database of the ledger.
        account: The account's name; None returns every account.
        now: The present time, in seconds since 1970 UTC.
        weeks: The number of weeks before ``now`` that are used; fewer where the first question is newer.

    Raises:
        BadRequestError: ``weeks`` is less than 1.
    """
    if weeks < 1:
        raise BadRequestError(f"weeks must be 1 or more, not {weeks}.")
    rows = []
    for limit in _limits(store, account, now):
        days = _days(store, limit, now, weeks)
        row = {**limit, "per_day": days.mean() if len(days) else 0.0, **_outlook(limit, days, now)}
        rows.append([row[name] for name in FORECAST])
    return framed(rows, FORECAST)


def _limits(store: Store, account: str | None, now: float) -> Iterator[dict[str, Any]]:
    """Return each account's credits, then the budgets of their environments; times are in seconds."""
    newest = credits(store, account).groupby("account", sort=True).tail(1).to_dict("records")
    for last in newest:
        named = {"account": last["account"], "environment": last["environment"]}
        yield {**named, "limit": AVAILABLE, "project": None, "left": last["available"], "renews_at": None}
    for environment in dict.fromkeys(last["environment"] for last in newest):
        for budget in Budgets(store, environment, lambda: now).standing():
            yield {
                "account": None,
                "environment": environment,
                "limit": f"{budget.credits:,.10g}/{budget.period}",
                "project": budget.project or None,
                "left": budget.left,
                "renews_at": budget.until,
            }


def _days(store: Store, limit: dict[str, Any], now: float, weeks: int) -> Days:
    """Return the credits used on each of the days (24 hours) before ``now``, oldest first, since the first question."""
    at = pd.Timestamp(now, unit="s", tz="UTC")
    where = Filters(limit["account"], limit["project"], until=at, environment=limit["environment"])
    asked = tasks(store, where, only=("created_at", "credits_used"))
    ago = ((at - asked["created_at"]).dt.total_seconds() // _DAY).to_numpy("int64")
    used = asked["credits_used"].to_numpy("float64", na_value=0.0)
    return np.bincount(ago, weights=used).astype("float64")[: weeks * 7][::-1]


def _outlook(limit: dict[str, Any], days: Days, now: float) -> dict[str, float | None]:
    """Return when the credits run out at the pace of these days."""
    whole_weeks = days[len(days) % 7 :].reshape(-1, 7)
    if len(whole_weeks) < _LEAST_WEEKS:
        lasts = limit["left"] / days.mean() if days.any() else np.inf
        return {"lasts_until": _when(lasts, limit, now), "earliest": None, "latest": None}
    quantiles = np.quantile(_lasting(limit["left"], whole_weeks), list(_RANGE.values()), method="nearest")
    return {name: _when(lasts, limit, now) for name, lasts in zip(_RANGE, quantiles, strict=True)}


def _lasting(left: float, weeks: Days) -> Days:
    """Resample whole weeks (rows of seven days); return after how many days each sample has used the credits."""
    chance = np.random.default_rng(0)  # the same ledger, the same forecast
    drawn = weeks[chance.integers(len(weeks), size=(_DRAWS, len(weeks)))].reshape(_DRAWS, -1)
    spent = drawn.cumsum(axis=1)
    whole = spent[:, -1]
    rounds = np.floor(left / np.where(whole > 0, whole, np.inf))
    day = (spent > (left - rounds * whole)[:, None]).argmax(axis=1)
    return np.where(whole > 0, rounds * drawn.shape[1] + day, np.inf)


def _when(lasts: float, limit: dict[str, Any], now: float) -> float | None:
    """Return the time that many days ahead; None if the limit renews before, or it is too far ahead."""
    end = now + lasts * _DAY
    renewed = limit["renews_at"] is not None and end >= limit["renews_at"]
    return None if renewed or lasts > _FURTHEST_DAYS else end
