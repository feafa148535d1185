"""At most once: a question is looked up, committed, leased, sent and recorded, in that order.

1. ``repeat``: the same question asked before is found. An answer that a process died over is read; an outcome that
   nobody heard is settled by sending the same bytes under the same key.
2. ``submit``: bytes, hash, key, place, credential, the budget's reservation, the lease and the first attempt with its
   turn of the rate limit are committed together.
3. ``_send``: each further attempt is committed before its first byte leaves, and each answer before anyone tries to
   understand it. An attempt that is known to have come to nothing is taken back with the next commit.
4. ``_accept`` records the task; ``_without_task`` what is known where there is none.

An attempt that nobody heard the end of is *unknown*: the call that made it sends again until its deadline, later only a
person does, within the time for which the service remembers the key. Nothing here ever makes another key for the same
question, or sends it under another credential or to another place.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from codevf_nb.delivery import _earlier_identities as earlier_identities
from codevf_nb.delivery._errors import (
    NOTHING_SENT,
    InFlightError,
    OutcomeUnknownError,
    by_hand,
    conflict,
    is_conflict,
    not_written,
    other_project,
    unheard,
)
from codevf_nb.delivery._request import body_of, columns, cost_cap
from codevf_nb.delivery._sender import Sender, refuses
from codevf_nb.delivery._unknown_outcomes import UnknownOutcomes
from codevf_nb.ledger import (
    Entry,
    Ledger,
    LedgerError,
    RateLimiter,
    SendState,
)
from codevf_nb.ledger.changes import Repeat, changes
from codevf_nb.ledger.questions import CREATE
from codevf_nb.ledger.records import became, noted
from codevf_nb.ledger.sending import TaskTakenError
from codevf_nb.questions.question import Draft, idempotency_key
from codevf_nb.sdk.error_responses import error_from
from codevf_nb.sdk.exceptions import (
    APIConnectionError,
    APIError,
    BadRequestError,
    CodeVFError,
    NotFoundError,
    RateLimitError,
)
from codevf_nb.sdk.models import TaskResponse, differences
from codevf_nb.sdk.parsing import task_id_of
from codevf_nb.sdk.statuses import UNKNOWN_STATUS
from codevf_nb.sdk.tasks import PreparedTask

if TYPE_CHECKING:
    from codevf_nb.accounts.settings import Account
    from codevf_nb.sdk import CodeVFClient
    from codevf_nb.sdk.responses import RawAnswer
    from codevf_nb.sdk.transport import Attempt

# Longer than a whole call may take (60 s), and renewed before each attempt.
LEASE_SECONDS = 90.0
# How often a kernel looks whether another one has finished sending the same question.
LOOK_SECONDS = 0.2
# A task that was made this much earlier than its question here was made by somebody else.
EARLIER_SECONDS = 120.0
# What a question has in common with a task that has its key.
TAKEN_IN = "asked before from elsewhere, with other attachments or another body"
# What a question asked without the ledger loses.
NOT_KEPT = (
    "asked without the ledger: only this kernel remembers it. Run the cell in another one, and within 24 hours the "
    "service still knows it by its key (unless attachments changed); after that it would be paid again."
)


@dataclass(frozen=True)
class AskResult:
    """The question as the ledger now has it. ``repeat``: it had been asked before."""

    entry: Entry
    repeat: Repeat | None = None


class Submission:
    """The way of one question to the service, on one account."""

    def __init__(
        self,
        account: Account,
        ledger: Ledger,
        limiter: RateLimiter,
        client: CodeVFClient,
        asked_by: str,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._account = account
        self._ledger = ledger
        self._rate_limiter = limiter
        self._client = client
        self._asked_by = asked_by
        self.unsettled = UnknownOutcomes(account, ledger, asked_by)
        self._sleep = sleep

    # -- 1: asked before?

    def repeat(self, draft: Draft) -> AskResult | None:
        """Return the same question, settled, if the service has it or may have it; None if it can be submitted.

        Raises:
            AskedElsewhereError, OutcomeUnknownError: it was asked before, and can't be settled from here.
            InFlightError: another kernel is sending it now.
            OtherProjectError: it was asked in another folder's project, about other contents.
        """
        entry = self.known(draft)
        if entry is None:
            other = self.unsettled.check_other_keys(draft)
            return None if other is None else self._asked(other, draft, account=other.account)
        entry = self._when_sent(entry)
        unheard_of = entry.may_be_there
        if unheard_of:
            entry = self.settle(entry)
        if entry.state != SendState.ACCEPTED:
            return None
        return self._asked(entry, draft, settled=unheard_of)

    def known(self, draft: Draft) -> Entry | None:
        """Return the same question where the ledger has it, by today's identity or by the first one."""
        same = self._ledger.questions.same(*self._ledger.identities(draft.question.identity))
        return same or earlier_identities.same(self._ledger, draft)

    def _asked(self, entry: Entry, draft: Draft, **how: Any) -> AskResult:
        changed = changes(entry.attachments, self._ledger.store.digests.manifest(draft.manifest()))
        if changed and draft.question.project is None and entry.project not in (None, draft.project):
            raise other_project(entry, draft.project, [change.name for change in changed])
        ago = max(0.0, self._ledger.clock() - entry.prepared_at)
        return AskResult(entry, Repeat(ago, changed, **how))

    # -- 2: before the wire

    def submit(self, draft: Draft, project_id: int) -> AskResult:
        """Ask a question that ``repeat`` did not know.

        Raises:
            APIError: the service refused; nothing is held.
            BudgetExceededError, LedgerError: it could not be prepared; nothing was sent.
            OutcomeUnknownError: sent, and nobody heard what became of it.
        """
        identity = draft.question.identity(self._account.name)
        prepared = self._client.tasks.prepare(**body_of(draft, project_id), idempotency_key=idempotency_key(identity))
        with self._sender() as sender:
            try:
                entry = self._ledger.sending.prepare(
                    prepared.body,
                    sender.lease,
                    self._ledger.clock(),
                    self._ledger.identities(draft.question.identity),
                    partial(self._rate_limiter.take, sender.turn),
                    attachments=self._ledger.store.digests.manifest(draft.manifest()),
                    **columns(self._account, self._asked_by, draft, identity, prepared),
                )
            except RateLimitError as error:
                error.add(NOTHING_SENT)
                raise
            if entry.lease_owner == sender.lease.owner:
                return AskResult(self._send(entry, prepared, sender))
        # Another kernel was quicker.
        return self.repeat(draft) or self.submit(draft, project_id)

    def settle(self, entry: Entry, *, after_conflict: bool = False) -> Entry:
        """Find out what became of a question nobody heard the end of: the same bytes again, under the same key.

        Where the service has said that the key is taken, only ``after_conflict`` sends them again.
        """
        stored = self.unsettled.stored_answer(entry)
        if stored is not None:
            return self._accept(entry, stored)
        taken = self.unsettled.stored_conflict(entry)
        if taken is not None and not after_conflict:
            return self._conflict(entry, taken)
        body = self.unsettled.body(entry)
        if not self._account.polls_move_time:  # a virtual clock says nothing about this machine's
            balance = self._client.credits.get_balance(before_attempt=self._wait, on_answer=self._rate_limiter.heard)
            self.unsettled.check_clock(entry, balance.at)
        with self._sender(resumes=True) as sender:
            take = partial(self._rate_limiter.take, sender.turn)
            try:
                is_ours = self._ledger.sending.resume(entry.id, sender.lease, self._ledger.clock(), take)
            except RateLimitError as error:
                raise unheard(error) from error
            if is_ours:
                return self._send(entry, PreparedTask(body, entry.idempotency_key), sender)
        settled = self._ledger.questions.get(entry.id)
        if settled.state != SendState.ACCEPTED:
            raise InFlightError
        return settled

    # -- 3: on the wire

    def _send(self, entry: Entry, prepared: PreparedTask, sender: Sender) -> Entry:
        def before_attempt(attempt: Attempt) -> None:
            if not sender.committed:
                sender.turn = self._rate_limiter.turn(attempt.left)
                self._commit_attempt(entry, sender)
            while not self._rate_limiter.has_come(sender.turn):
                self._commit_attempt(entry, sender)
            sender.committed, sender.sent = False, True

        def on_no_answer(error: CodeVFError) -> None:
            sender.nothing += isinstance(error, APIConnectionError) and not error.sent

        def on_answer(answer: RawAnswer) -> None:
            at = None if answer.at is None else answer.at.timestamp()
            sender.nothing += refuses(error_from(answer.status, answer.headers, answer.body))
            nothing = sender.take_nothing()
            self._ledger.questions.hear(entry, CREATE, answer.status, answer.body, at, nothing=nothing)
            self._rate_limiter.heard(answer)

        try:
            response = self._client.tasks.send(
                prepared, before_attempt=before_attempt, on_answer=on_answer, on_no_answer=on_no_answer
            )
        except LedgerError:
            raise
        except CodeVFError as error:
            return self._without_task(entry.id, sender, error)
        return self._accept(entry, response)

    def _commit_attempt(self, entry: Entry, sender: Sender) -> None:
        """Commit an attempt and take its turn; one that is committed already only needs another turn."""
        if sender.sent or sender.resumes:
            self._check_again(entry.id)
        lease = sender.lease.renewed(self._ledger.clock() + LEASE_SECONDS)
        take = partial(self._rate_limiter.take, sender.turn)
        more, nothing = int(not sender.committed), sender.take_nothing()
        if not self._ledger.sending.attempt(lease, take, more=more, nothing=nothing):
            raise InFlightError
        sender.committed = True

    def _check_again(self, question_id: int) -> None:
        """Look at what may be there before it is sent again: a machine may have slept for days since the last time."""
        known = self._ledger.questions.get(question_id)
        if known.may_be_there:
            self.unsettled.check(known)

    @contextlib.contextmanager
    def _sender(self, *, resumes: bool = False) -> Iterator[Sender]:
        """Have a lease to send with, given up however this ends: Ctrl-C leaves no question as if it were being sent."""
        sender = Sender(self._ledger.lease(LEASE_SECONDS), self._rate_limiter.turn(), resumes)
        with sender.lease.held():
            try:
                yield sender
            except BaseException as error:
                with contextlib.suppress(LedgerError):  # it can't be written: the lease runs out by itself
                    self._close(sender, str(error) or "interrupted")
                if isinstance(error, LedgerError):
                    raise not_written(error, sent=sender.sent) from error
                raise

    # -- 4: after the wire

    def _accept(self, entry: Entry, response: TaskResponse, note: str | None = None) -> Entry:
        notes = [*(noted(entry, response) or ()), *([note] if note else ())]
        if response.at is not None and response.created_at is not None:
            existed = (response.at - response.created_at).total_seconds()
            if existed > self._ledger.clock() - entry.prepared_at + EARLIER_SECONDS:
                notes.append(f"asked before from elsewhere, {existed / 3600:.1f} hours ago: 0 credits now.")
        if not self._ledger.lasts:
            notes.append(NOT_KEPT)
        values = {**became(response, entry.response_schema), "cost_cap": cost_cap(entry, response)}
        if response.is_final and response.credits_used is None:
            # The key of a task that is over already: what it answered and cost comes with the next look at it.
            values = {**values, "status": UNKNOWN_STATUS, "completed_at": None}
        try:
            return self._ledger.sending.accept(entry, notes=notes, **values)
        except TaskTakenError as error:
            raise by_hand(entry, f"the service named a task for it that can't be its own ({error})") from error

    def _without_task(self, question_id: int, sender: Sender, error: CodeVFError) -> Entry:
        """Write down how sending ended without a task, and raise what that means."""
        self._close(sender, str(error), refused=refuses(error))
        entry = self._ledger.questions.get(question_id)
        if entry.state == SendState.ACCEPTED:  # by another kernel, while this one was suspended
            return entry
        if is_conflict(error):
            return self._conflict(entry, error)
        if entry.may_be_there and not isinstance(error, InFlightError | OutcomeUnknownError):
            raise unheard(error) from error
        raise error

    def _conflict(self, entry: Entry, error: APIError) -> Entry:
        """Take in the task that a 409 has named, if it is what was asked; else the question stays unsettled."""
        named = task_id_of(error.details) if isinstance(error.details, dict) else None
        if named is not None:
            with contextlib.suppress(APIError, APIConnectionError):
                response = self._retrieve(named)
                if not differences(response, mode=entry.mode, max_credits=entry.max_credits):
                    return self._accept(entry, response, f"{TAKEN_IN}: the service keeps the first one, {named}.")
        raise conflict(entry, named) from error

    def _close(self, sender: Sender, why: str, *, refused: bool = False) -> None:
        if not sender.closed:
            self._ledger.sending.close(sender.lease, why, refused=refused, nothing=sender.end())
            sender.closed = True

    # -- what a person decides

    def adopt(self, entry: Entry, task_id: str) -> Entry:
        """Record what a person has found: this task of the service's is what became of the question."""
        known = self._ledger.questions.task(task_id)
        if known is not None and not known.is_foreign:
            raise BadRequestError(
                f"{task_id} is what became of question {known.id}, so it can't be question {entry.id}'s."
            )
        response = self._retrieve(task_id)
        if entry.task_id is not None:
            entry = self._ledger.sending.disown(entry.id, entry.task_id)
        return self._accept(entry, response)

    def abandon(self, entry: Entry) -> Entry:
        """Record what a person has found: the service doesn't have the question, nor the task that was taken for it.

        Raises:
            BadRequestError: the service has that task, so the question may be paid.
        """
        if entry.task_id is not None:
            if self._is_there(entry.task_id):
                raise BadRequestError(
                    f"the service has {entry.task_id}, so question {entry.id} may be paid. If that is another "
                    f"question's, say which is this one's: %codevf settle {entry.id} TASK; "
                    f"--again {entry.asking + 1} asks once more in any case."
                )
            self._ledger.sending.disown(entry.id, entry.task_id)
        return self._ledger.sending.abandon(entry.id, "a person says that the service doesn't have it")

    def take_in(self, task_id: str) -> Entry:
        """Fetch a task that was asked from elsewhere, so that its answer can be read here."""
        response = self._retrieve(task_id)
        made = self._ledger.clock() if response.created_at is None else response.created_at.timestamp()
        whose = {name: getattr(self._account, name) for name in ("environment", "origin", "credential")}
        asked = {"asked_by": "elsewhere", "mode": response.mode, "max_credits": response.max_credits}
        known = {**became(response), "notes": differences(response) or None}
        return self._ledger.questions.take_in(known.pop("task_id"), made, **whose, **asked, **known)

    # -- pieces

    def _when_sent(self, entry: Entry) -> Entry:
        """Wait until no other kernel is sending the question."""
        for _ in range(round(LEASE_SECONDS / LOOK_SECONDS) + 1):
            if not entry.is_being_sent(self._ledger.clock()):
                return entry
            self._sleep(LOOK_SECONDS)
            entry = self._ledger.questions.get(entry.id)
        raise InFlightError

    def _is_there(self, task_id: str) -> bool:
        try:
            self._retrieve(task_id)
        except (BadRequestError, NotFoundError):  # what was taken for an id needn't look like one
            return False
        return True

    def _retrieve(self, task_id: str) -> TaskResponse:
        return self._client.tasks.retrieve(task_id, before_attempt=self._wait, on_answer=self._rate_limiter.heard)

    def _wait(self, attempt: Attempt) -> None:
        self._rate_limiter.wait(attempt.left)
