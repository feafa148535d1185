"""Reads and writes one account's rows of the table ``questions``."""

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

# Built once: a cell runs dozens of statements, and each takes longer to build than to run.
OURS = questions.c.account == bindparam("account")
GET = select(questions).where(OURS, questions.c.id == bindparam("which"))
# Rows are stored under the current name of their account.
PRESENT = func.coalesce(
    select(accounts.c.account).where(accounts.c.earlier == bindparam("whose")).scalar_subquery(), bindparam("whose")
)
SAME = select(questions).where(
    questions.c.account == PRESENT, questions.c.identity.in_(bindparam("identities", expanding=True))
)
# A question without a task: it was not sent, was refused, or its outcome is unknown. There are few of them.
TASKLESS: ColumnElement[bool] = questions.c.task_id.is_(None)
# The service may have the question: it is open, and the outcome of an attempt is unknown.
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
        """Return a question as it is stored now; its account may have been renamed.

        Raises:
            LedgerError: The question is no longer in the ledger.
        """
        return Entry.read(require_same(asked, connection.execute(_ANY, {"which": asked.id}).one_or_none()))


def each(column: Column[str] | Column[str | None], *conditions: ColumnElement[bool]) -> Select[Any]:
    """Select the distinct values of a column.

    The query jumps from one value to the next in the column's index; reading every question would be slow.
    """
    least = select(func.min(column).label("name")).where(*conditions)
    names = least.cte("names", recursive=True)
    after = least.where(column > names.c.name).scalar_subquery()
    names = names.union_all(select(after).where(names.c.name.is_not(None)))
    return select(names.c.name).where(names.c.name.is_not(None))


def best_match(same: Sequence[Entry]) -> Entry | None:
    """Return the most relevant row of the same question, or None.

    A row that the service has is preferred to one that it may have, and that to one that it can't have.
    """
    return max(same, key=_at_the_service, default=None)


def _at_the_service(entry: Entry) -> tuple[bool, bool, bool, int]:
    return entry.state == SendState.ACCEPTED, entry.may_be_there, entry.lease_owner is not None, entry.id


def add(connection: Connection, account: str, values: dict[str, Any]) -> Entry:
    """Insert a new question of an account, which may have been renamed, and return it."""
    stored = dump(values)
    row = connection.execute(_ADD, {"whose": account, **stored}).one()
    empty: dict[str, Any] = dict.fromkeys(COLUMNS)
    return Entry(**(empty | load(stored) | row._asdict()))


def require_same(asked: Entry, row: Any) -> Any:
    """Return the row if it still belongs to the question.

    Raises:
        LedgerError: The question was deleted; another question may have its id.
    """
    if row is None or row.identity != asked.identity:
        raise LedgerError(
            f"question {asked.id} is no longer in the ledger, which was restored or changed in the meantime"
        )
    return row


def change(connection: Connection, entry: Entry, **values: Any) -> Entry:
    """Update columns of a question that was read in this writing transaction, and return the new state."""
    stored = dump(values)
    connection.execute(CHANGE, {"which": entry.id, **stored})
    return replace(entry, **load(stored))


def attempt_counts(entry: Entry, more: int = 0, failed: int = 0) -> dict[str, int]:
    """Return the new counters of a question.

    Args:
        entry: The question.
        more: How many attempts are added.
        failed: How many earlier attempts are now known to have failed.
    """
    return {"attempts": entry.attempts + more, "unheard": entry.unheard + more - failed}


def read(connection: Connection, question_id: int) -> Entry:
    """Return the question with this id, of any account."""
    return Entry.read(connection.execute(_ANY, {"which": question_id}).one())


def delete_related(connection: Connection, table: Table, question_id: int) -> None:
    """Delete a question's rows of another table: ``bodies`` or ``answers``."""
    connection.execute(_deletion(table), {"which": question_id})


@cache
def _deletion(table: Table) -> Delete:
    return delete(table).where(table.c.question_id == bindparam("which"))
