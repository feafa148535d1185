"""At-most-once submission: a question is looked up, committed, leased, sent and recorded, in that order.

1. ``repeat`` finds the same question where it was asked before. If a process died after it received the response, the
   stored response is used; if the outcome is unknown, the same bytes are sent again under the same key.
2. ``submit`` commits in one transaction: bytes, hash, key, origin, credential, the budget's reservation, the lease, and
   the first attempt with its turn of the rate limit.
3. ``_send`` commits each further attempt before its first byte is sent, and each response before it is parsed. An
   attempt that certainly made no task is removed with the next commit.
4. ``TaskRecorder.accept`` records the task; ``_record_failure`` records what is known where there is none.

The outcome of an attempt without a response is *unknown*: the call that made it sends again until its deadline. Later
only a person does, within the time for which the service remembers the key. This module never makes another key for the
same question, and never sends it under another credential or to another origin.
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
    InFlightError,
    OutcomeUnknownError,
    is_conflict,
    ledger_failed,
    mark_not_sent,
    other_project,
    outcome_unknown,
)
from codevf_nb.delivery._request import body_of, columns
from codevf_nb.delivery._sender import Sender, is_refusal
from codevf_nb.delivery._task_recorder import TaskRecorder
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
from codevf_nb.questions.question import Draft, idempotency_key
from codevf_nb.sdk.error_responses import error_from
from codevf_nb.sdk.exceptions import (
    APIConnectionError,
    CodeVFError,
    RateLimitError,
)
from codevf_nb.sdk.tasks import PreparedTask

if TYPE_CHECKING:
    from codevf_nb.accounts.settings import Account
    from codevf_nb.sdk import CodeVFClient
    from codevf_nb.sdk.responses import RawAnswer
    from codevf_nb.sdk.transport import Attempt

# Longer than a whole call may take (60 s), in seconds; renewed before each attempt.
LEASE_SECONDS = 90.0
# How often a kernel checks whether another one has finished sending the same question, in seconds.
LOOK_SECONDS = 0.2


@dataclass(frozen=True)
class AskResult:
    """The question as the ledger has it; ``repeat`` is set where it was asked before."""

    entry: Entry
    repeat: Repeat | None = None


class Submission:
    """Submits questions on one account, each at most once."""

    def __init__(
        self,
        account: Account,
        ledger: Ledger,
        limiter: RateLimiter,
        client: CodeVFClient,
        recorder: TaskRecorder,
        asked_by: str,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._account = account
        self._ledger = ledger
        self._rate_limiter = limiter
        self._client = client
        self._asked_by = asked_by
        self._recorder = recorder
        self.unsettled = UnknownOutcomes(account, ledger, asked_by)
        self._sleep = sleep

    # -- 1: look up

    def repeat(self, draft: Draft) -> AskResult | None:
        """Return the same question with its task, if the service has it or may have it; None if it can be submitted.

        Raises:
            AskedElsewhereError, OutcomeUnknownError: it was asked before, and the outcome can't be found from here.
            InFlightError: another kernel is sending it now.
            OtherProjectError: it was asked in another folder's project, about other contents.
        """
        entry = self.known(draft)
        if entry is None:
            other = self.unsettled.check_other_keys(draft)
            return None if other is None else self._asked(other, draft, account=other.account)
        entry = self._wait_for_sender(entry)
        was_unknown = entry.may_be_there
        if was_unknown:
            entry = self.resolve(entry)
        if entry.state != SendState.ACCEPTED:
            return None
        return self._asked(entry, draft, settled=was_unknown)

    def known(self, draft: Draft) -> Entry | None:
        """Return the same question where the ledger has it, by its present identity or by the first version's."""
        same = self._ledger.questions.same(*self._ledger.identities(draft.question.identity))
        return same or earlier_identities.same(self._ledger, draft)

    def _asked(self, entry: Entry, draft: Draft, **how: Any) -> AskResult:
        changed = changes(entry.attachments, self._ledger.store.digests.manifest(draft.manifest()))
        if changed and draft.question.project is None and entry.project not in (None, draft.project):
            raise other_project(entry, draft.project, [change.name for change in changed])
        ago = max(0.0, self._ledger.clock() - entry.prepared_at)
        return AskResult(entry, Repeat(ago, changed, **how))

    # -- 2: commit

    def submit(self, draft: Draft, project_id: int) -> AskResult:
        """Submit a question that ``repeat`` did not find.

        Args:
            draft: A priced draft.
            project_id: The service's id of its project.

        Raises:
            APIError: the service refused; nothing is held.
            BudgetExceededError, LedgerError: it could not be committed; nothing was sent.
            OutcomeUnknownError: it was sent, and no response was received.
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
                mark_not_sent(error)
                raise
            if entry.lease_owner == sender.lease.owner:
                return AskResult(self._send(entry, prepared, sender))
        # Another kernel has committed the same question first.
        return self.repeat(draft) or self.submit(draft, project_id)

    def resolve(self, entry: Entry, *, after_conflict: bool = False) -> Entry:
        """Resolve an unknown outcome: from the stored response, else by sending the same bytes under the same key.

        Args:
            entry: A question with an unknown outcome.
            after_conflict: Send them again even if the service has responded that the key is taken.

        Raises:
            OutcomeUnknownError: the question may not be sent again, or there was no response again.
            InFlightError: another kernel is sending it.
        """
        stored = self.unsettled.stored_answer(entry)
        if stored is not None:
            return self._recorder.accept(entry, stored)
        taken = self.unsettled.stored_conflict(entry)
        if taken is not None and not after_conflict:
            return self._recorder.accept_named(entry, taken)
        body = self.unsettled.body(entry)
        if not self._account.polls_move_time:  # a virtual clock can't be compared with this machine's
            balance = self._client.credits.get_balance(
                before_attempt=self._wait, on_answer=self._rate_limiter.record_rate_limit
            )
            self.unsettled.check_clock(entry, balance.at)
        with self._sender(resumes=True) as sender:
            take = partial(self._rate_limiter.take, sender.turn)
            try:
                is_ours = self._ledger.sending.resume(entry.id, sender.lease, self._ledger.clock(), take)
            except RateLimitError as error:
                raise outcome_unknown(error) from error
            if is_ours:
                return self._send(entry, PreparedTask(body, entry.idempotency_key), sender)
        resolved = self._ledger.questions.get(entry.id)
        if resolved.state != SendState.ACCEPTED:
            raise InFlightError
        return resolved

    # -- 3: send

    def _send(self, entry: Entry, prepared: PreparedTask, sender: Sender) -> Entry:
        def before_attempt(attempt: Attempt) -> None:
            if not sender.committed:
                sender.turn = self._rate_limiter.turn(attempt.left)
                self._commit_attempt(entry, sender)
            while not self._rate_limiter.wait_for(sender.turn):
                self._commit_attempt(entry, sender)
            sender.committed, sender.sent = False, True

        def on_no_answer(error: CodeVFError) -> None:
            sender.failed_attempts += isinstance(error, APIConnectionError) and not error.sent

        def on_answer(answer: RawAnswer) -> None:
            at = None if answer.at is None else answer.at.timestamp()
            sender.failed_attempts += is_refusal(error_from(answer.status, answer.headers, answer.body))
            failed = sender.take_failed_attempts()
            self._ledger.questions.record_response(entry, CREATE, answer.status, answer.body, at, failed=failed)
            self._rate_limiter.record_rate_limit(answer)

        try:
            response = self._client.tasks.send(
                prepared, before_attempt=before_attempt, on_answer=on_answer, on_no_answer=on_no_answer
            )
        except LedgerError:
            raise
        except CodeVFError as error:
            return self._record_failure(entry.id, sender, error)
        return self._recorder.accept(entry, response)

    def _commit_attempt(self, entry: Entry, sender: Sender) -> None:
        """Commit an attempt with its turn; for one that is committed already, only take another turn."""
        if sender.sent or sender.resumes:
            self._check_again(entry.id)
        lease = sender.lease.renewed(self._ledger.clock() + LEASE_SECONDS)
        take = partial(self._rate_limiter.take, sender.turn)
        more, failed = int(not sender.committed), sender.take_failed_attempts()
        if not self._ledger.sending.attempt(lease, take, more=more, failed=failed):
            raise InFlightError
        sender.committed = True

    def _check_again(self, question_id: int) -> None:
        """Check again that the bytes may be sent: a machine may have slept for days since the last attempt."""
        known = self._ledger.questions.get(question_id)
        if known.may_be_there:
            self.unsettled.check(known)

    @contextlib.contextmanager
    def _sender(self, *, resumes: bool = False) -> Iterator[Sender]:
        """Hold a lease for sending; it is released after Ctrl-C too, so no question stays marked as being sent."""
        sender = Sender(self._ledger.lease(LEASE_SECONDS), self._rate_limiter.turn(), resumes)
        with sender.lease.held():
            try:
                yield sender
            except BaseException as error:
                with contextlib.suppress(LedgerError):  # it can't be written: the lease expires by itself
                    self._close(sender, str(error) or "interrupted")
                if isinstance(error, LedgerError):
                    raise ledger_failed(error, sent=sender.sent) from error
                raise

    # -- 4: record

    def _record_failure(self, question_id: int, sender: Sender, error: CodeVFError) -> Entry:
        """Record that sending ended without a task, and raise the error that says what is known."""
        self._close(sender, str(error), refused=is_refusal(error))
        entry = self._ledger.questions.get(question_id)
        if entry.state == SendState.ACCEPTED:  # by another kernel, while this one was suspended
            return entry
        if is_conflict(error):
            return self._recorder.accept_named(entry, error)
        if entry.may_be_there and not isinstance(error, InFlightError | OutcomeUnknownError):
            raise outcome_unknown(error) from error
        raise error

    def _close(self, sender: Sender, why: str, *, refused: bool = False) -> None:
        if not sender.closed:
            self._ledger.sending.close(sender.lease, why, refused=refused, failed=sender.end())
            sender.closed = True

    # -- pieces

    def _wait_for_sender(self, entry: Entry) -> Entry:
        """Wait until no other kernel is sending the question."""
        for _ in range(round(LEASE_SECONDS / LOOK_SECONDS) + 1):
            if not entry.is_being_sent(self._ledger.clock()):
                return entry
            self._sleep(LOOK_SECONDS)
            entry = self._ledger.questions.get(entry.id)
        raise InFlightError

    def _wait(self, attempt: Attempt) -> None:
        self._rate_limiter.wait(attempt.left)
