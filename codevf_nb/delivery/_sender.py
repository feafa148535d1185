"""What one sender of a question knows: its lease, its turn, and what has become of its attempts."""

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
    """One thread on its way to the service: its lease, its turn, and what it knows of its attempts.

    ``committed``: an attempt is counted that hasn't gone out yet. ``sent``: one has. ``nothing`` have come to nothing,
    which isn't written yet. ``resumes``: the question may be there from an earlier sender.
    """

    lease: Lease
    turn: Turn
    resumes: bool = False
    committed: bool = True
    sent: bool = False
    nothing: int = 0
    closed: bool = False

    def take_nothing(self) -> int:
        """Return how many attempts have come to nothing, to be written now."""
        nothing, self.nothing = self.nothing, 0
        return nothing

    def end(self) -> int:
        """As ``take_nothing``, once no attempt goes out any more."""
        self.nothing, self.committed = self.nothing + self.committed, False
        return self.take_nothing()


def refuses(error: CodeVFError) -> bool:
    """Whether an answer says for certain that the attempt which it answers has made no task."""
    if not isinstance(error, APIError) or isinstance(error, ServerError) or error.status_code is None:
        return False
    return 400 <= error.status_code < 500 and not isinstance(error, IdempotencyConflictError)
