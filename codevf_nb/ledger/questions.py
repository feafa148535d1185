"""Questions in the ledger: prepared before the wire, leased while they are sent, recorded before they are parsed."""

from __future__ import annotations

import hashlib
from typing import Any

from sqlalchemy import Connection, delete, insert, or_, select, update

from codevf_nb.ledger import book
from codevf_nb.ledger.records import Entry, SendState, dump
from codevf_nb.ledger.store import Store
from codevf_nb.ledger.tables import answers, bodies, questions
from codevf_nb.sdk.models import TaskStatus

CREATE, RETRIEVE, CANCEL = "create", "retrieve", "cancel"
_SETTLED = (SendState.ACCEPTED, SendState.REFUSED)


class Questions:
    """The rows of one account."""

    def __init__(self, store: Store, account: str) -> None:
        self._store = store
        self._account = account

    # -- looking

    def same(self, identity: str) -> Entry | None:
        """Return the question of this identity, whatever became of it."""
        return self._one(questions.c.identity == identity)

    def get(self, question_id: int) -> Entry:
        """Return the question with this number of the ledger's."""
        entry = self._one(questions.c.id == question_id)
        if entry is None:
            raise KeyError(question_id)
        return entry

    def task(self, task_id: str) -> Entry | None:
        """Return the question that became this task of the service's."""
        return self._one(questions.c.task_id == task_id)

    def latest(self, limit: int = 20) -> list[Entry]:
        """Return the newest questions first."""
        return self._many(select(questions).order_by(questions.c.id.desc()).limit(limit))

    def open(self) -> list[Entry]:
        """Return every question an answer may still come to, oldest first."""
        final = [status.value for status in TaskStatus if TaskStatus.is_final(status)]
        return self._many(
            select(questions)
            .where(questions.c.task_id.is_not(None), questions.c.status.not_in(final))
            .order_by(questions.c.id)
        )

    def unsettled(self) -> list[Entry]:
        """Return every question that was sent without anyone hearing what became of it."""
        waiting = (SendState.SENDING, SendState.UNKNOWN)
        return self._many(select(questions).where(questions.c.state.in_(waiting)).order_by(questions.c.id))

    def body(self, question_id: int) -> bytes | None:
        """Return the exact bytes that were prepared; None once the question is settled."""
        with self._store.read() as connection:
            return connection.scalar(select(bodies.c.body).where(bodies.c.question_id == question_id))

    def raw(self, question_id: int, request: str) -> bytes | None:
        """Return the last raw answer to this request (``create``, ``retrieve``, ``cancel``) about a question."""
        where = (answers.c.question_id == question_id, answers.c.request == request)
        with self._store.read() as connection:
            return connection.scalar(select(answers.c.body).where(*where))

    # -- sending

    def prepare(self, body: bytes, lease: Lease, now: float, **asked: Any) -> Entry:
        """Commit the exact bytes of a question and take the lease to send them, in one transaction.

        A question of the same identity that was refused, or whose first byte never left, is prepared anew in its old
        row; any other one is returned as it is, for the caller to see that it was asked before.
        """
        values = dump(
            {
                **asked,
                "account": self._account,
                "body_sha256": hashlib.sha256(body).hexdigest(),
                "state": SendState.PREPARED,
                "prepared_at": now,
                "lease_owner": lease.owner,
                "lease_until": lease.until,
                "attempts": 0,
                "unheard": 0,
                "error": None,
            }
        )
        with self._store.write() as connection:
            known = connection.execute(self._where(questions.c.identity == asked["identity"])).one_or_none()
            if known is None:
                question_id = connection.execute(
                    insert(questions).values(values).returning(questions.c.id)
                ).scalar_one()
            elif _may_prepare_again(Entry.read(known), now):
                question_id = known.id
                connection.execute(update(questions).where(questions.c.id == question_id).values(values))
            else:
                return Entry.read(known)
            connection.execute(delete(bodies).where(bodies.c.question_id == question_id))
            connection.execute(insert(bodies).values(question_id=question_id, body=body))
        return self.get(question_id)

    def lease(self, question_id: int, lease: Lease, now: float) -> bool:
        """Take or renew the right to send a question that isn't settled, by compare-and-set; whether it is ours now."""
        free = or_(
            questions.c.lease_until.is_(None),
            questions.c.lease_until < now,
            questions.c.lease_owner == lease.owner,
        )
        change = (
            update(questions)
            .where(questions.c.id == question_id, questions.c.state.not_in(_SETTLED), free)
            .values(lease_owner=lease.owner, lease_until=lease.until)
        )
        with self._store.write() as connection:
            return connection.execute(change).rowcount == 1

    def attempt(self, question_id: int, lease: Lease, now: float) -> bool:
        """Commit that an attempt goes out now, before its first byte does; False if the lease is no longer ours."""
        change = (
            update(questions)
            .where(
                questions.c.id == question_id,
                questions.c.state.not_in(_SETTLED),
                questions.c.lease_owner == lease.owner,
                questions.c.lease_until >= now,
            )
            .values(
                state=SendState.SENDING,
                attempts=questions.c.attempts + 1,
                unheard=questions.c.unheard + 1,
                lease_until=lease.until,
            )
        )
        with self._store.write() as connection:
            return connection.execute(change).rowcount == 1

    def hear(
        self,
        question_id: int,
        request: str,
        status_code: int,
        body: bytes,
        at: float | None,
        *,
        settles: bool = False,
    ) -> None:
        """Commit a raw answer before anybody has tried to understand it.

        ``settles``: the answer tells for certain what became of the attempt to send that it answers.
        """
        which = (answers.c.question_id == question_id, answers.c.request == request)
        heard = {"at": at, "status_code": status_code, "body": body}
        with self._store.write() as connection:
            connection.execute(delete(answers).where(*which))
            connection.execute(insert(answers).values(question_id=question_id, request=request, **heard))
            if settles:
                _change(connection, question_id, unheard=questions.c.unheard - 1)

    def accept(self, question_id: int, **became: Any) -> None:
        """Record that the service has the question: its task, and the credits it holds. What was sent is deleted."""
        with self._store.write() as connection:
            entry = self._locked(connection, question_id)
            if entry.state == SendState.ACCEPTED:
                return
            settled = {"state": SendState.ACCEPTED, "error": None, "lease_owner": None, "lease_until": None}
            _change(connection, question_id, **settled, **became)
            connection.execute(delete(bodies).where(bodies.c.question_id == question_id))
            book.hold(connection, self._locked(connection, question_id))

    def refuse(self, question_id: int, why: str) -> None:
        """Record that the service definitely said no: nothing is held, and asking again is a new try."""
        with self._store.write() as connection:
            _change(
                connection,
                question_id,
                state=SendState.REFUSED,
                error=why,
                lease_owner=None,
                lease_until=None,
            )
            connection.execute(delete(bodies).where(bodies.c.question_id == question_id))

    def lose(self, question_id: int, lease: Lease, why: str, unsent: int) -> None:
        """Record that sending ended without a task, and give the lease up, if it is still ours.

        ``unsent`` of its attempts certainly never left this machine. Where no other one is left unheard either, nothing
        can be at the service; else the outcome is unknown.
        """
        with self._store.write() as connection:
            entry = self._locked(connection, question_id)
            if entry.state in _SETTLED or entry.lease_owner != lease.owner:
                return
            unheard = entry.unheard - unsent
            state = SendState.UNKNOWN if unheard > 0 else SendState.PREPARED
            _change(
                connection,
                question_id,
                state=state,
                unheard=unheard,
                error=why,
                lease_owner=None,
                lease_until=None,
            )

    # -- hearing

    def become(self, question_id: int, **seen: Any) -> Entry:
        """Record what a task has become; with a final status, what it cost and what it released."""
        with self._store.write() as connection:
            entry = self._locked(connection, question_id)
            if entry.is_open:
                _change(connection, question_id, **seen)
                entry = self._locked(connection, question_id)
                if not entry.is_open:
                    book.settle(connection, entry)
        return entry

    # -- the table

    def _where(self, *conditions: Any) -> Any:
        return select(questions).where(questions.c.account == self._account, *conditions)

    def _one(self, condition: Any) -> Entry | None:
        with self._store.read() as connection:
            row = connection.execute(self._where(condition)).one_or_none()
        return None if row is None else Entry.read(row)

    def _many(self, query: Any) -> list[Entry]:
        with self._store.read() as connection:
            rows = connection.execute(query.where(questions.c.account == self._account)).all()
        return [Entry.read(row) for row in rows]

    def _locked(self, connection: Connection, question_id: int) -> Entry:
        return Entry.read(connection.execute(self._where(questions.c.id == question_id)).one())


class Lease:
    """The right of one sender to send, until a moment; renewed by making it anew."""

    def __init__(self, owner: str, until: float) -> None:
        self.owner = owner
        self.until = until


def _may_prepare_again(entry: Entry, now: float) -> bool:
    """Nothing of it can be at the service: refused, or never sent and nobody about to send it."""
    leased = entry.lease_until is not None and entry.lease_until >= now
    return entry.state == SendState.REFUSED or (entry.state == SendState.PREPARED and not leased)


def _change(connection: Connection, question_id: int, **values: Any) -> None:
    connection.execute(update(questions).where(questions.c.id == question_id).values(dump(values)))
