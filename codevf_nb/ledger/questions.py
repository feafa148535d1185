"""Questions in the ledger, once they are asked: looked up, heard of, taken in from elsewhere, and forgotten."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, and_, bindparam, delete, exists, func, insert, or_, select, update

from codevf_nb.ledger import book
from codevf_nb.ledger._accounts import renamed
from codevf_nb.ledger._digests import forgotten
from codevf_nb.ledger.records import FOREIGN, Entry, SendState, dump
from codevf_nb.ledger.rows import (
    CHANGE,
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
from codevf_nb.sdk.statuses import FINAL, status_info

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
# An index begins with the account or the environment, so what concerns all of them is looked up one by one.
_ACCOUNTS = each(questions.c.account)
_environment = each(questions.c.environment).subquery()
# Not of tasks asked elsewhere: when those were made is what the service says, not this ledger's clock.
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
# Forgetting holds the lock for about so long at a time, and then lets others write: SQLite's look again every 0.1 s.
FORGET_SECONDS = 0.1
FORGET_PAUSE_SECONDS = 0.11
FORGET_AT_ONCE = 50
_TEXTS = ("prompt", "code", "response_schema", "message", "result", "error", "notes")


class Questions(Rows):
    """The questions of one account."""

    # -- looking

    def same(self, *identities: str) -> Entry | None:
        """Return the question that has one of these identities, whatever became of it.

        It has one for each name of its account: see ``Ledger.identities``.
        """
        with self._store.read() as connection:
            rows = connection.execute(SAME, {"whose": self._account, "identities": identities}).all()
        return best_match([Entry.read(row) for row in rows])

    def with_texts(self, digest: str) -> list[Entry]:
        """Return the questions of the first identity with these texts, of every account, the newest first."""
        with self._store.read() as connection:
            return [Entry.read(row) for row in connection.execute(_WITH_TEXTS, {"digest": digest})]

    def has_first_identities(self) -> bool:
        """Whether any question of the ledger has the first identity."""
        with self._store.read() as connection:
            return connection.scalar(_ANY_FIRST) is not None

    def among(self, accounts: Sequence[str], identities: Sequence[str]) -> list[Entry]:
        """Return the questions of these accounts with one of these identities."""
        with self._store.read() as connection:
            which = {"accounts": list(accounts), "identities": list(identities)}
            return [Entry.read(row) for row in connection.execute(_AMONG_IDENTITIES, which)]

    def get(self, question_id: int) -> Entry:
        """Return the question with this number of the ledger's, of whatever account."""
        with self._store.read() as connection:
            row = connection.execute(_ANY, {"which": question_id}).one_or_none()
        if row is None:
            raise KeyError(question_id)
        return Entry.read(row)

    def find(self, question_id: int) -> Entry | None:
        """Return this account's question with this number of the ledger's, if there is one."""
        return self._one(GET, which=question_id)

    def task(self, task_id: str) -> Entry | None:
        """Return the question that became this task of the service's."""
        return self._one(_TASK, whose=self._account, task=task_id)

    def latest(self, limit: int = 20) -> list[Entry]:
        """Return the newest questions first."""
        return self._many(select(questions).order_by(questions.c.id.desc()).limit(limit))

    def open(self) -> list[Entry]:
        """Return every question an answer may still come to, oldest first."""
        with self._store.read() as connection:
            return _open(connection, self._account)

    def with_unknown_outcome(self, prepared_since: float | None = None) -> list[Entry]:
        """Return every question that was sent without anyone hearing what became of it.

        ``prepared_since``: also those prepared after this moment whose first byte never left.
        """
        waiting = [OUTCOME_UNKNOWN]
        if prepared_since is not None:
            waiting.append(and_(questions.c.state == SendState.OPEN, questions.c.prepared_at >= prepared_since))
        return self._many(select(questions).where(TASKLESS, or_(*waiting)).order_by(questions.c.id))

    def same_elsewhere(self, identity: Callable[[str], str], origin: str, asked_by: str) -> list[Entry]:
        """Return what is the same question on other accounts under which somebody asked at the same place.

        They are accounts of somebody else's, or keys since rotated. ``identity`` tells the question's on an account.
        """
        with self._store.read() as connection:
            there = self._elsewhere(connection, origin, asked_by)
            identities = [identity(name) for name in (*there["accounts"], *renamed(connection))]
            rows = connection.execute(_SAME_ELSEWHERE, {**there, "identities": identities}).all() if identities else []
        return [Entry.read(row) for row in rows]

    def with_unknown_outcome_elsewhere(self, origin: str, asked_by: str) -> list[Entry]:
        """Return what somebody sent from other accounts at the same place without hearing what became of it."""
        with self._store.read() as connection:
            rows = connection.execute(_UNKNOWN_OUTCOME_ELSEWHERE, self._elsewhere(connection, origin, asked_by)).all()
        return [Entry.read(row) for row in rows]

    def open_elsewhere(self, origin: str, asked_by: str) -> list[Entry]:
        """Return what somebody asked from other accounts at the same place, and an answer may still come to."""
        with self._store.read() as connection:
            others = self._elsewhere(connection, origin, asked_by)["accounts"]
            found = [entry for account in others for entry in _open(connection, account)]
        return [entry for entry in found if (entry.origin, entry.asked_by) == (origin, asked_by)]

    def newest_at(self) -> float | None:
        """Return the latest moment at which a question was prepared in this ledger, by the clock of that day."""
        with self._store.read() as connection:
            newest: float | None = connection.scalar(_NEWEST_AT)
        return newest

    def body(self, question_id: int) -> bytes | None:
        """Return the exact bytes that were prepared; None once the question is settled."""
        with self._store.read() as connection:
            return connection.scalar(select(bodies.c.body).where(bodies.c.question_id == question_id))

    def raw(self, question_id: int, request: str) -> Any:
        """Return the raw answer kept (``status_code``, ``body``, ``at``) to a request about a question, or None.

        The requests are ``create``, and ``retrieve``: the newest look that brought anything new.
        """
        where = (answers.c.question_id == question_id, answers.c.request == request)
        with self._store.read() as connection:
            return connection.execute(select(answers).where(*where)).one_or_none()

    # -- hearing

    def record_response(
        self, asked: Entry, request: str, status_code: int, body: bytes, at: float | None, *, nothing: int = 0
    ) -> None:
        """Commit a raw answer before anybody has tried to understand it.

        A yes is never overwritten by something else, nor a conflict by anything but a yes.

        ``nothing``: how many attempts have come to nothing, as is known now; see ``Sending``.

        Raises:
            LedgerError: the question is no longer in the ledger.
        """
        received = {"at": at, "status_code": status_code, "body": body}
        with self._store.write() as connection:
            if nothing:
                entry = self._reload(connection, asked)
                change(connection, entry, **attempt_counts(entry, nothing=nothing))
            _store_response(connection, asked, request, received)

    def update_from_task(self, asked: Entry, raw: RawAnswer | None = None, **seen: Any) -> Entry:
        """Record what a task has become; with a final status, what it cost and what it released.

        A final task stays so, and when it was first seen so; what is new of its answer and its credits is taken over.
        ``raw`` is what came, and is kept.
        """
        with self._store.write() as connection:
            entry = self._reload(connection, asked)
            if entry.task_id is None:  # a person has said meanwhile that it isn't this one
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
        """Record a task that was asked from elsewhere, so that its answer can be shown; the book leaves it out."""
        nothing = {"attachments": [], "state": SendState.ACCEPTED, "attempts": 0, "unheard": 0, "asking": 1}
        which = {"task_id": task_id, "identity": FOREIGN + task_id, "idempotency_key": ""}
        values = {**nothing, **which, "prepared_at": made_at, **known}
        with self._store.write() as connection:
            row = connection.execute(_TASK, {"whose": self._account, "task": task_id}).one_or_none()
            return add(connection, self._account, values) if row is None else Entry.read(row)

    def forget(self, before: float) -> int:
        """Delete what was asked and answered before a moment, of all that is over; return of how many questions.

        Ids, times, credits and the attachments' sizes and keyed hashes stay. Others can write in between.
        """
        forgotten, last = 0, 0
        with self._store.reuse_connection():
            while some := self._forget_batch(before, last):
                forgotten, last = forgotten + some[0], some[1]
                time.sleep(FORGET_PAUSE_SECONDS)
        return forgotten

    def _forget_batch(self, before: float, last: int) -> tuple[int, int] | None:
        """Forget for a moment what follows a number; return of how many questions and the last number, or None."""
        over = (questions.c.state == SendState.REFUSED) | questions.c.status.in_(FINAL)
        has_texts = or_(
            *(questions.c[name].is_not(None) for name in _TEXTS), questions.c.attachments.contains('"name"')
        )
        old = self._where(questions.c.prepared_at < before, over, has_texts).with_only_columns(questions.c.id)
        count = 0
        with self._store.write() as connection:
            ends = time.monotonic() + FORGET_SECONDS
            while time.monotonic() < ends:
                some = old.where(questions.c.id > last).order_by(questions.c.id).limit(FORGET_AT_ONCE)
                ids = connection.scalars(some).all()
                if not ids:
                    break
                connection.execute(delete(bodies).where(bodies.c.question_id.in_(ids)))
                connection.execute(delete(answers).where(answers.c.question_id.in_(ids)))
                connection.execute(update(questions).where(questions.c.id.in_(ids)).values(dict.fromkeys(_TEXTS)))
                _forget_names(connection, ids)
                count, last = count + len(ids), ids[-1]
        return (count, last) if count else None

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
    """Return what differs from a final task's row in what the service says later, but for what it leaves unsaid.

    What isn't final was said before, to somebody who is slower in recording it: nothing of it counts.
    """
    if not status_info(seen.get("status")).is_final:
        return {}
    late = {name: value for name, value in seen.items() if value is not None and name != "completed_at"}
    if "result" in late:  # the text goes with the files: a new answer takes the place of the whole old one
        late["message"] = late.get("message")
    changed = {name: value for name, value in dump(late).items() if value != dump({name: getattr(entry, name)})[name]}
    unread = {"seen_at": None} if changed.keys() & {"message", "result"} else {}
    return {**{name: late[name] for name in changed}, **unread}


def _open(connection: Connection, account: str) -> list[Entry]:
    found = [Entry.read(row) for row in connection.execute(_OPEN, {"account": account})]
    return [entry for entry in found if entry.is_open]


def _forget_names(connection: Connection, ids: Sequence[int]) -> None:
    rows = connection.execute(select(questions.c.id, questions.c.attachments).where(questions.c.id.in_(ids))).all()
    kept = [{"which": row.id, "attachments": json.dumps(forgotten(json.loads(row.attachments)))} for row in rows]
    connection.execute(CHANGE, kept)


def _precedence(status_code: int) -> int:
    return 2 if 200 <= status_code < 300 else int(status_code == CONFLICT)
