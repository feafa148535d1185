"""The transactions of sending a question: each step is recorded before its request goes out.

The order of the protocol is:

1. ``prepare`` stores the question with its first attempt; ``resume`` does so for a question that was stored before.
2. ``attempt`` records each further attempt.
3. ``record_response`` stores each response.
4. ``accept`` records a task, or ``close`` records that there is none.

Each step is one transaction, which is on disk before the next step begins. A process may therefore be killed between
any two steps. A question without problems takes three transactions. The same transactions reserve the turns of the rate
limit.

The column ``unheard`` counts the attempts whose outcome is unknown. It is incremented before each attempt, and
decremented when the attempt is known to have failed. The sender reports the number of failed attempts with its next
transaction, in the argument ``nothing``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, delete, exists, insert, or_, select

from codevf_nb.ledger import _budgets as budgets
from codevf_nb.ledger import book
from codevf_nb.ledger._lease import Lease
from codevf_nb.ledger.records import FOREIGN, Entry, SendState
from codevf_nb.ledger.rows import (
    OURS,
    SAME,
    TASKLESS,
    Rows,
    add,
    attempt_counts,
    best_match,
    change,
    delete_related,
    read,
)
from codevf_nb.ledger.tables import answers, bodies, questions
from codevf_nb.sdk.exceptions import CodeVFError

# Bytes are kept for as long as sending them again can help: the service remembers their key for a day.
BYTES_KEPT_SECONDS = 24 * 3600.0

# What is being sent has its bytes kept, and few questions have: an account's name may have changed meanwhile.
_LEASED = select(questions).where(
    questions.c.id.in_(select(bodies.c.question_id)),
    TASKLESS,
    questions.c.state == SendState.OPEN,
    questions.c.lease_owner == bindparam("owner"),
)
_KEEP = insert(bodies)
# From the bodies to their questions, not the other way round: there are few of them, and questions of many years.
_IS_OLD = (questions.c.id == bodies.c.question_id, questions.c.prepared_at < bindparam("before"))
# Also of the question whose bytes are kept next, a new one too: its number may have been another's.
_CLEAN = delete(bodies).where(or_(bodies.c.question_id == bindparam("which"), exists().where(*_IS_OLD)))
_OF_TASK = select(questions.c.id, questions.c.identity).where(OURS, questions.c.task_id == bindparam("task"))
_REMOVE = delete(questions).where(questions.c.id == bindparam("which"))
# Take a turn of the rate limit within a transaction; return the seconds until it comes.
Take = Callable[[Connection], float]


class TaskTakenError(CodeVFError):
    """A task that is to be a question's is what became of another one already."""

    def __init__(self, task_id: str, question_id: int) -> None:
        super().__init__(f"{task_id} is what became of question {question_id} already")


def no_turn(_connection: Connection) -> float:
    """Take no turn: no rate limit holds."""
    return 0.0


