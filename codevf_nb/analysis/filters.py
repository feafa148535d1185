"""Filters of questions, and the query conditions that they become."""

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

# A question without a response counts at the time when it was prepared, so that it is in one period.
made_at: ColumnElement[Any] = func.coalesce(questions.c.created_at, questions.c.prepared_at)
# Of a question without a task that the service may have, nothing else is known.
status: ColumnElement[Any] = case((questions.c.task_id.is_(None), UNKNOWN), else_=questions.c.status)

Names = str | Sequence[str] | None
Moment = str | date | None


@dataclass(frozen=True)
class Filters:
    """Filters of questions; None leaves a filter out.

    Attributes:
        account: The account's name; None selects every account.
        project: One name or several; likewise ``mode`` and ``status``.
        since: The earliest time when a question was asked. Without a time zone it is UTC.
        until: The time before which a question was asked.
    """

    account: str | None = None
    project: Names = None
    mode: Names = None
    status: Names = None
    asked_by: str | None = None
    since: Moment = None
    until: Moment = None
    environment: str | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """Return the conditions on rows of ``questions`` that the service has, or may have."""
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
    """Parse a time: text, date, datetime, Timestamp or datetime64; without a time zone it is UTC.

    Args:
        value: The time.
        name: The name of the caller's argument, for the message.

    Raises:
        BadRequestError: it is no time.
    """
    try:
        # A plain number would be nanoseconds since 1970, which is never meant.
        read = None if isinstance(value, int | float) else pd.Timestamp(value)
    except (TypeError, ValueError):
        read = None
    if read is None or pd.isna(read):
        raise BadRequestError(f'{name} is a day or a time, such as "2026-01-31" or a datetime; not {value!r}.')
    return read.tz_localize("UTC") if read.tzinfo is None else read.tz_convert("UTC")
