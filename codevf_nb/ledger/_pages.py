"""Pages of questions, filtered by text, project and state; the time does not grow with the ledger's size."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, TextClause, or_, select, update

from codevf_nb.ledger.records import Entry, SendState
from codevf_nb.ledger.rows import (
    OURS,
    TASKLESS,
    Rows,
    each,
)
from codevf_nb.ledger.tables import IS_OPEN, questions
from codevf_nb.sdk.statuses import ANSWERED, FINAL, TaskStatus

_PROJECTS = each(questions.c.project, OURS)


class State(StrEnum):
    """A filter by state that is not one final status."""

    ANY = "any"
    OPEN = "open"
    UNREAD = "unread"
    UNSETTLED = "unsettled"


STATE_FILTERS = (State.ANY, State.OPEN, State.UNREAD, *map(TaskStatus, FINAL), State.UNSETTLED)
"""Every filter by state, in the order in which the inbox lists them."""


class Order(StrEnum):
    """The sort order of questions."""

    NEWEST = "newest first"
    OLDEST = "oldest first"
    ANSWERED = "last answered first"
    COSTLIEST = "most credits first"


@dataclass(frozen=True)
class PageFilter:
    """The filter and the order of a page of questions.

    Attributes:
        text: A text that the prompt, the answer or the task id contains.
        project: A project, or "" for all.
        state: A state or final status.
        order: The sort order.
    """

    text: str = ""
    project: str = ""
    state: State | TaskStatus = State.ANY
    order: Order = Order.NEWEST


class Pages(Rows):
    """Reads one account's questions by page, and records which answers were seen."""

    def page(self, wanted: PageFilter, limit: int, offset: int = 0) -> list[Entry]:
        """Return at most ``limit`` questions that match the filter, without the first ``offset``."""
        query = select(questions).where(*_conditions(wanted)).order_by(*_ORDERS[wanted.order])
        return self._many(query.limit(limit).offset(offset))

    def projects(self) -> list[str]:
        """Return the names of the projects that have questions, sorted."""
        with self._store.read() as connection:
            return sorted(connection.scalars(_PROJECTS, {"account": self._account}))

    def mark_seen(self, at: float, question_id: int | None = None) -> None:
        """Record that an unseen answer was seen.

        Args:
            at: The time (seconds since 1970 UTC).
            question_id: The question, or None for all questions of the account.
        """
        unseen = [questions.c.account == self._account, *_UNREAD]
        if question_id is not None:
            unseen.append(questions.c.id == question_id)
        with self._store.write() as connection:
            connection.execute(update(questions).where(*unseen).values(seen_at=at))


_UNREAD: tuple[ColumnElement[bool], ...] = (
    questions.c.status.in_(ANSWERED),
    questions.c.seen_at.is_(None),
)
_STATES: dict[State | TaskStatus, tuple[ColumnElement[bool] | TextClause, ...]] = {
    State.ANY: (),
    State.OPEN: (IS_OPEN,),
    State.UNREAD: _UNREAD,
    **{TaskStatus(status): (questions.c.status == status,) for status in FINAL},
    State.UNSETTLED: (TASKLESS, questions.c.state == SendState.OPEN),
}
_ORDERS: dict[Order, tuple[Any, ...]] = {
    Order.NEWEST: (questions.c.id.desc(),),
    Order.OLDEST: (questions.c.id,),
    Order.ANSWERED: (questions.c.completed_at.desc().nulls_last(), questions.c.id.desc()),
    Order.COSTLIEST: (questions.c.credits_used.desc().nulls_last(), questions.c.id.desc()),
}


def _conditions(wanted: PageFilter) -> list[ColumnElement[bool] | TextClause]:
    conditions = list(_STATES[wanted.state])
    if wanted.project:
        conditions.append(questions.c.project == wanted.project)
    if wanted.text:
        held = (questions.c[name].icontains(wanted.text, autoescape=True) for name in ("prompt", "message", "task_id"))
        conditions.append(or_(*held))
    return conditions
