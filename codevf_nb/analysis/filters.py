"""Which questions a frame speaks of: filters, turned into the conditions of a query."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd
from sqlalchemy import ColumnElement, case, func, or_

from codevf_nb.ledger import UNKNOWN
from codevf_nb.ledger.rows import OUTCOME_UNKNOWN
from codevf_nb.ledger.tables import questions
from codevf_nb.sdk.exceptions import BadRequestError

# A question that nobody has heard of yet stands where it was prepared, so that no period loses it.
made_at: ColumnElement[Any] = func.coalesce(questions.c.created_at, questions.c.prepared_at)
# Of a question without a task that the service may have, nothing else is known.
status: ColumnElement[Any] = case((questions.c.task_id.is_(None), UNKNOWN), else_=questions.c.status)

Words = str | Sequence[str] | None
Moment = str | date | None


@dataclass(frozen=True)
class Filters:
    """The questions meant. None leaves a filter out; ``account`` None means those of every account.

    ``since`` and ``until`` are about when a question was asked: from the one on, and before the other. A text, date or
    datetime without a time zone is UTC. ``project``, ``mode`` and ``status`` take one word or several.
    """

    account: str | None = None
    project: Words = None
    mode: Words = None
    status: Words = None
    asked_by: str | None = None
    since: Moment = None
    until: Moment = None
    environment: str | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """Return what a row of ``questions`` must fulfil; the service has, or may have, each of these."""
        found: list[ColumnElement[bool]] = [or_(questions.c.task_id.is_not(None), OUTCOME_UNKNOWN)]
        for column, words in (
            (questions.c.account, self.account),
            (questions.c.environment, self.environment),
            (questions.c.project, self.project),
            (questions.c.mode, self.mode),
            (status, self.status),
            (questions.c.asked_by, self.asked_by),
        ):
            if words is not None:
                found.append(column.in_([words] if isinstance(words, str) else [str(word) for word in words]))
        if self.since is not None:
            begins = moment(self.since, "since").timestamp()
            found.append(made_at >= begins)
        if self.until is not None:
            ends = moment(self.until, "until").timestamp()
            found.append(made_at < ends)
        return found


def moment(value: Any, name: str) -> pd.Timestamp:
    """Read a moment as people give it: text, date, datetime, Timestamp or datetime64; without a time zone it is UTC.

    Raises:
        BadRequestError: it can't be read; ``name`` is what the caller's argument is called.
    """
    try:
        # A bare number would be nanoseconds since 1970, which nobody means.
        read = None if isinstance(value, int | float) else pd.Timestamp(value)
    except (TypeError, ValueError):
        read = None
    if read is None or pd.isna(read):
        raise BadRequestError(f'{name} is a day or a time, such as "2026-01-31" or a datetime; not {value!r}.')
    return read.tz_localize("UTC") if read.tzinfo is None else read.tz_convert("UTC")
