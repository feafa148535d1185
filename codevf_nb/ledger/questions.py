"""Queries and updates of stored questions: look up, record responses, import tasks, delete old content."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, and_, bindparam, delete, exists, func, insert, or_, select

from codevf_nb.ledger import book
from codevf_nb.ledger._accounts import renamed
from codevf_nb.ledger.records import FOREIGN, Entry, SendState, dump
from codevf_nb.ledger.rows import (
    GET,
    OURS,
    OUTCOME_UNKNOWN,
    PRESENT,
    SAME,
    TASKLESS,
    Rows,
    add,
    attempt_counts,
    best_match,
    change,
    each,
    require_same,
)
from codevf_nb.ledger.tables import IS_OPEN, answers, bodies, first_identities, questions
from codevf_nb.sdk.statuses import status_info

if TYPE_CHECKING:
    from codevf_nb.sdk.responses import RawAnswer

CREATE, RETRIEVE = "create", "retrieve"
CONFLICT = 409

_REQUEST = answers.c.request == bindparam("what")
_STORED_RESPONSE = (
    select(questions.c.identity, answers.c.status_code)
    .outerjoin(answers, and_(answers.c.question_id == questions.c.id, _REQUEST))
    .where(questions.c.id == bindparam("which"))
)
_DELETE_RESPONSE = delete(answers).where(answers.c.question_id == bindparam("which"), _REQUEST)
_INSERT_RESPONSE = insert(answers)
_ANY = select(questions).where(questions.c.id == bindparam("which"))
_TASK = select(questions).where(questions.c.account == PRESENT, questions.c.task_id == bindparam("task"))
# Every index begins with the account or the environment, so a query over all of them runs once for each.
_ACCOUNTS = each(questions.c.account)
_environment = each(questions.c.environment).subquery()
# Imported tasks are left out: their times come from the service, not from this ledger's clock.
_NEWEST_OF_ONE = (
    select(questions.c.prepared_at)
    .where(questions.c.environment == _environment.c.name, ~questions.c.identity.startswith(FOREIGN))
    .order_by(questions.c.prepared_at.desc())
    .limit(1)
)
_NEWEST_AT = select(func.max(_NEWEST_OF_ONE.scalar_subquery())).select_from(_environment)
_AMONG = questions.c.account.in_(bindparam("accounts", expanding=True))
_others = questions.alias("others")
_ASKED_THERE = exists().where(
    _others.c.account == questions.c.account,
    _others.c.origin == bindparam("origin"),
    _others.c.asked_by == bindparam("asked_by"),
)
_SAME_ELSEWHERE = select(questions).where(
    _AMONG, questions.c.identity.in_(bindparam("identities", expanding=True)), _ASKED_THERE
)
_UNKNOWN_OUTCOME_ELSEWHERE = select(questions).where(
    _AMONG,
    TASKLESS,
    OUTCOME_UNKNOWN,
    questions.c.origin == bindparam("origin"),
    questions.c.asked_by == bindparam("asked_by"),
)
_OPEN = select(questions).where(OURS, IS_OPEN).order_by(questions.c.id)
_ANY_FIRST = select(first_identities.c.question_id).limit(1)
_WITH_TEXTS = (
    select(questions)
    .join(first_identities, first_identities.c.question_id == questions.c.id)
    .where(first_identities.c.digest == bindparam("digest"))
    .order_by(questions.c.id.desc())
)
_AMONG_IDENTITIES = select(questions).where(_AMONG, questions.c.identity.in_(bindparam("identities", expanding=True)))


class Questions(Rows):
    """The questions of one account."""

    # -- queries

    def same(self, *identities: str) -> Entry | None:
        """Return the question with one of these identities, in any state; None if there is none.

        Args:
            identities: The question's identity under each name of its account; see ``Ledger.identities``.
        """
        with self._store.read() as connection:
            rows = connection.execute(SAME, {"whose": self._account, "identities": identities}).all()
        return best_match([Entry.read(row) for row in rows])

    def with_texts(self, digest: str) -> list[Entry]:
        """Return the questions of every account that have a version-1 identity and these texts, newest first.

        Args:
            digest: The digest of the texts, from ``migrations.text_digest``.
        """
        with self._store.read() as connection:
            return [Entry.read(row) for row in connection.execute(_WITH_TEXTS, {"digest": digest})]

    def has_first_identities(self) -> bool:
        """Return whether any question of the ledger has a version-1 identity."""
        with self._store.read() as connection:
            return connection.scalar(_ANY_FIRST) is not None

    def among(self, accounts: Sequence[str], identities: Sequence[str]) -> list[Entry]:
        """Return the questions of these accounts that have one of these identities."""
        with self._store.read() as connection:
            which = {"accounts": list(accounts), "identities": list(identities)}
            return [Entry.read(row) for row in connection.execute(_AMONG_IDENTITIES, which)]

    def get(self, question_id: int) -> Entry:
        """Return the question with this ledger id, of any account.

        Raises:
            KeyError: No question has this id.
        """
        with self._store.read() as connection:
            row = connection.execute(_ANY, {"which": question_id}).one_or_none()
        if row is None:
            raise KeyError(question_id)
        return Entry.read(row)

    def find(self, question_id: int) -> Entry | None:
        """Return this account's question with this ledger id, or None."""
        return self._one(GET, which=question_id)

    def task(self, task_id: str) -> Entry | None:
        """Return the question with this task id, or None."""
        return self._one(_TASK, whose=self._account, task=task_id)

    def latest(self, limit: int = 20) -> list[Entry]:
        """Return the newest questions, newest first; at most ``limit``."""
        return self._many(select(questions).order_by(questions.c.id.desc()).limit(limit))

    def open(self) -> list[Entry]:
        """Return every question that may still be answered, oldest first."""
        with self._store.read() as connection:
            return _open(connection, self._account)

    def with_unknown_outcome(self, prepared_since: float | None = None) -> list[Entry]:
        """Return every question that was sent and whose outcome is unknown, oldest first.

        Args:
            prepared_since: Also return the unsent questions that were prepared at or after this time (seconds since
                1970 UTC).
        """
        waiting = [OUTCOME_UNKNOWN]
        if prepared_since is not None:
            waiting.append(and_(questions.c.state == SendState.OPEN, questions.c.prepared_at >= prepared_since))
        return self._many(select(questions).where(TASKLESS, or_(*waiting)).order_by(questions.c.id))

    def same_elsewhere(self, identity: Callable[[str], str], origin: str, asked_by: str) -> list[Entry]:
        """Return the same question on the other accounts that this person has used at this address.

        Such an account can belong to another person, or to a key that was rotated.

        Args:
            identity: Computes the question's identity for an account name.
            origin: The service's address.
            asked_by: The person's name.
        """
        with self._store.read() as connection:
            there = self._elsewhere(connection, origin, asked_by)
            identities = [identity(name) for name in (*there["accounts"], *renamed(connection))]
            rows = connection.execute(_SAME_ELSEWHERE, {**there, "identities": identities}).all() if identities else []
        return [Entry.read(row) for row in rows]

    def with_unknown_outcome_elsewhere(self, origin: str, asked_by: str) -> list[Entry]:
        """Return the questions with an unknown outcome that a person sent from other accounts to this address."""
        with self._store.read() as connection:
            rows = connection.execute(_UNKNOWN_OUTCOME_ELSEWHERE, self._elsewhere(connection, origin, asked_by)).all()
        return [Entry.read(row) for row in rows]

    def open_elsewhere(self, origin: str, asked_by: str) -> list[Entry]:
        """Return the unanswered questions that a person asked from other accounts at this address."""
        with self._store.read() as connection:
            others = self._elsewhere(connection, origin, asked_by)["accounts"]
            found = [entry for account in others for entry in _open(connection, account)]
        return [entry for entry in found if (entry.origin, entry.asked_by) == (origin, asked_by)]

    def newest_at(self) -> float | None:
        """Return when the newest question of this ledger was prepared (seconds since 1970 UTC), or None."""
        with self._store.read() as connection:
            newest: float | None = connection.scalar(_NEWEST_AT)
        return newest

    def body(self, question_id: int) -> bytes | None:
        """Return the exact request body that was prepared; None once the outcome is recorded."""
        with self._store.read() as connection:
            return connection.scalar(select(bodies.c.body).where(bodies.c.question_id == question_id))

    def raw(self, question_id: int, request: str) -> Any:
        """Return the stored raw response to a request about a question, or None.

        Args:
            question_id: The question's ledger id.
            request: ``create``, or ``retrieve`` for the newest response that changed anything.

        Returns:
            A row with ``status_code``, ``body`` and ``at``.
        """
        where = (answers.c.question_id == question_id, answers.c.request == request)
        with self._store.read() as connection:
            return connection.execute(select(answers).where(*where)).one_or_none()

    # -- updates

    def record_response(
        self, asked: Entry, request: str, status_code: int, body: bytes, at: float | None, *, failed: int = 0
    ) -> None:
        """Store a raw response before it is parsed.

        Only another success replaces a stored success (2xx). Only a success or a conflict replaces a stored conflict
        (409).

        Args:
            asked: The question.
            request: ``create`` or ``retrieve``.
            status_code: The HTTP status of the response.
            body: The bytes of the response.
            at: When it was received (seconds since 1970 UTC).
            failed: How many attempts are now known to have failed; see ``Sending``.

        Raises:
            LedgerError: The question is no longer in the ledger.
        """
        received = {"at": at, "status_code": status_code, "body": body}
        with self._store.write() as connection:
            if failed:
                entry = self._reload(connection, asked)
                change(connection, entry, **attempt_counts(entry, failed=failed))
            _store_response(connection, asked, request, received)

    def update_from_task(self, asked: Entry, raw: RawAnswer | None = None, **seen: Any) -> Entry:
        """Record the current state of a task. With a final status, also record its charge and the released hold.

        A final status and its time never change. A later response can still change the answer and the credits.

        Args:
            asked: The question.
            raw: The response, which is stored.
            seen: The columns to set; see ``records.columns_of_task``.

        Returns:
            The question as it is stored now.

        Raises:
            LedgerError: The question is no longer in the ledger.
        """
        with self._store.write() as connection:
            entry = self._reload(connection, asked)
            if entry.task_id is None:  # a person has unlinked the task meanwhile
                return entry
            if raw is not None and not entry.is_forgotten:
                at = None if raw.at is None else raw.at.timestamp()
                _store_response(connection, entry, RETRIEVE, {"at": at, "status_code": raw.status, "body": raw.body})
            if entry.is_open:
                entry = change(connection, entry, **seen)
                if not entry.is_open and not entry.is_foreign:
                    book.release_and_charge(connection, entry)
                return entry
            if not entry.is_forgotten and (late := _later_changes(entry, seen)):
                entry = change(connection, entry, **late)
                if not entry.is_foreign:
                    book.charge(connection, entry)
        return entry

    def import_task(self, task_id: str, made_at: float, **known: Any) -> Entry:
        """Record a task that was not created from this ledger, so that its answer can be shown.

        The account book does not include it.

        Args:
            task_id: The service's id of the task.
            made_at: When the task was created (seconds since 1970 UTC).
            known: Other columns of the question.

        Returns:
            The new row, or the existing row of this task.
        """
        imported = {"attachments": [], "state": SendState.ACCEPTED, "attempts": 0, "unheard": 0, "asking": 1}
        which = {"task_id": task_id, "identity": FOREIGN + task_id, "idempotency_key": ""}
        values = {**imported, **which, "prepared_at": made_at, **known}
        with self._store.write() as connection:
            row = connection.execute(_TASK, {"whose": self._account, "task": task_id}).one_or_none()
            return add(connection, self._account, values) if row is None else Entry.read(row)

    def _elsewhere(self, connection: Connection, origin: str, asked_by: str) -> dict[str, Any]:
        others = [account for account in connection.scalars(_ACCOUNTS) if account != self._account]
        return {"accounts": others, "origin": origin, "asked_by": asked_by}


