"""The state of one thread that sends a question."""

from __future__ import annotations

from dataclasses import dataclass

from codevf_nb.ledger import Lease, Turn
from codevf_nb.sdk.exceptions import (
    APIError,
    CodeVFError,
    IdempotencyConflictError,
    ServerError,
)


@dataclass
class Sender:
    """One thread that sends a question: its lease, its turn, and its attempts.

    Attributes:
        lease: The lease under which it sends.
        turn: Its turn of the rate limit.
        resumes: Whether an earlier sender may have sent the question.
        committed: Whether an attempt is committed that was not sent yet.
        sent: Whether an attempt was sent.
        failed_attempts: Attempts that certainly made no task, and are not recorded as such yet.
        closed: Whether the end of sending is recorded.
    """

    lease: Lease
    turn: Turn
    resumes: bool = False
    committed: bool = True
    sent: bool = False
    failed_attempts: int = 0
    closed: bool = False

    def take_failed_attempts(self) -> int:
        """Return the number of failed attempts to record now, and reset it."""
        failed, self.failed_attempts = self.failed_attempts, 0
        return failed

    def end(self) -> int:
        """Return the failed attempts at the end of sending, with one that is committed and not sent."""
        self.failed_attempts, self.committed = self.failed_attempts + self.committed, False
        return self.take_failed_attempts()


def is_refusal(error: CodeVFError) -> bool:
    """Whether a response means that its attempt certainly made no task."""
    if not isinstance(error, APIError) or isinstance(error, ServerError) or error.status_code is None:
        return False
    return 400 <= error.status_code < 500 and not isinstance(error, IdempotencyConflictError)
