"""Budgets: limits on the credits spent in an environment, or in one of its projects, per day, week or month.

An environment is live, test or sandbox. A budget applies to all its accounts, so another key does not avoid it. A
question counts in the period in which it was asked: with its highest possible cost at first, and with the credits it
used once these are known. The transaction that prepares a question checks and reserves its cost, so that two kernels
can't both spend the last credit. Periods begin at midnight UTC; a week begins on Monday.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, bindparam, delete, insert, select

from codevf_nb.ledger._lease import is_leased
from codevf_nb.ledger._store import Store
from codevf_nb.ledger.records import SendState
from codevf_nb.ledger.tables import budgets, questions
from codevf_nb.sdk.exceptions import BadRequestError, CodeVFError
from codevf_nb.sdk.statuses import status_info

EVERY_PROJECT = ""

# Built once: every question queries its budgets, and few have one.
_ALL = (
    select(budgets)
    .where(budgets.c.environment == bindparam("environment"))
    .order_by(budgets.c.project, budgets.c.credits)
)
_OF_PROJECT = _ALL.where(budgets.c.project.in_((EVERY_PROJECT, bindparam("project"))))


class BudgetExceededError(CodeVFError):
    """The highest possible cost of a question exceeds a budget. Nothing was sent."""


class Period(StrEnum):
    """The period after which a budget starts again."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"

    def around(self, now: float) -> tuple[float, float]:
        """Return the start and the end of the period that contains ``now`` (seconds since 1970 UTC)."""
        today = datetime.fromtimestamp(now, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        if self is Period.MONTH:
            begins = today.replace(day=1)
            ends = (begins + timedelta(days=31)).replace(day=1)
        else:
            begins = today if self is Period.DAY else today - timedelta(days=today.weekday())
            ends = begins + timedelta(days=1 if self is Period.DAY else 7)
        return begins.timestamp(), ends.timestamp()


@dataclass(frozen=True)
class Budget:
    """The current state of a budget.

    Attributes:
        project: The project, or "" for all projects together.
        period: The period.
        credits: The limit per period.
        taken: The credits spent or reserved in the current period.
        until: When the current period ends (seconds since 1970 UTC).
    """

    project: str
    period: Period
    credits: float
    taken: float
    until: float

    @property
    def left(self) -> float:
        """The credits that may still be spent or reserved in this period."""
        return max(0.0, self.credits - self.taken)

    def __str__(self) -> str:
        whose = f" of project {self.project}" if self.project else ""
        until = datetime.fromtimestamp(self.until, UTC).strftime("%Y-%m-%d %H:%M UTC")
        return f"{self.left:,.10g} of {self.credits:,.10g} credits per {self.period}{whose} are left until {until}"


def amount(text: str) -> tuple[float, Period]:
    """Parse a budget such as ``2000/day`` or ``10,000/month``.

    Returns:
        The credits and the period.

    Raises:
        BadRequestError: The text is not a budget.
    """
    number, _, period = text.partition("/")
    try:
        credits = float(number.replace(",", ""))
        if math.isfinite(credits) and credits >= 0:
            return credits, Period(period.strip().lower())
    except ValueError:
        pass
    raise BadRequestError(f"a budget is a number of credits per day, week or month, such as 2000/day; not {text!r}.")


class Budgets:
    """The budgets of one environment."""

    def __init__(self, store: Store, environment: str, clock: Callable[[], float]) -> None:
        self._store = store
        self._environment = environment
        self._clock = clock

    def set(self, text: str, project: str = EVERY_PROJECT) -> None:
        """Set a budget such as ``2000/day``; credits already spent in the current period count.

        Raises:
            BadRequestError: The text is not a budget.
        """
        credits, period = amount(text)
        which = (*self._of(project), budgets.c.period == period)
        values = {"environment": self._environment, "project": project, "period": period.value, "credits": credits}
        with self._store.write() as connection:
            connection.execute(delete(budgets).where(*which))
            connection.execute(insert(budgets).values(values))

    def remove(self, project: str = EVERY_PROJECT) -> bool:
        """Remove the budgets of a project, or of all projects together; return whether there were any."""
        with self._store.write() as connection:
            return connection.execute(delete(budgets).where(*self._of(project))).rowcount > 0

    def standing(self, project: str | None = None) -> list[Budget]:
        """Return the current state of every budget; with ``project``, of those that apply to its questions."""
        with self._store.read() as connection:
            return _standing(connection, self._environment, project, self._clock())

    def _of(self, project: str) -> tuple[ColumnElement[bool], ...]:
        return budgets.c.environment == self._environment, budgets.c.project == project


def check(connection: Connection, environment: str, project: str | None, cost_cap: float, now: float) -> None:
    """Refuse a question that would exceed a budget; runs in the transaction that prepares the question.

    Raises:
        BudgetExceededError: ``cost_cap`` exceeds the rest of a budget.
    """
    for budget in _standing(connection, environment, project or EVERY_PROJECT, now):
        if cost_cap > budget.left:
            named = f" --project {budget.project}" if budget.project else ""
            raise BudgetExceededError(
                f"this may cost {cost_cap:,.10g} credits, and only {budget}. Nothing was sent. "
                f"Ask with a smaller -c, or raise it: %codevf budget N/{budget.period}{named}."
            )


def _standing(connection: Connection, environment: str, project: str | None, now: float) -> list[Budget]:
    which = {"environment": environment} if project is None else {"environment": environment, "project": project}
    found = []
    for row in connection.execute(_ALL if project is None else _OF_PROJECT, which).all():
        period = Period(row.period)
        begins, ends = period.around(now)
        taken = _taken(connection, environment, row.project, begins, now)
        found.append(Budget(row.project, period, row.credits, taken, ends))
    return found


def _taken(connection: Connection, environment: str, project: str, begins: float, now: float) -> float:
    names = (
        "id",
        "origin",
        "task_id",
        "state",
        "status",
        "unheard",
        "lease_owner",
        "lease_until",
        "cost_cap",
        "credits_used",
    )
    query = select(*(questions.c[name] for name in names))
    query = query.where(questions.c.environment == environment, questions.c.prepared_at >= begins)
    if project != EVERY_PROJECT:
        query = query.where(questions.c.project == project)
    # A task can have a row under two accounts, if one of them imported it. It counts once.
    counted: dict[object, float] = {}
    for row in connection.execute(query):
        task = row.id if row.task_id is None else (row.origin, row.task_id)
        counted[task] = max(counted.get(task, 0.0), _counts(row, now))
    return sum(counted.values())


def _counts(row: Row[Any], now: float) -> float:
    """Return a question's credits: its highest possible cost, until the cost is known or the question was not sent."""
    worst = float(row.cost_cap or 0)
    if row.state == SendState.ACCEPTED:
        look = status_info(row.status)
        if not look.is_final:
            return worst
        unsaid = worst if look.has_answer else 0.0
        return unsaid if row.credits_used is None else max(0.0, float(row.credits_used))
    reserved = row.unheard > 0 or is_leased(row.lease_owner, row.lease_until, now)
    return worst if reserved and row.state == SendState.OPEN else 0.0
