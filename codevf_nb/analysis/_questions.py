"""The frame of questions: a row per question."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import pandas as pd
from sqlalchemy import ColumnElement, case, func, select

from codevf_nb.analysis._dtypes import (
    COUNT,
    CREDITS,
    SPAN,
    TEXT,
    TIME,
    read,
)
from codevf_nb.analysis.filters import Filters, made_at, status
from codevf_nb.ledger import Store
from codevf_nb.ledger.tables import questions
from codevf_nb.sdk.statuses import ANSWERED

TASKS: Final = {
    "task_id": TEXT,
    "account": TEXT,
    "environment": TEXT,
    "asked_by": TEXT,
    "project": TEXT,
    "mode": TEXT,
    "tag": TEXT,
    "status": TEXT,
    "prompt": TEXT,
    "attachments": COUNT,
    "max_credits": CREDITS,
    "cost_cap": CREDITS,
    "credits_used": CREDITS,
    "created_at": TIME,
    "completed_at": TIME,
    "answered_in": SPAN,
    "message": TEXT,
}

# Each attachment's record holds its hash once; counting that needs no JSON of the database's own dialect.
_MARK = '"sha256":'
_COUNTED: ColumnElement[Any] = (
    func.length(questions.c.attachments) - func.length(func.replace(questions.c.attachments, _MARK, ""))
) / len(_MARK)
# A cancelled task is final, but it has no answer.
_ANSWERED_IN = case((questions.c.status.in_(ANSWERED), questions.c.completed_at - questions.c.created_at), else_=None)
_MADE: dict[str, ColumnElement[Any]] = {
    "status": status,
    "attachments": _COUNTED,
    "created_at": made_at,
    "answered_in": _ANSWERED_IN,
}


def tasks(store: Store, where: Filters, only: Iterable[str] = TASKS) -> pd.DataFrame:
    """Return a row for each question that the service has or may have, the newest last.

    ``completed_at`` is when a poll first returned a final status, so ``answered_in`` is an upper bound. ``status`` is
    "unknown" where no response says whether the service has the question.

    Args:
        store: The database of the ledger.
        where: The questions to return.
        only: The columns to read.
    """
    columns = {name: TASKS[name] for name in only}
    chosen = [_MADE[name] if name in _MADE else questions.c[name] for name in columns]
    return read(store, select(*chosen).where(*where.conditions()).order_by(questions.c.id), columns)
