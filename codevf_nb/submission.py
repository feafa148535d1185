"""At most once: a question is looked up, committed, leased, sent and recorded, in that order.

What is committed before the wire is enough to send the very same bytes under the very same key again; what came back is
committed before anyone tries to understand it. An attempt nobody heard the end of is *unknown*: the call that made it
sends again until its deadline, later only a person does. Nothing here ever makes another key for the same question.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from codevf_nb.ledger import Entry, Lease, Ledger, Limiter, SendState
from codevf_nb.ledger.questions import CREATE
from codevf_nb.ledger.records import became
from codevf_nb.question import Draft, idempotency_key
from codevf_nb.sdk.answers import parse_task
from codevf_nb.sdk.exceptions import APIConnectionError, APIError, CodeVFError
from codevf_nb.sdk.models import TaskResponse, differences
from codevf_nb.sdk.tasks import PreparedTask

if TYPE_CHECKING:
    from codevf_nb.sdk import CodeVFClient
    from codevf_nb.sdk.answers import RawAnswer
    from codevf_nb.sdk.transport import Attempt
    from codevf_nb.settings import Account

LEASE_SECONDS = 90.0
# The service remembers a key for 24 hours (published, unverified); an hour less is what we rely on.
KEY_SECONDS = 23 * 3600.0


class OutcomeUnknownError(CodeVFError):
    """Nobody heard what became of a question that was sent. The same question again settles it, under the same key."""


class InFlightError(CodeVFError):
    """Another kernel is sending the same question at this moment."""


@dataclass(frozen=True)
class Asked:
    """The question as the ledger now has it. ``repeated``: it had been asked before, and this time cost nothing."""

    entry: Entry
    repeated: bool


class Submission:
    """The way of one question to the service, on one account."""

    def __init__(self, account: Account, ledger: Ledger, limiter: Limiter, client: CodeVFClient, asked_by: str) -> None:
        self._account = account
        self._ledger = ledger
        self._limiter = limiter
        self._client = client
        self._asked_by = asked_by

    def known(self, draft: Draft) -> Entry | None:
        """Return the same question, if it was asked before and the service has it."""
        entry = self._ledger.questions.same(draft.question.identity(self._account.name))
        return entry if entry is not None and entry.state == SendState.ACCEPTED else None

    def submit(self, draft: Draft, project_id: int) -> Asked:
        """Ask, unless it was asked before.

        Raises:
            APIError: the service refused; nothing is held.
            OutcomeUnknownError: sent, and nobody heard what became of it.
            InFlightError: another kernel is sending it now.
        """
        question = draft.question
        identity = question.identity(self._account.name)
        known = self._ledger.questions.same(identity)
        if known is not None and known.state == SendState.ACCEPTED:
            return Asked(known, repeated=True)
        if known is not None and known.state in (SendState.SENDING, SendState.UNKNOWN):
            return Asked(self.settle(known), repeated=True)
        prepared = self._client.tasks.prepare(
            prompt=question.prompt,
            max_credits=question.max_credits,
            project_id=project_id,
            mode=question.mode,
            metadata=dict(question.metadata) or None,
            idempotency_key=idempotency_key(identity),
            attachments=draft.api_attachments() or None,
            tag_id=question.tag.id,
            response_schema=dict(question.schema) if question.schema else None,
        )
        lease = self._ledger.lease(LEASE_SECONDS)
        entry = self._ledger.questions.prepare(
            prepared.body, lease, self._ledger.clock(), **self._columns(draft, identity, prepared)
        )
        if entry.state == SendState.ACCEPTED:
            return Asked(entry, repeated=True)
        if entry.lease_owner != lease.owner:
            raise InFlightError(_IN_FLIGHT)
        return Asked(self._send(entry, prepared, lease), repeated=False)

    def settle(self, entry: Entry) -> Entry:
        """Find out what became of a question nobody heard the end of: the same bytes again, under the same key."""
        stored = self._from_stored_answer(entry)
        if stored is not None:
            return stored
        self._check_may_settle(entry)
        lease = self._ledger.lease(LEASE_SECONDS)
        if not self._ledger.questions.lease(entry.id, lease, self._ledger.clock()):
            raise InFlightError(_IN_FLIGHT)
        body = self._ledger.questions.body(entry.id)
        if body is None:
            raise OutcomeUnknownError(
                f"what was sent as question {entry.id} is no longer kept, so it can't be settled."
            )
        return self._send(entry, PreparedTask(body, entry.idempotency_key), lease)

    def _columns(self, draft: Draft, identity: str, prepared: PreparedTask) -> dict[str, Any]:
        question = draft.question
        return {
            "environment": self._account.environment,
            "origin": self._account.origin,
            "credential": self._account.credential,
            "asked_by": self._asked_by,
            "identity": identity,
            "asking": question.asking,
            "idempotency_key": prepared.idempotency_key,
            "project": question.project,
            "mode": question.mode.value,
            "tag": question.tag.display_name or question.tag.name,
            "prompt": question.prompt,
            "code": question.code,
            "attachments": draft.manifest(),
            "response_schema": None if question.schema is None else dict(question.schema),
            "max_credits": question.max_credits,
            "multiplier": float(question.tag.cost_multiplier),
            "cost_cap": question.cost_cap,
        }

    def _send(self, entry: Entry, prepared: PreparedTask, lease: Lease) -> Entry:
        attempts = 0

        def before_attempt(_attempt: Attempt) -> None:
            nonlocal attempts
            self._limiter.wait()
            lease.until = self._ledger.clock() + LEASE_SECONDS
            if not self._ledger.questions.attempt(entry.id, lease, self._ledger.clock()):
                raise InFlightError(_IN_FLIGHT)
            attempts += 1

        try:
            response = self._client.tasks.send(
                prepared, before_attempt=before_attempt, on_answer=self._keep_answer(entry.id)
            )
        except BaseException as error:
            never_left = isinstance(error, APIConnectionError) and not error.sent
            self._close(entry.id, lease, error, unsent=attempts if never_left else 0)
            raise
        return self._accept(entry.id, response)

    def _keep_answer(self, question_id: int) -> Callable[[RawAnswer], None]:
        def on_answer(answer: RawAnswer) -> None:
            settles = answer.status < 500 and answer.status != 408
            at = None if answer.at is None else answer.at.timestamp()
            self._ledger.questions.hear(question_id, CREATE, answer.status, answer.body, at, settles=settles)

        return on_answer

    def _close(self, question_id: int, lease: Lease, error: BaseException, unsent: int) -> None:
        """Write down how sending ended without a task, and say so where it is not known."""
        questions = self._ledger.questions
        refused = isinstance(error, APIError) and error.status_code is not None and 400 <= error.status_code < 500
        if refused and questions.get(question_id).unheard == 0:
            questions.refuse(question_id, str(error))
            return
        questions.lose(question_id, lease, str(error) or type(error).__name__, unsent=unsent)
        if isinstance(error, CodeVFError) and questions.get(question_id).state == SendState.UNKNOWN:
            raise OutcomeUnknownError(
                f"sent, but nobody heard what became of it ({error}). Run the cell again: the same bytes go under the "
                "same key, so it can't be paid twice."
            ) from error

    def _accept(self, question_id: int, response: TaskResponse) -> Entry:
        entry = self._ledger.questions.get(question_id)
        notes = differences(
            response,
            mode=entry.mode,
            max_credits=entry.max_credits,
            multiplier=None if entry.multiplier is None else Decimal(str(entry.multiplier)),
        )
        self._ledger.questions.accept(question_id, notes=notes, **became(response))
        return self._ledger.questions.get(question_id)

    def _from_stored_answer(self, entry: Entry) -> Entry | None:
        """Understand an answer that was committed by a process that died before it could."""
        raw = self._ledger.questions.raw(entry.id, CREATE)
        if raw is None:
            return None
        try:
            response = parse_task(raw)
        except CodeVFError:
            return None
        return self._accept(entry.id, response)

    def _check_may_settle(self, entry: Entry) -> None:
        if (entry.credential, entry.origin) != (self._account.credential, self._account.origin):
            raise OutcomeUnknownError(
                f"question {entry.id} was sent to {entry.origin} under another key, "
                "and only under that one can it be settled."
            )
        age = self._ledger.clock() - entry.prepared_at
        if not 0 <= age < KEY_SECONDS:
            raise OutcomeUnknownError(
                f"question {entry.id} was sent {age / 3600:.0f} hours ago and nobody heard what became of it. "
                "The service has forgotten its key, so sending it again might pay twice: look for it on codevf.com."
            )


_IN_FLIGHT = "the same question is being sent by another kernel right now; run the cell again in a moment."
