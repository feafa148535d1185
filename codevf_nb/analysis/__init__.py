"""Ledger rows as DataFrames: what was asked, the account book, what was spent, and how long the rest will last.

Times are UTC, lengths of time a Timedelta, credits nullable floats, text the string dtype (so that groupby yields only
what occurs). An empty frame has the same columns and dtypes as a full one. A frame speaks of one account unless told
otherwise, and never adds credits of a sandbox to those of a live account.
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
