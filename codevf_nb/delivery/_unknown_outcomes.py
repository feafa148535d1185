"""Questions that were sent without anybody hearing what became of them: whether, and how, that can still be found out.

Sending the same bytes under the same key again tells, as long as the service remembers the key. Past that, or under
another key, or where the clock can't be trusted, only a person can look, and say what they found.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from codevf_nb.delivery import _earlier_identities as earlier_identities
from codevf_nb.delivery._errors import (
    OutcomeUnknownError,
    by_hand,
    conflict,
    is_conflict,
    under_another_key,
)
from codevf_nb.ledger import Entry, Ledger, SendState
from codevf_nb.ledger.questions import CONFLICT, CREATE
from codevf_nb.questions.question import Draft
from codevf_nb.sdk.error_responses import error_from
from codevf_nb.sdk.exceptions import CodeVFError, IdempotencyConflictError
from codevf_nb.sdk.models import TaskResponse
from codevf_nb.sdk.responses import task_from_stored

if TYPE_CHECKING:
    from codevf_nb.accounts.settings import Account

# [A] The service remembers a key for 24 hours (published, unverified); an hour less is what we rely on.
KEY_SECONDS = 23 * 3600.0
# Clocks differ by this much without anybody having moved them.
CLOCK_SECONDS = 300.0


class UnknownOutcomes:
    """What one account knows of its questions without a task."""

    def __init__(self, account: Account, ledger: Ledger, asked_by: str) -> None:
        self._account = account
        self._ledger = ledger
        self._asked_by = asked_by

    def stored_answer(self, entry: Entry) -> TaskResponse | None:
        """Understand an answer that was committed by a process that died before it could; no network is needed."""
        raw = None if entry.task_id else self._ledger.questions.raw(entry.id, CREATE)
        if raw is None:
            return None
        try:
            response = task_from_stored(raw.status_code, None, raw.body)
        except CodeVFError:
            return None
        return replace(response, at=None if raw.at is None else datetime.fromtimestamp(raw.at, UTC))

    def stored_conflict(self, entry: Entry) -> IdempotencyConflictError | None:
        """Return the refusal, if the service has refused a question because its key is taken."""
        raw = None if entry.task_id else self._ledger.questions.raw(entry.id, CREATE)
        error = None if raw is None or raw.status_code != CONFLICT else error_from(raw.status_code, None, raw.body)
        return error if error is not None and is_conflict(error) else None

    def body(self, entry: Entry) -> bytes:
        """Return the very bytes that were sent.

        Raises:
            OutcomeUnknownError: they may not be sent again, or are no longer there.
        """
        self.check(entry)
        body = self._ledger.questions.body(entry.id)
        if body is None or hashlib.sha256(body).hexdigest() != entry.body_sha256:
            raise by_hand(entry, "what was sent is no longer kept, so it can't be sent again")
        return body

    def check(self, entry: Entry) -> None:
        """Refuse to send again what might then be paid twice.

        Raises:
            OutcomeUnknownError: another key or place, past the time of the key, or a clock that can't be trusted.
        """
        now = self._ledger.clock()
        hours = (now - entry.prepared_at) / 3600
        if (entry.credential, entry.origin) != (self._account.credential, self._account.origin):
            where = f"{entry.origin} under another key ({entry.account})"
            raise by_hand(entry, f"it went to {where}, and only with that one can it be settled from here")
        if (self._ledger.questions.newest_at() or now) > now + CLOCK_SECONDS:
            raise by_hand(entry, "this machine's clock has gone back since, so its key may be forgotten by now")
        if hours >= KEY_SECONDS / 3600:
            forgotten = "the service has forgotten its key, and sending it again might pay twice"
            raise by_hand(entry, f"it was sent {hours:.0f} hours ago: {forgotten}")

    def check_clock(self, entry: Entry, service_time: datetime | None) -> None:
        """Refuse to send again where this machine's clock is not the service's: how long ago it was isn't known then.

        Raises:
            OutcomeUnknownError: they differ by more than clocks do that no one has moved.
        """
        if service_time is None:
            return
        behind = service_time.timestamp() - self._ledger.clock()
        if abs(behind) > CLOCK_SECONDS:
            apart = f"{abs(behind) / 3600:,.1f} hours {'behind' if behind > 0 else 'ahead of'} the service's"
            raise by_hand(entry, f"this machine's clock is {apart}, so its key may be forgotten by now")

    def check_other_keys(self, draft: Draft) -> Entry | None:
        """Return what the same person asked under another key, if it is over: most likely the key was renewed.

        Raises:
            AskedElsewhereError, OutcomeUnknownError: it was asked, and is still open or its outcome unknown.
        """
        here = (self._account.origin, self._asked_by)
        others = self._ledger.questions.same_elsewhere(draft.question.identity, *here)
        for other in (*others, *earlier_identities.elsewhere(self._ledger, draft, *here)):
            if other.may_be_there:
                self._check_other(other)
            if other.is_open:
                raise under_another_key(other)
            if other.state == SendState.ACCEPTED:
                return other
        return None

    def _check_other(self, other: Entry) -> None:
        try:
            self.check(other)
        except OutcomeUnknownError as error:
            error.add(f"If that is this account under an earlier key: %codevf account same {other.account}.")
            raise

    def all(self, since: float) -> list[tuple[Entry, str]]:
        """Return every question without a task, with what to do about it.

        Those of the same person under other keys are among them, and those prepared ``since`` a moment but never sent.
        """
        here = self._ledger.questions.unsettled(prepared_since=since)
        other = self._ledger.questions.unsettled_elsewhere(self._account.origin, self._asked_by)
        return [(entry, self.advice(entry)) for entry in (*here, *other)]

    def advice(self, entry: Entry) -> str:
        """Say what to do about a question that has no task."""
        if entry.is_being_sent(self._ledger.clock()):
            return "It is being sent at this moment."
        if self.stored_answer(entry) is not None:
            return (
                "The service has it, and its answer is here but was never read: run the cell again, or %codevf settle."
            )
        if self.stored_conflict(entry) is not None:
            return str(conflict(entry, None))
        if not entry.may_be_there:
            return "Nothing of it is at the service: run the cell again to ask."
        try:
            self.check(entry)
        except OutcomeUnknownError as error:
            return str(error)
        until = datetime.fromtimestamp(entry.prepared_at + KEY_SECONDS, UTC).strftime("%Y-%m-%d %H:%M UTC")
        return (
            f"Run the cell again, or %codevf settle, before {until}: the same bytes go under the same key, "
            "so it can't be paid twice."
        )
