"""One account's rows of the table of questions, read and changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Delete,
    Select,
    Table,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)

from codevf_nb.ledger._store import LedgerError, Store
from codevf_nb.ledger.records import COLUMNS, Entry, SendState, dump, load
from codevf_nb.ledger.tables import accounts, questions

# Made once, since a cell runs dozens of statements, and each costs more to make than to run.
OURS = questions.c.account == bindparam("account")
GET = select(questions).where(OURS, questions.c.id == bindparam("which"))
# An account's rows have the name that it has now.
PRESENT = func.coalesce(
    select(accounts.c.account).where(accounts.c.earlier == bindparam("whose")).scalar_subquery(), bindparam("whose")
)
SAME = select(questions).where(
    questions.c.account == PRESENT, questions.c.identity.in_(bindparam("identities", expanding=True))
)
# Without a task: not sent, refused, or its end unheard. There are few of these among all that was asked.
TASKLESS: ColumnElement[bool] = questions.c.task_id.is_(None)
# The service may have the question: it is open, and the outcome of an attempt to send it is unknown.
OUTCOME_UNKNOWN: ColumnElement[bool] = (questions.c.state == SendState.OPEN) & (questions.c.unheard > 0)
_ANY = select(questions).where(questions.c.id == bindparam("which"))
_ADD = insert(questions).values(account=PRESENT).returning(questions.c.id, questions.c.account)
CHANGE = update(questions).where(questions.c.id == bindparam("which"))


class Rows:
    """The rows of one account."""

    def __init__(self, store: Store, account: str) -> None:
        self._store = store
        self._account = account

    def _where(self, *conditions: Any) -> Select[Any]:
        return select(questions).where(questions.c.account == self._account, *conditions)

    def _one(self, query: Select[Any], **which: Any) -> Entry | None:
        with self._store.read() as connection:
            row = connection.execute(query, {"account": self._account, **which}).one_or_none()
        return None if row is None else Entry.read(row)

    def _many(self, query: Select[Any]) -> list[Entry]:
        with self._store.read() as connection:
            rows = connection.execute(query.where(questions.c.account == self._account)).all()
        return [Entry.read(row) for row in rows]

    def _reload(self, connection: Connection, asked: Entry) -> Entry:
        """Return a question as it is now; its account may have another name by now. Raises as ``require_same`` does."""
        return Entry.read(require_same(asked, connection.execute(_ANY, {"which": asked.id}).one_or_none()))


def each(column: Column[str] | Column[str | None], *conditions: ColumnElement[bool]) -> Select[Any]:
    """Select what a column holds, each once.

    Its index is stepped through from one to the next, since going over all questions would take long.
    """
    least = select(func.min(column).label("name")).where(*conditions)
    names = least.cte("names", recursive=True)
    after = least.where(column > names.c.name).scalar_subquery()
    names = names.union_all(select(after).where(names.c.name.is_not(None)))
    return select(names.c.name).where(names.c.name.is_not(None))


def best_match(same: Sequence[Entry]) -> Entry | None:
    """Return which row of one question to go by: what the service has, or may have, before what it can't have."""
    return max(same, key=_at_the_service, default=None)


def _at_the_service(entry: Entry) -> tuple[bool, bool, bool, int]:
    return entry.state == SendState.ACCEPTED, entry.may_be_there, entry.lease_owner is not None, entry.id


def add(connection: Connection, account: str, values: dict[str, Any]) -> Entry:
    """Write a new question of an account, which may have another name by now, and return it."""
    stored = dump(values)
    row = connection.execute(_ADD, {"whose": account, **stored}).one()
    nothing: dict[str, Any] = dict.fromkeys(COLUMNS)
    return Entry(**(nothing | load(stored) | row._asdict()))


def require_same(asked: Entry, row: Any) -> Any:
    """Return what was read of a question, by its number.

    Raises:
        LedgerError: it is no longer there, and another one may have its number.
    """
    if row is None or row.identity != asked.identity:
        why = "is no longer in the ledger, which was put back or changed meanwhile"
        raise LedgerError(f"question {asked.id} {why}")
    return row


def change(connection: Connection, entry: Entry, **values: Any) -> Entry:
    """Set columns of a question that was read in this writing transaction, and return it as it is then."""
    stored = dump(values)
    connection.execute(CHANGE, {"which": entry.id, **stored})
    return replace(entry, **load(stored))


def attempt_counts(entry: Entry, more: int = 0, nothing: int = 0) -> dict[str, int]:
    """Count ``more`` attempts to send a question, and that ``nothing`` of the attempts before have come to nothing."""
    return {"attempts": entry.attempts + more, "unheard": entry.unheard + more - nothing}


def read(connection: Connection, question_id: int) -> Entry:
    """Return a question of any account."""
    return Entry.read(connection.execute(_ANY, {"which": question_id}).one())


def delete_related(connection: Connection, table: Table, question_id: int) -> None:
    """Delete what lies beside a question: its bytes, or its raw answers."""
    connection.execute(_deletion(table), {"which": question_id})


@cache
def _deletion(table: Table) -> Delete:
    return delete(table).where(table.c.question_id == bindparam("which"))
