"""Budgets: the most that this ledger may spend in an environment, or in a project there, per day, week or month.

An environment is live, test or sandbox, whatever the account: a new key, or another one, does not lift a budget.
A question is counted in the period in which it was asked: with what it used once that is known, with its worst case
before. It is checked and counted in the one transaction that prepares it, so that two kernels can't both take the last
credit. Periods begin at midnight UTC; a week begins on Monday.
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

# Made once: every question looks for its budgets, and hardly any has one.
_ALL = (
    select(budgets)
    .where(budgets.c.environment == bindparam("environment"))
    .order_by(budgets.c.project, budgets.c.credits)
)
_OF_PROJECT = _ALL.where(budgets.c.project.in_((EVERY_PROJECT, bindparam("project"))))


class BudgetExceededError(CodeVFError):
    """A question's worst case would go past a budget. Nothing was sent."""


class Period(StrEnum):
    """How long a budget lasts before it begins anew."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"

    def around(self, now: float) -> tuple[float, float]:
        """Return when the period that holds this moment began, and when it ends."""
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
    """One budget as it stands: ``taken`` is spent or reserved in this period. ``project`` is "" for all of them."""

    project: str
    period: Period
    credits: float
    taken: float
    until: float

    @property
    def left(self) -> float:
        """What may still be spent or reserved until the period ends, in credits."""
        return max(0.0, self.credits - self.taken)

    def __str__(self) -> str:
        whose = f" of project {self.project}" if self.project else ""
        until = datetime.fromtimestamp(self.until, UTC).strftime("%Y-%m-%d %H:%M UTC")
        return f"{self.left:,.10g} of {self.credits:,.10g} credits per {self.period}{whose} are left until {until}"


def amount(text: str) -> tuple[float, Period]:
    """Read a budget as people type it: 2000/day, 10,000/month.

    Raises:
        BadRequestError: it can't be read so.
    """
    number, _, period = text.partition("/")
    try:
        credits = float(number.replace(",", ""))
        if math.isfinite(credits) and credits >= 0:
            return credits, Period(period.strip().lower())
    except ValueError:
        pass
    raise BadRequestError(f"a budget is so many credits per day, week or month, such as 2000/day; not {text!r}.")


class Budgets:
    """The budgets of one environment."""

    def __init__(self, store: Store, environment: str, clock: Callable[[], float]) -> None:
        self._store = store
        self._environment = environment
        self._clock = clock

    def set(self, text: str, project: str = EVERY_PROJECT) -> None:
        """Allow so many credits per period (``2000/day``) from now on; what this period has spent already counts."""
        credits, period = amount(text)
        which = (*self._of(project), budgets.c.period == period)
        values = {"environment": self._environment, "project": project, "period": period.value, "credits": credits}
        with self._store.write() as connection:
            connection.execute(delete(budgets).where(*which))
            connection.execute(insert(budgets).values(values))

    def remove(self, project: str = EVERY_PROJECT) -> bool:
        """Take the budgets of a project (or those of all projects together) away; whether there were any."""
        with self._store.write() as connection:
            return connection.execute(delete(budgets).where(*self._of(project))).rowcount > 0

    def standing(self, project: str | None = None) -> list[Budget]:
        """Return every budget as it stands now; with a project, those that a question of it has to keep."""
        with self._store.read() as connection:
            return _standing(connection, self._environment, project, self._clock())

    def _of(self, project: str) -> tuple[ColumnElement[bool], ...]:
        return budgets.c.environment == self._environment, budgets.c.project == project


def check(connection: Connection, environment: str, project: str | None, cost_cap: float, now: float) -> None:
    """Refuse a question that would go past a budget, within the transaction that is about to prepare it."""
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
    # A task that was looked at under another account too has a row of each: it counts once.
    counted: dict[object, float] = {}
    for row in connection.execute(query):
        task = row.id if row.task_id is None else (row.origin, row.task_id)
        counted[task] = max(counted.get(task, 0.0), _counts(row, now))
    return sum(counted.values())


def _counts(row: Row[Any], now: float) -> float:
    """Return what one question counts: its worst case, until it is known to have used less or to be nowhere."""
    worst = float(row.cost_cap or 0)
    if row.state == SendState.ACCEPTED:
        look = status_info(row.status)
        if not look.is_final:
            return worst
        unsaid = worst if look.has_answer else 0.0
        return unsaid if row.credits_used is None else max(0.0, float(row.credits_used))
    reserved = row.unheard > 0 or is_leased(row.lease_owner, row.lease_until, now)
    return worst if reserved and row.state == SendState.OPEN else 0.0
