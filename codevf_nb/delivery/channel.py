"""The line to the service that a session's requests take, but for its questions: in turn, and every answer kept.

Questions have a way of their own (see ``submission``). What a person is waiting for queues for its turn; the watcher's
polls go only where a turn is left over, in one attempt each, since the watcher itself decides when to try again.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from codevf_nb.delivery.watcher import (
    PollResult,
    WatchedQuestion,
    Watcher,
    WatcherCallbacks,
)
from codevf_nb.ledger.records import became, noted
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

# Another process takes the polling over this long after its holder died, in seconds.
WATCH_LEASE_SECONDS = 8.0
# A task that is completed without a result and credits is looked at so often, ever more slowly, before it is over.
BARE_LOOKS = 5
# A poll that hears nothing for so long has failed.
POLL_SECONDS = 20.0


class ServiceChannel:
    """One session's way to the service and back into the ledger."""

    def __init__(self, account: Account, ledger: Ledger, limiter: RateLimiter, client: CodeVFClient) -> None:
        self._account = account
        self._ledger = ledger
        self._rate_limiter = limiter
        self._client = client
        self._bare: dict[int, int] = {}
        self._polling = CodeVFClient(
            account.api_key,
            account.base_url,
            timeout=POLL_SECONDS,
            max_retries=0,
            allowed_hosts=account.allowed_hosts,
        )

    @property
    def queued(self) -> dict[str, Any]:
        """The hooks of a request that queues for its turn, and whose answer may hold others back."""
        return {"before_attempt": self._wait, "on_answer": self._rate_limiter.heard}

    def way(self, *, spare: bool = False, deadline: float | None = None) -> tuple[CodeVFClient, dict[str, Any]]:
        """Return a client and the hooks of a request: it queues for its turn, or (``spare``) has taken one already."""
        if spare:
            return self._polling, {"on_answer": self._rate_limiter.heard, "deadline": deadline}
        return self._client, {**self.queued, "deadline": deadline}

    def free_in(self) -> float:
        """Take a turn if no one waits for it and return 0, else the seconds to wait before asking again."""
        return self._rate_limiter.free_in()

    def watcher(self) -> Watcher:
        """Make the watcher of this session."""
        leader_lease = self._ledger.leader_lease(f"watch {self._account.name}", WATCH_LEASE_SECONDS)
        questions = self._ledger.questions
        return Watcher(
            WatcherCallbacks(
                poll=self._poll,
                look=questions.get,
                open=questions.open,
                due_in=self._due_in,
                may_poll=leader_lease.is_mine,
                turn_in=self._rate_limiter.free_in,
                rest=leader_lease.release,
                others_poll=leader_lease.is_anothers,
                gone=self._account.gone,
            )
        )

    def cancel(self, entry: Entry) -> Entry:
        """Ask the service to stop a task, and see what became of it: one that was answered meanwhile is no error."""
        try:
            with self._unless_gone(entry):
                self._client.tasks.cancel(str(entry.task_id), **self.queued)
        except (BadRequestError, IdempotencyConflictError):
            if (seen := self.refresh(entry)).is_open:
                raise
            return seen
        return self.refresh(entry)

    def refresh(self, entry: Entry) -> Entry:
        """Ask the service about a task now, also about one that is over: what came late is taken over."""
        with self._unless_gone(entry):
            return self._fetch(entry, self._client, self._wait)[0]

    def close(self) -> None:
        """Let go of connections."""
        self._polling.close()

    def _due_in(self, entry: WatchedQuestion) -> float:
        """A new task is left alone for as long as the service advises; one from before may have its answer already."""
        if self._account.polls_move_time:
            return 0.0
        return max(0.0, FIRST_POLL - max(0.0, self._ledger.clock() - entry.prepared_at))

    def _poll(self, question_id: int) -> PollResult:
        entry, retry_after = self._fetch(self._ledger.questions.get(question_id), self._polling)
        if entry.is_open and (looks := self._bare.get(entry.id)):
            return PollResult(entry, max(FIRST_POLL * 2 ** (looks - 1), retry_after or 0.0))
        elapsed = self._ledger.clock() - entry.prepared_at
        return PollResult(entry, next_poll(entry.status or "", elapsed, retry_after))

    def _fetch(
        self, entry: Entry, client: CodeVFClient, in_turn: Callable[[Attempt], None] | None = None
    ) -> tuple[Entry, float | None]:
        came: list[RawAnswer] = []

        def on_answer(answer: RawAnswer) -> None:
            came[:] = [answer]
            self._rate_limiter.heard(answer)

        response = client.tasks.retrieve(str(entry.task_id), before_attempt=in_turn, on_answer=on_answer)
        if entry.is_open and self._may_have_more(entry, response):
            return entry, response.retry_after
        seen = {**became(response, entry.response_schema), "notes": noted(entry, response)}
        seen.pop("task_id")
        if entry.is_open and all(getattr(entry, name) == value for name, value in seen.items()):
            return entry, response.retry_after
        return self._ledger.questions.become(entry, came[0], **seen), response.retry_after

    def _may_have_more(self, entry: Entry, response: TaskResponse) -> bool:
        """Whether a task is completed, and neither its answer nor its credits are there yet: for a few looks."""
        said = task_object_of(response.raw)
        is_bare = response.status in ANSWERED and said.get("result") is said.get("creditsUsed") is None
        looks = self._bare[entry.id] = self._bare.get(entry.id, 0) + 1 if is_bare else 0
        return 0 < looks < BARE_LOOKS

    @contextlib.contextmanager
    def _unless_gone(self, entry: Entry) -> Iterator[None]:
        """Where nothing answers any more, and never will, say so instead of what the network says."""
        try:
            yield
        except (APIConnectionError, AuthenticationError):
            if gone := self._account.gone():
                raise CodeVFError(f"{entry.task_id} can't be asked about any more: {gone}.") from None
            raise

    def _wait(self, attempt: Attempt) -> None:
        self._rate_limiter.wait(attempt.left)
