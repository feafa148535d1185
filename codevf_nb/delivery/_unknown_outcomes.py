"""Questions that were sent without a response: whether and how the outcome can still be found out.

As long as the service remembers the key, sending the same bytes under the same key again returns the outcome. Later, or
under another key, or where the clock is wrong, only a person can look it up and record what they found.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from codevf_nb.delivery import _earlier_identities as earlier_identities
from codevf_nb.delivery._errors import (
    OutcomeUnknownError,
    is_conflict,
    key_conflict,
    manual_settlement_needed,
    open_under_another_key,
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

# [A] The service remembers a key for 24 hours (published, unverified); one hour less is used here.
KEY_SECONDS = 23 * 3600.0
# Clocks may differ by this much although they were not changed, in seconds.
CLOCK_SECONDS = 300.0


class UnknownOutcomes:
    """The questions of one account that have no task."""

    def __init__(self, account: Account, ledger: Ledger, asked_by: str) -> None:
        self._account = account
        self._ledger = ledger
        self._asked_by = asked_by

    def stored_answer(self, entry: Entry) -> TaskResponse | None:
        """Parse a response that was committed by a process that died before it parsed it; no request is made."""
        raw = None if entry.task_id else self._ledger.questions.raw(entry.id, CREATE)
        if raw is None:
            return None
        try:
            response = task_from_stored(raw.status_code, None, raw.body)
        except CodeVFError:
            return None
        return replace(response, at=None if raw.at is None else datetime.fromtimestamp(raw.at, UTC))

    def stored_conflict(self, entry: Entry) -> IdempotencyConflictError | None:
        """Return the stored 409, if the service has refused a question because its key is taken."""
        raw = None if entry.task_id else self._ledger.questions.raw(entry.id, CREATE)
        error = None if raw is None or raw.status_code != CONFLICT else error_from(raw.status_code, None, raw.body)
        return error if error is not None and is_conflict(error) else None

    def body(self, entry: Entry) -> bytes:
        """Return the bytes that were sent, unchanged.

        Raises:
            OutcomeUnknownError: they may not be sent again, or are no longer stored.
        """
        self.check(entry)
        body = self._ledger.questions.body(entry.id)
        if body is None or hashlib.sha256(body).hexdigest() != entry.body_sha256:
            raise manual_settlement_needed(entry, "what was sent is no longer stored, so it can't be sent again")
        return body

    def check(self, entry: Entry) -> None:
        """Check that sending a question again can't pay twice.

        Raises:
            OutcomeUnknownError: the key or the origin differs, the key has expired, or the clock is wrong.
        """
        now = self._ledger.clock()
        hours = (now - entry.prepared_at) / 3600
        if (entry.credential, entry.origin) != (self._account.credential, self._account.origin):
            where = f"{entry.origin} under another key ({entry.account})"
            raise manual_settlement_needed(
                entry, f"it was sent to {where}, and only with that key can the outcome be found out from here"
            )
        if (self._ledger.questions.newest_at() or now) > now + CLOCK_SECONDS:
            raise manual_settlement_needed(
                entry, "this machine's clock has gone back since, so its key may be forgotten by now"
            )
        if hours >= KEY_SECONDS / 3600:
            forgotten = "the service has forgotten its key, and sending it again might pay twice"
            raise manual_settlement_needed(entry, f"it was sent {hours:.0f} hours ago: {forgotten}")

    def check_clock(self, entry: Entry, service_time: datetime | None) -> None:
        """Check this machine's clock against the service's: where they differ, the age of a question isn't known.

        Raises:
            OutcomeUnknownError: they differ by more than ``CLOCK_SECONDS``.
        """
        if service_time is None:
            return
        behind = service_time.timestamp() - self._ledger.clock()
        if abs(behind) > CLOCK_SECONDS:
            apart = f"{abs(behind) / 3600:,.1f} hours {'behind' if behind > 0 else 'ahead of'} the service's"
            raise manual_settlement_needed(
                entry, f"this machine's clock is {apart}, so its key may be forgotten by now"
            )

    def check_other_keys(self, draft: Draft) -> Entry | None:
        """Return the same question of the same person under another key, if it is final: the key was probably renewed.

        Raises:
            AskedElsewhereError, OutcomeUnknownError: it was asked, and is still open or its outcome is unknown.
        """
        here = (self._account.origin, self._asked_by)
        others = self._ledger.questions.same_elsewhere(draft.question.identity, *here)
        for other in (*others, *earlier_identities.elsewhere(self._ledger, draft, *here)):
            if other.may_be_there:
                self._check_other(other)
            if other.is_open:
                raise open_under_another_key(other)
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
        """Return every question without a task, each with advice.

        It includes questions of the same person under other keys.

        Args:
            since: Include questions that were prepared after this and never sent, in seconds since 1970 UTC.
        """
        here = self._ledger.questions.with_unknown_outcome(prepared_since=since)
        other = self._ledger.questions.with_unknown_outcome_elsewhere(self._account.origin, self._asked_by)
        return [(entry, self.advice(entry)) for entry in (*here, *other)]

    def advice(self, entry: Entry) -> str:
        """Return what to do about a question that has no task."""
        if entry.is_being_sent(self._ledger.clock()):
            return "It is being sent at this moment."
        if self.stored_answer(entry) is not None:
            return "The service has it, and its response is stored but not read: run the cell again, or %codevf settle."
        if self.stored_conflict(entry) is not None:
            return str(key_conflict(entry, None))
        if not entry.may_be_there:
            return "The service does not have it: run the cell again to ask."
        try:
            self.check(entry)
        except OutcomeUnknownError as error:
            return str(error)
        until = datetime.fromtimestamp(entry.prepared_at + KEY_SECONDS, UTC).strftime("%Y-%m-%d %H:%M UTC")
        return (
            f"Run the cell again, or %codevf settle, before {until}: the same bytes go under the same key, "
            "so it can't be paid twice."
        )
