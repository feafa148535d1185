"""Ledger rows as DataFrames: questions, the account book, spending, and a forecast of the balance.

Times are UTC, durations are Timedelta, credits nullable floats, and text has the string dtype (so that groupby returns
only values that occur). An empty frame has the same columns and dtypes as a full one. By default a frame contains one
account; it never adds credits of a sandbox to those of a live account.
"""

from __future__ import annotations

from codevf_nb.analysis._book import (
    BALANCES,
    CREDITS_BOOK,
    balance,
    credits,
)
from codevf_nb.analysis._dtypes import (
    COUNT,
    CREDITS,
    SPAN,
    TEXT,
    TIME,
)
from codevf_nb.analysis._forecast import FORECAST, forecast
from codevf_nb.analysis._questions import TASKS, tasks
from codevf_nb.analysis._spending import SPEND, SPEND_BY, spend
from codevf_nb.analysis._tags import TAGS, tags
from codevf_nb.analysis.filters import Filters, moment
from codevf_nb.analysis.structured import answers, names

__all__ = [
    "BALANCES",
    "COUNT",
    "CREDITS",
    "CREDITS_BOOK",
    "FORECAST",
    "SPAN",
    "SPEND",
    "SPEND_BY",
    "TAGS",
    "TASKS",
    "TEXT",
    "TIME",
    "Filters",
    "answers",
    "balance",
    "credits",
    "forecast",
    "moment",
    "names",
    "spend",
    "tags",
    "tasks",
]
