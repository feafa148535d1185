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
transaction, in the argument ``failed``.
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

# Request bodies are kept while they can be sent again: the service remembers an idempotency key for a day.
BYTES_KEPT_SECONDS = 24 * 3600.0

# Found by its stored body, since few questions have one, and not by account, whose name may have changed.
_LEASED = select(questions).where(
    questions.c.id.in_(select(bodies.c.question_id)),
    TASKLESS,
    questions.c.state == SendState.OPEN,
    questions.c.lease_owner == bindparam("owner"),
)
_KEEP = insert(bodies)
# The query starts from the bodies: there are few of them, and many questions.
_IS_OLD = (questions.c.id == bodies.c.question_id, questions.c.prepared_at < bindparam("before"))
# Also deletes the body under the new question's own id, which a deleted question may have had.
_CLEAN = delete(bodies).where(or_(bodies.c.question_id == bindparam("which"), exists().where(*_IS_OLD)))
_OF_TASK = select(questions.c.id, questions.c.identity).where(OURS, questions.c.task_id == bindparam("task"))
_REMOVE = delete(questions).where(questions.c.id == bindparam("which"))
# Reserves a turn of the rate limit within a transaction, and returns the seconds until it starts.
Take = Callable[[Connection], float]


class TaskTakenError(CodeVFError):
    """The task already belongs to another question."""

    def __init__(self, task_id: str, question_id: int) -> None:
        super().__init__(f"{task_id} already belongs to question {question_id}")


def no_turn(_connection: Connection) -> float:
    """Reserve no turn, since there is no rate limit."""
    return 0.0


class Sending(Rows):
    """Records each step of sending one account's questions."""

    def prepare(
        self,
        body: bytes,
        lease: Lease,
        now: float,
        identities: Sequence[str] = (),
        take: Take = no_turn,
        **asked: Any,
    ) -> Entry:
        """Store a question's exact request body, the lease to send it and the first attempt, in one transaction.

        If the same question was asked before and the service can't have it, its row is used again. Otherwise the stored
        question is returned unchanged; its lease then shows that this caller does not own it.

        Args:
            body: The exact bytes to send.
            lease: The lease of this sender.
            now: The current time (seconds since 1970 UTC).
            identities: The question's identities under earlier names of the account.
            take: Reserves the attempt's turn of the rate limit.
            asked: The columns of the question.

        Returns:
            The stored question.

        Raises:
            BudgetExceededError: The highest possible cost exceeds a budget. Nothing is written.
            RateLimitError: The next turn is too late. Nothing is written.
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
        """Lease a question whose outcome is unknown or that was not sent, and record the next attempt.

        Returns:
            Whether this sender has the lease now.

        Raises:
            RateLimitError: The next turn is too late. Nothing is written.
        """
        with self._store.write() as connection:
            entry = read(connection, question_id)
            if entry.state != SendState.OPEN or entry.is_being_sent(now):
                return False
            going = lease.renewed(lease.until + take(connection))
            change(connection, entry, lease_owner=going.owner, lease_until=going.until, **attempt_counts(entry, more=1))
        return True

    def attempt(self, lease: Lease, take: Take = no_turn, *, more: int = 1, failed: int = 0) -> bool:
        """Record an attempt before its first byte is sent.

        Args:
            lease: The lease of this sender.
            take: Reserves the attempt's turn of the rate limit.
            more: 1, or 0 for an attempt that is already counted and needs another turn.
            failed: How many earlier attempts are now known to have failed.

        Returns:
            False if this sender no longer has the lease.

        Raises:
            RateLimitError: The next turn is too late. Nothing is written.
        """
        with self._store.write() as connection:
            entry = _leased(connection, lease)
            if entry is None:
                return False
            until = lease.until + take(connection)
            change(connection, entry, lease_until=until, **attempt_counts(entry, more=more, failed=failed))
        return True

    def accept(self, asked: Entry, **became: Any) -> Entry:
        """Record that the service accepted the question: its task and the credits on hold. Delete the request body.

        Args:
            asked: The question.
            became: The columns of the task; see ``records.columns_of_task``.

        Returns:
            The question as it is stored now.

        Raises:
            LedgerError: The question is no longer in the ledger.
            TaskTakenError: The task already belongs to another question. Nothing is written.
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

    def close(self, lease: Lease, why: str, *, refused: bool = False, failed: int = 0) -> Entry | None:
        """Record that a sender stopped without a task, and release its lease.

        Args:
            lease: The lease of this sender.
            why: The reason, which is stored as the question's error.
            refused: The service refused the question. While the outcome of another attempt is unknown, the question
                stays open.
            failed: How many attempts are now known to have failed.

        Returns:
            The question as it is stored now; None if this sender no longer has the lease.
        """
        with self._store.write() as connection:
            entry = _leased(connection, lease)
            if entry is None:
                return None
            counts = attempt_counts(entry, failed=failed)
            state = SendState.REFUSED if refused and not counts["unheard"] else SendState.OPEN
            if state == SendState.REFUSED:
                delete_related(connection, bodies, entry.id)
            return change(connection, entry, **_without_lease(state, why), **counts)

    def unlink_task(self, question_id: int, task_id: str) -> Entry:
        """Remove a task from a question that a person reports as wrong; its outcome is unknown again.

        Nothing changes if the question has another task.
        """
        cleared = dict.fromkeys(("task_id", "status", "credits_used", "created_at", "completed_at", "seen_at"))
        cleared |= dict.fromkeys(("message", "result", "notes"))
        with self._store.write() as connection:
            entry = read(connection, question_id)
            if entry.task_id != task_id:
                return entry
            why = f"a person says that it is not {task_id}"
            delete_related(connection, answers, question_id)
            book.delete_movements(connection, entry)
            return change(connection, entry, **_without_lease(SendState.OPEN, why), unheard=1, **cleared)

    def mark_not_received(self, question_id: int, why: str) -> Entry:
        """Record that a person reports that the service does not have the question, so that it can be asked again.

        Nothing changes if the service has accepted it.
        """
        with self._store.write() as connection:
            entry = read(connection, question_id)
            if entry.state == SendState.ACCEPTED:
                return entry
            delete_related(connection, bodies, question_id)
            return change(connection, entry, **_without_lease(SendState.REFUSED, why), unheard=0)


def _leased(connection: Connection, lease: Lease) -> Entry | None:
    """Return the question that a sender has leased, or None."""
    row = connection.execute(_LEASED, {"owner": lease.owner}).one_or_none()
    return None if row is None else Entry.read(row)


def _delete_imported(connection: Connection, account: str, task_id: str) -> None:
    """Delete the imported row of a task that is about to belong to a question.

    Raises:
        TaskTakenError: The task belongs to another question.
    """
    for row in connection.execute(_OF_TASK, {"account": account, "task": task_id}).all():
        if not row.identity.startswith(FOREIGN):
            raise TaskTakenError(task_id, row.id)
        connection.execute(_REMOVE, {"which": row.id})
        delete_related(connection, answers, row.id)  # another question may get this id


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
    """Return whether the service can't have the question: refused, or every attempt failed and no one sends it."""
    if entry.state == SendState.OPEN:
        return not entry.may_be_there and not entry.is_being_sent(now)
    return entry.state == SendState.REFUSED


def _without_lease(state: SendState, error: str | None) -> dict[str, Any]:
    return {"state": state, "error": error, "lease_owner": None, "lease_until": None}
