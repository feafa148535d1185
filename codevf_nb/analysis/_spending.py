"""Spending: questions, credits and time to answer per group, and optionally per period."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from codevf_nb.analysis._dtypes import (
    COUNT,
    CREDITS,
    SPAN,
    TEXT,
    TIME,
    spans,
    typed,
)
from codevf_nb.analysis._questions import tasks
from codevf_nb.analysis.filters import Filters, moment
from codevf_nb.ledger import Store
from codevf_nb.sdk.exceptions import BadRequestError
from codevf_nb.sdk.statuses import ANSWERED

SPEND_BY: Final = ("account", "environment", "asked_by", "project", "mode", "tag", "status")
SPEND: Final = {
    "questions": COUNT,
    "credits_used": CREDITS,
    "credits_held": CREDITS,
    "credits_per_answer": CREDITS,
    "share": CREDITS,
    "median_answered_in": SPAN,
    "p90_answered_in": SPAN,
}
# pandas' names of periods, with the spellings of their beginnings and ends, as numpy counts them.
_PERIODS = {
    **dict.fromkeys(("h", "H"), ("h", 1)),
    "D": ("D", 1),
    "W": ("W", 1),
    **dict.fromkeys(("M", "MS", "ME"), ("M", 1)),
    **dict.fromkeys(("Q", "QS", "QE"), ("M", 3)),
    **dict.fromkeys(("Y", "YS", "YE"), ("Y", 1)),
}
# numpy's weeks begin on Thursday, as 1970 did; calendar weeks begin on Monday.
_THURSDAY_TO_MONDAY = np.timedelta64(3, "D")
_BEFORE = pd.Timedelta(microseconds=1)
_ONCE = ("questions", "credits_used", "credits_held", "answers")
_READ = ("environment", "created_at", "completed_at", "task_id", "status", "cost_cap", "credits_used", "answered_in")

Moments = np.ndarray[Any, np.dtype[np.datetime64]]


def spend(store: Store, where: Filters, by: str | Sequence[str] = ("mode",), freq: str | None = None) -> pd.DataFrame:
    """Return questions, credits and time to answer per group, the highest spending first.

    A question counts at the time when it was asked. ``credits_held`` is the highest possible cost of open tasks;
    ``share`` is the row's part of all credits used in the frame, 0 to 1. For all accounts at once, the environment is
    always one of the groups, and shares are computed within it.

    Args:
        store: The database of the ledger.
        where: The questions that count.
        by: One column or several of ``SPEND_BY``.
        freq: h, D, W, M, Q or Y adds a row per period, the oldest first. ``period`` is its begin in UTC, of weeks on
            Monday. Periods without questions are zeros, from ``since`` to ``until``, else from the first question to
            the last.

    Raises:
        BadRequestError: ``by`` or ``freq`` has another value.
    """
    groups = _groups(by, where)
    if freq is not None and freq not in _PERIODS:
        raise BadRequestError(f"freq is h, D, W, M, Q or Y, not {freq!r}.")
    asked = tasks(store, where, only=dict.fromkeys((*groups, *_READ)))
    if freq is not None:
        asked["period"] = _begins(asked["created_at"].dt.tz_localize(None).to_numpy("M8[us]"), freq)
    keys = groups if freq is None else [*groups, "period"]
    frame = _summed(asked, keys)
    if freq is not None:
        frame = _filled(frame, groups, _between(asked["period"], where, freq))
    frame = _rates(frame, groups)
    first = "credits_used" if freq is None else "period"
    frame = frame.sort_values(first, ascending=freq is not None, kind="stable", ignore_index=True)
    if freq is not None:
        frame["period"] = frame["period"].dt.tz_localize("UTC")
    return typed(frame, {**dict.fromkeys(groups, TEXT), **({"period": TIME} if freq else {}), **SPEND})


def _groups(by: str | Sequence[str], where: Filters) -> list[str]:
    groups = [by] if isinstance(by, str) else list(dict.fromkeys(by))
    if unknown := [str(name) for name in groups if name not in SPEND_BY]:
        raise BadRequestError(f"spend can't be by {', '.join(unknown)}; it can be by {', '.join(SPEND_BY)}.")
    # Credits of a sandbox and of a live account are never added up, unless a caller drops the column.
    return groups if where.account is not None or "environment" in groups else ["environment", *groups]


def _summed(asked: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Add up per group; an open task holds its highest possible cost."""
    is_open = asked["completed_at"].isna() & asked["task_id"].notna()
    counted = asked[keys].assign(
        questions=1,
        credits_used=asked["credits_used"].to_numpy("float64", na_value=0.0),
        credits_held=np.where(is_open, asked["cost_cap"].to_numpy("float64", na_value=0.0), 0.0),
        answers=asked["status"].isin(ANSWERED).to_numpy(bool, na_value=False).astype("int64"),
        seconds=asked["answered_in"].dt.total_seconds(),
    )
    groups = counted.groupby(keys or (lambda _row: 0), sort=True, dropna=False, observed=True)
    frame = groups[list(_ONCE)].sum()
    frame["median"] = groups["seconds"].median()
    frame["p90"] = groups["seconds"].quantile(0.9)
    return frame.reset_index(drop=not keys)


def _filled(frame: pd.DataFrame, groups: list[str], periods: Moments) -> pd.DataFrame:
    """Give every group a row in every period."""
    every = frame[groups].drop_duplicates().merge(pd.DataFrame({"period": periods}), how="cross")
    if not groups:
        every = pd.DataFrame({"period": periods})
    filled = every.merge(frame, on=[*groups, "period"], how="left")
    return filled.fillna(dict.fromkeys(_ONCE, 0))


def _rates(frame: pd.DataFrame, groups: list[str]) -> pd.DataFrame:
    used = frame["credits_used"]
    total = used.groupby(frame["environment"]).transform("sum") if "environment" in groups else used.sum()
    share = np.where(total > 0, used / np.where(total > 0, total, 1), 0.0)
    per_answer = (used / frame["answers"].where(frame["answers"] > 0)).astype(CREDITS)
    median, p90 = (spans(frame[name].to_numpy("float64")) for name in ("median", "p90"))
    return frame.assign(credits_per_answer=per_answer, share=share, median_answered_in=median, p90_answered_in=p90)


def _begins(moments: Moments, freq: str) -> Moments:
    """Return when the period that holds each moment (naive, UTC) begins."""
    return _moment_of(_number_of(moments, freq), freq)


def _between(seen: pd.Series, where: Filters, freq: str) -> Moments:
    """Return the beginnings of all periods of the frame."""
    first = seen.min() if where.since is None else moment(where.since, "since").tz_localize(None)
    last = seen.max() if where.until is None else moment(where.until, "until").tz_localize(None) - _BEFORE
    if first is pd.NaT or last is pd.NaT:
        return np.array([], dtype="M8[us]")
    begin, end = _number_of(np.array([first, last], dtype="M8[us]"), freq)
    return _moment_of(np.arange(begin, end + 1), freq)


def _number_of(moments: Moments, freq: str) -> np.ndarray[Any, np.dtype[np.int64]]:
    unit, count = _PERIODS[freq]
    shifted = moments + _THURSDAY_TO_MONDAY if unit == "W" else moments
    return shifted.astype(f"M8[{unit}]").astype("int64") // count


def _moment_of(numbers: np.ndarray[Any, np.dtype[np.int64]], freq: str) -> Moments:
    unit, count = _PERIODS[freq]
    begins: Moments = (numbers * count).astype(f"M8[{unit}]").astype("M8[us]")
    return begins - _THURSDAY_TO_MONDAY if unit == "W" else begins
