"""The account book: every movement of credits and every balance seen, in the order in which they were learnt.

A movement's ``credits`` is the signed change of what is available: a hold takes the worst case, a final task releases
it again and is charged what it used. The published way of holding is an assumption (the contract's [A]); where a
balance that was seen differs from what the book explains, the reader of the book says so, it is never evened out here.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from codevf_nb.ledger._store import Store
from codevf_nb.ledger.records import Entry
from codevf_nb.ledger.tables import book

HOLD, CHARGE, RELEASE, BALANCE = "hold", "charge", "release", "balance"
_WRITE = insert(book)
_OF_TASK = (book.c.account == bindparam("whose"), book.c.task_id == bindparam("task"))
_CHARGED = select(book.c.credits).where(*_OF_TASK, book.c.kind == CHARGE)
_CORRECT = update(book).where(*_OF_TASK, book.c.kind == CHARGE).values(credits=bindparam("changed"))
_DELETE = delete(book).where(*_OF_TASK)
_OURS = book.c.account == bindparam("account")
_NEWEST = select(func.max(book.c.seq)).where(_OURS).scalar_subquery()
_LAST = (
    select(book.c.available, book.c.on_hold, book.c.at, (book.c.seq < _NEWEST).label("is_behind"))
    .where(_OURS, book.c.kind == BALANCE)
    .order_by(book.c.seq.desc())
    .limit(1)
)


def hold(connection: Connection, entry: Entry) -> None:
    """Write that a question's worst case is held from when its task was made."""
    if entry.cost_cap is not None:
        _write(connection, entry, HOLD, -float(entry.cost_cap), entry.created_at)


def release_and_charge(connection: Connection, entry: Entry) -> None:
    """Write that a final task's hold is released and what it used is charged.

    An amount below zero is no charge, and credits nothing: where it does at the service, the next balance says so.
    """
    if entry.cost_cap is not None:
        _write(connection, entry, RELEASE, float(entry.cost_cap), entry.completed_at)
    charge(connection, entry)


def charge(connection: Connection, entry: Entry) -> None:
    """Write what a final task used; where that was written already and the service has corrected it, in its place."""
    if entry.credits_used is None:
        return
    which = {"whose": entry.account, "task": entry.task_id}
    used = -max(0.0, entry.credits_used)
    written = connection.scalar(_CHARGED, which)
    if written is None and used:
        _write(connection, entry, CHARGE, used, entry.completed_at)
    elif written is not None and written != used:
        connection.execute(_CORRECT, {**which, "changed": used})


def delete_movements(connection: Connection, entry: Entry) -> None:
    """Take out what a task moved that was never this question's."""
    connection.execute(_DELETE, {"whose": entry.account, "task": entry.task_id})


class Balances:
    """The balances of one account, as the service told them."""

    def __init__(self, store: Store, account: str, environment: str) -> None:
        self._store = store
        self._account = account
        self._environment = environment

    def record(self, available: float, on_hold: float, at: float) -> None:
        """Write down a balance seen at this moment (seconds since 1970 UTC)."""
        values = {"at": at, "account": self._account, "environment": self._environment, "kind": BALANCE}
        with self._store.write() as connection:
            connection.execute(insert(book).values(**values, credits=0.0, available=available, on_hold=on_hold))

    def last(self) -> Any:
        """Return the newest balance seen (``available``, ``on_hold``, ``at``), or None.

        ``is_behind``: credits have moved since, as far as the ledger knows.
        """
        with self._store.read() as connection:
            return connection.execute(_LAST, {"account": self._account}).one_or_none()


def _write(connection: Connection, entry: Entry, kind: str, credits: float, at: float | None) -> None:
    movement = {name: getattr(entry, name) for name in ("account", "environment", "task_id")}
    when = entry.prepared_at if at is None else at
    connection.execute(_WRITE, {**movement, "at": when, "kind": kind, "credits": credits})