def _store_response(connection: Connection, asked: Entry, request: str, received: dict[str, Any]) -> None:
    which = {"which": asked.id, "what": request}
    known = require_same(asked, connection.execute(_STORED_RESPONSE, which).one_or_none()).status_code
    if known is not None and _precedence(known) > _precedence(received["status_code"]):
        return
    if known is not None:
        connection.execute(_DELETE_RESPONSE, which)
    connection.execute(_INSERT_RESPONSE, {"question_id": asked.id, "request": request, **received})


def _later_changes(entry: Entry, seen: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns of a final task that a later response changes. A missing value changes nothing.

    A response without a final status is older than the row: another process received it earlier and records it later.
    It is ignored.
    """
    if not status_info(seen.get("status")).is_final:
        return {}
    late = {name: value for name, value in seen.items() if value is not None and name != "completed_at"}
    if "result" in late:  # text and files belong together: a new answer replaces the whole old one
        late["message"] = late.get("message")
    changed = {name: value for name, value in dump(late).items() if value != dump({name: getattr(entry, name)})[name]}
    unread = {"seen_at": None} if changed.keys() & {"message", "result"} else {}
    return {**{name: late[name] for name in changed}, **unread}


def _open(connection: Connection, account: str) -> list[Entry]:
    found = [Entry.read(row) for row in connection.execute(_OPEN, {"account": account})]
    return [entry for entry in found if entry.is_open]


def _precedence(status_code: int) -> int:
    return 2 if 200 <= status_code < 300 else int(status_code == CONFLICT)
