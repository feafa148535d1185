"""A session's requests to the service, except the submission of questions.

Requests that a person waits for queue for a turn of the rate limit. The watcher's polls use only free turns, and make
one attempt each, since the watcher itself decides when to try again. Every response is recorded in the ledger.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from codevf_nb.delivery._watcher_callbacks import PollResult, WatchedQuestion, WatcherCallbacks
from codevf_nb.delivery.watcher import Watcher
from codevf_nb.ledger.records import columns_of_task, merged_notes
from codevf_nb.sdk import CodeVFClient
from codevf_nb.sdk.exceptions import (
    APIConnectionError,
    AuthenticationError,
    BadRequestError,
    CodeVFError,
    IdempotencyConflictError,
)
from codevf_nb.sdk.parsing import task_object_of
from codevf_nb.sdk.polling import FIRST_POLL, next_poll
from codevf_nb.sdk.statuses import ANSWERED

if TYPE_CHECKING:
    from codevf_nb.accounts.settings import Account
    from codevf_nb.ledger import Entry, Ledger, RateLimiter
    from codevf_nb.sdk.models import TaskResponse
    from codevf_nb.sdk.responses import RawAnswer
    from codevf_nb.sdk.transport import Attempt

# Another process takes over the polling this long after the process that held the lease died, in seconds.
WATCH_LEASE_SECONDS = 8.0
# A task that is completed without a result and credits is polled this many times, with growing pauses, before it is
# recorded as final.
INCOMPLETE_POLLS = 5
# A poll without a response for this long has failed, in seconds.
POLL_SECONDS = 20.0


class ServiceChannel:
    """Makes one session's requests, and records the responses in the ledger."""

    def __init__(self, account: Account, ledger: Ledger, limiter: RateLimiter, client: CodeVFClient) -> None:
        self._account = account
        self._ledger = ledger
        self._rate_limiter = limiter
        self._client = client
        self._incomplete_polls: dict[int, int] = {}
        self._polling = CodeVFClient(
            account.api_key,
            account.base_url,
            timeout=POLL_SECONDS,
            max_retries=0,
            allowed_hosts=account.allowed_hosts,
        )

    @property
    def queued(self) -> dict[str, Any]:
        """The hooks of a request that queues for its turn; its response may slow down the rate limit."""
        return {"before_attempt": self._wait, "on_answer": self._rate_limiter.record_rate_limit}

    def client_and_hooks(
        self, *, has_turn: bool = False, deadline: float | None = None
    ) -> tuple[CodeVFClient, dict[str, Any]]:
        """Return the client and the hooks for a request.

        Args:
            has_turn: The request has taken its turn of the rate limit already, so it does not queue.
            deadline: The longest time for the request, in seconds.
        """
        if has_turn:
            return self._polling, {"on_answer": self._rate_limiter.record_rate_limit, "deadline": deadline}
        return self._client, {**self.queued, "deadline": deadline}

    def take_turn(self) -> float:
        """Take a turn if one is free and return 0, else return the seconds to wait."""
        return self._rate_limiter.try_take()

    def watcher(self) -> Watcher:
        """Return a new watcher for this session."""
        leader_lease = self._ledger.leader_lease(f"watch {self._account.name}", WATCH_LEASE_SECONDS)
        questions = self._ledger.questions
        return Watcher(
            WatcherCallbacks(
                poll=self._poll,
                look=questions.get,
                open=questions.open,
                due_in=self._due_in,
                may_poll=leader_lease.acquire,
                turn_in=self._rate_limiter.try_take,
                release=leader_lease.release,
                others_poll=leader_lease.is_held_elsewhere,
                gone=self._account.gone,
            )
        )

    def cancel(self, entry: Entry) -> Entry:
        """Cancel a task and return its new state; that it was answered in the meantime is no error."""
        try:
            with self._unless_gone(entry):
                self._client.tasks.cancel(str(entry.task_id), **self.queued)
        except (BadRequestError, IdempotencyConflictError):
            if (refreshed := self.refresh(entry)).is_open:
                raise
            return refreshed
        return self.refresh(entry)

    def refresh(self, entry: Entry) -> Entry:
        """Fetch a task now, also one that is final: late results and charges are recorded."""
        with self._unless_gone(entry):
            return self._fetch(entry, self._client, self._wait)[0]

    def close(self) -> None:
        """Close the connections."""
        self._polling.close()

    def _due_in(self, entry: WatchedQuestion) -> float:
        """Return when to poll first: a new question after the pause that the service advises, an older one at once."""
        if self._account.polls_move_time:
            return 0.0
        return max(0.0, FIRST_POLL - max(0.0, self._ledger.clock() - entry.prepared_at))

    def _poll(self, question_id: int) -> PollResult:
        entry, retry_after = self._fetch(self._ledger.questions.get(question_id), self._polling)
        if entry.is_open and (polls := self._incomplete_polls.get(entry.id)):
            return PollResult(entry, max(FIRST_POLL * 2 ** (polls - 1), retry_after or 0.0))
        elapsed = self._ledger.clock() - entry.prepared_at
        return PollResult(entry, next_poll(entry.status or "", elapsed, retry_after))

    def _fetch(
        self, entry: Entry, client: CodeVFClient, in_turn: Callable[[Attempt], None] | None = None
    ) -> tuple[Entry, float | None]:
        received: list[RawAnswer] = []

        def on_answer(answer: RawAnswer) -> None:
            received[:] = [answer]
            self._rate_limiter.record_rate_limit(answer)

        response = client.tasks.retrieve(str(entry.task_id), before_attempt=in_turn, on_answer=on_answer)
        if entry.is_open and self._may_have_more(entry, response):
            return entry, response.retry_after
        seen = {**columns_of_task(response, entry.response_schema), "notes": merged_notes(entry, response)}
        seen.pop("task_id")
        if entry.is_open and all(getattr(entry, name) == value for name, value in seen.items()):
            return entry, response.retry_after
        return self._ledger.questions.update_from_task(entry, received[0], **seen), response.retry_after

    def _may_have_more(self, entry: Entry, response: TaskResponse) -> bool:
        """Whether a completed task has neither answer nor credits yet; it is False again after a few polls."""
        task = task_object_of(response.raw)
        is_incomplete = response.status in ANSWERED and task.get("result") is task.get("creditsUsed") is None
        polls = self._incomplete_polls[entry.id] = self._incomplete_polls.get(entry.id, 0) + 1 if is_incomplete else 0
        return 0 < polls < INCOMPLETE_POLLS

    @contextlib.contextmanager
    def _unless_gone(self, entry: Entry) -> Iterator[None]:
        """Where the account is gone for good, raise an error that says so instead of the network's error."""
        try:
            yield
        except (APIConnectionError, AuthenticationError):
            if gone := self._account.gone():
                raise CodeVFError(f"{entry.task_id} can't be fetched any more: {gone}.") from None
            raise

    def _wait(self, attempt: Attempt) -> None:
        self._rate_limiter.wait(attempt.left)
