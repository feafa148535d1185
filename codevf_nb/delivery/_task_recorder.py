"""Records the task that the service has made of a question."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from codevf_nb.delivery._errors import key_conflict, manual_settlement_needed
from codevf_nb.delivery._request import cost_cap
from codevf_nb.ledger import Entry, Ledger, RateLimiter
from codevf_nb.ledger.records import columns_of_task, merged_notes
from codevf_nb.ledger.sending import TaskTakenError
from codevf_nb.sdk.exceptions import APIConnectionError, APIError
from codevf_nb.sdk.models import TaskResponse, differences
from codevf_nb.sdk.parsing import task_id_of
from codevf_nb.sdk.statuses import UNKNOWN_STATUS

if TYPE_CHECKING:
    from codevf_nb.sdk import CodeVFClient
    from codevf_nb.sdk.transport import Attempt

# A task that was made this much earlier than its question here was asked from elsewhere, in seconds.
EARLIER_SECONDS = 120.0
# The note on a question whose task was made from another request with the same key.
OTHER_REQUEST = "asked before from elsewhere, with other attachments or another body"
# The note on a question that was asked without the ledger.
NOT_KEPT = (
    "asked without the ledger: only this kernel remembers it. Run the cell in another one, and within 24 hours the "
    "service still knows it by its key (unless attachments changed); after that it would be paid again."
)


class TaskRecorder:
    """Fetches tasks from the service and records them in the ledger."""

    def __init__(self, ledger: Ledger, limiter: RateLimiter, client: CodeVFClient) -> None:
        self._ledger = ledger
        self._rate_limiter = limiter
        self._client = client

    def retrieve(self, task_id: str) -> TaskResponse:
        """Fetch a task from the service, in a turn of the rate limit."""
        return self._client.tasks.retrieve(
            task_id, before_attempt=self._wait, on_answer=self._rate_limiter.record_rate_limit
        )

    def accept(self, entry: Entry, response: TaskResponse, note: str | None = None) -> Entry:
        """Record a response as the task of a question.

        Args:
            entry: The question.
            response: The task, as the service returned it.
            note: A note to show with the question.

        Raises:
            OutcomeUnknownError: the task is another question's.
        """
        notes = [*(merged_notes(entry, response) or ()), *([note] if note else ())]
        if response.at is not None and response.created_at is not None:
            existed = (response.at - response.created_at).total_seconds()
            if existed > self._ledger.clock() - entry.prepared_at + EARLIER_SECONDS:
                notes.append(f"asked before from elsewhere, {existed / 3600:.1f} hours ago: 0 credits now.")
        if not self._ledger.lasts:
            notes.append(NOT_KEPT)
        values = {**columns_of_task(response, entry.response_schema), "cost_cap": cost_cap(entry, response)}
        if response.is_final and response.credits_used is None:
            # The task is final already: the next poll fetches its answer and its cost.
            values = {**values, "status": UNKNOWN_STATUS, "completed_at": None}
        try:
            return self._ledger.sending.accept(entry, notes=notes, **values)
        except TaskTakenError as error:
            raise manual_settlement_needed(
                entry, f"the service named a task for it that can't be its own ({error})"
            ) from error

    def accept_named(self, entry: Entry, error: APIError) -> Entry:
        """Record the task that a 409 names, if it is the question that was asked.

        Raises:
            AskedElsewhereError: the 409 names no task, or one that differs from the question.
        """
        named = task_id_of(error.details) if isinstance(error.details, dict) else None
        if named is not None:
            with contextlib.suppress(APIError, APIConnectionError):
                response = self.retrieve(named)
                if not differences(response, mode=entry.mode, max_credits=entry.max_credits):
                    return self.accept(entry, response, f"{OTHER_REQUEST}: the service keeps the first one, {named}.")
        raise key_conflict(entry, named) from error

    def _wait(self, attempt: Attempt) -> None:
        self._rate_limiter.wait(attempt.left)
