"""The account book: every movement of credits and every balance received, in the order in which they were recorded.

A movement's ``credits`` is the signed change of the available credits. A hold takes the highest possible cost. A final
task releases the hold and is charged the credits it used. That the service holds credits in this way is an assumption.
If a balance differs from the sum of the movements, the analysis reports the difference; no correction is written here.
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
    """Record the hold of a new task: its highest possible cost."""
    if entry.cost_cap is not None:
        _write(connection, entry, HOLD, -float(entry.cost_cap), entry.created_at)


def release_and_charge(connection: Connection, entry: Entry) -> None:
    """Record that a final task's hold is released and its used credits are charged.

    A negative amount is recorded as no charge. If the service credits it, the next balance shows that.
    """
    if entry.cost_cap is not None:
        _write(connection, entry, RELEASE, float(entry.cost_cap), entry.completed_at)
    charge(connection, entry)


def charge(connection: Connection, entry: Entry) -> None:
    """Record the credits that a final task used; replace an earlier charge that the service has corrected."""
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
    """Delete the movements of a task that was linked to the wrong question."""
    connection.execute(_DELETE, {"whose": entry.account, "task": entry.task_id})


class Balances:
    """Records and reads the balances that the service returned for one account."""

    def __init__(self, store: Store, account: str, environment: str) -> None:
        self._store = store
        self._account = account
        self._environment = environment

    def record(self, available: float, on_hold: float, at: float) -> None:
        """Record a balance that was received at the time ``at`` (seconds since 1970 UTC)."""
        values = {"at": at, "account": self._account, "environment": self._environment, "kind": BALANCE}
        with self._store.write() as connection:
            connection.execute(insert(book).values(**values, credits=0.0, available=available, on_hold=on_hold))

    def last(self) -> Any:
        """Return the newest balance, or None.

        Returns:
            A row with ``available``, ``on_hold``, ``at`` and ``is_behind``: whether a movement was recorded later.
        """
        with self._store.read() as connection:
            return connection.execute(_LAST, {"account": self._account}).one_or_none()


def _write(connection: Connection, entry: Entry, kind: str, credits: float, at: float | None) -> None:
    movement = {name: getattr(entry, name) for name in ("account", "environment", "task_id")}
    when = entry.prepared_at if at is None else at
    connection.execute(_WRITE, {**movement, "at": when, "kind": kind, "credits": credits})