class Sending(Rows):
    """The way of one account's questions to the service."""

    def prepare(
        self,
        body: bytes,
        lease: Lease,
        now: float,
        identities: Sequence[str] = (),
        take: Take = no_turn,
        **asked: Any,
    ) -> Entry:
        """Commit the exact bytes of a question, the lease to send them and the first attempt, in one transaction.

        The same question asked before is prepared anew, in its old row, where nothing of it can be at the service; else
        it is returned as it is, and the caller sees by its lease that somebody else's it is. ``identities``: what it
        was called under earlier names of the account. ``take`` takes the attempt's turn.

        Raises:
            BudgetExceededError: its worst case would go past a budget; nothing is written.
            RateLimitError: its turn would come too late; nothing is written.
        """
        with self._store.write() as connection:
            mine = {"whose": self._account, "identities": [asked["identity"], *identities]}
            same = [Entry.read(row) for row in connection.execute(SAME, mine)]
            known = best_match(same)
            if known is not None and not _may_prepare_again(known, now):
                return known
            known = next((entry for entry in same if entry.identity == asked["identity"]), known)
            budgets.check(connection, asked["environment"], asked.get("project"), asked.get("cost_cap") or 0, now)
            going = lease.renewed(lease.until + take(connection))
            values = asked | _prepared(body, going, now)
            entry = add(connection, self._account, values) if known is None else change(connection, known, **values)
            connection.execute(_CLEAN, {"which": entry.id, "before": now - BYTES_KEPT_SECONDS})
            delete_related(connection, answers, entry.id)
            connection.execute(_KEEP, {"question_id": entry.id, "body": body})
            return entry

    def resume(self, question_id: int, lease: Lease, now: float, take: Take = no_turn) -> bool:
        """Take the right to send a question that isn't settled, and commit the first attempt; whether it is ours now.

        Raises:
            RateLimitError: its turn would come too late; nothing is written.
        """
        with self._store.write() as connection:
            entry = read(connection, question_id)
            if entry.state != SendState.OPEN or entry.is_being_sent(now):
                return False
            going = lease.renewed(lease.until + take(connection))
            change(connection, entry, lease_owner=going.owner, lease_until=going.until, **attempt_counts(entry, more=1))
        return True

    def attempt(self, lease: Lease, take: Take = no_turn, *, more: int = 1, nothing: int = 0) -> bool:
        """Commit that an attempt goes out now, before its first byte does; False if the lease is another's by now.

        ``more`` is 0 for one that was counted already and needs another turn. Of the attempts before, ``nothing`` have
        come to nothing.

        Raises:
            RateLimitError: its turn would come too late; nothing is written.
        """
        with self._store.write() as connection:
            entry = _leased(connection, lease)
            if entry is None:
                return False
            until = lease.until + take(connection)
            change(connection, entry, lease_until=until, **attempt_counts(entry, more=more, nothing=nothing))
        return True

    def accept(self, asked: Entry, **became: Any) -> Entry:
        """Record that the service has the question: its task, and the credits it holds. What was sent is deleted.

        Raises:
            TaskTakenError: the task is what became of another question; nothing is written.
        """
        with self._store.write() as connection:
            entry = self._reload(connection, asked)
            if entry.state == SendState.ACCEPTED:
                return entry
            _delete_imported(connection, entry.account, became["task_id"])
            entry = change(connection, entry, **_without_lease(SendState.ACCEPTED, None), unheard=0, **became)
            delete_related(connection, bodies, entry.id)
            book.hold(connection, entry)
            if not entry.is_open:
                book.release_and_charge(connection, entry)
            return entry

    def close(self, lease: Lease, why: str, *, refused: bool = False, nothing: int = 0) -> Entry | None:
        """Record that a sender has ended without a task, and give its lease up; None if it has none any more.

        ``refused``: the service said no. Where an attempt is left whose outcome nobody knows, that settles nothing.
        """
        with self._store.write() as connection:
            entry = _leased(connection, lease)
            if entry is None:
                return None
            counts = attempt_counts(entry, nothing=nothing)
            state = SendState.REFUSED if refused and not counts["unheard"] else SendState.OPEN
            if state == SendState.REFUSED:
                delete_related(connection, bodies, entry.id)
            return change(connection, entry, **_without_lease(state, why), **counts)

    def unlink_task(self, question_id: int, task_id: str) -> Entry:
        """Record that a person says that a task isn't what became of a question: nobody knows now what did."""
        nothing = dict.fromkeys(("task_id", "status", "credits_used", "created_at", "completed_at", "seen_at"))
        nothing |= dict.fromkeys(("message", "result", "notes"))
        with self._store.write() as connection:
            entry = read(connection, question_id)
            if entry.task_id != task_id:
                return entry
            why = f"a person says that it is not {task_id}"
            delete_related(connection, answers, question_id)
            book.delete_movements(connection, entry)
            return change(connection, entry, **_without_lease(SendState.OPEN, why), unheard=1, **nothing)

    def mark_not_received(self, question_id: int, why: str) -> Entry:
        """Record that a person says the service doesn't have it: nothing is held, and asking again is a new try."""
        with self._store.write() as connection:
            entry = read(connection, question_id)
            if entry.state == SendState.ACCEPTED:
                return entry
            delete_related(connection, bodies, question_id)
            return change(connection, entry, **_without_lease(SendState.REFUSED, why), unheard=0)


def _leased(connection: Connection, lease: Lease) -> Entry | None:
    """Return the question that a sender has, if it still has one."""
    row = connection.execute(_LEASED, {"owner": lease.owner}).one_or_none()
    return None if row is None else Entry.read(row)


def _delete_imported(connection: Connection, account: str, task_id: str) -> None:
    """Delete what was only looked at here of a task that becomes a question's.

    Raises:
        TaskTakenError: it is another question's.
    """
    for row in connection.execute(_OF_TASK, {"account": account, "task": task_id}).all():
        if not row.identity.startswith(FOREIGN):
            raise TaskTakenError(task_id, row.id)
        connection.execute(_REMOVE, {"which": row.id})
        delete_related(connection, answers, row.id)  # its number is free for another question


def _prepared(body: bytes, lease: Lease, now: float) -> dict[str, Any]:
    return {
        "body_sha256": hashlib.sha256(body).hexdigest(),
        "state": SendState.OPEN,
        "prepared_at": now,
        "lease_owner": lease.owner,
        "lease_until": lease.until,
        "attempts": 1,
        "unheard": 1,
        "error": None,
    }


def _may_prepare_again(entry: Entry, now: float) -> bool:
    """Nothing of it can be at the service: refused, or every attempt came to nothing and nobody is about to send it."""
    if entry.state == SendState.OPEN:
        return not entry.may_be_there and not entry.is_being_sent(now)
    return entry.state == SendState.REFUSED


def _without_lease(state: SendState, error: str | None) -> dict[str, Any]:
    return {"state": state, "error": error, "lease_owner": None, "lease_until": None}
