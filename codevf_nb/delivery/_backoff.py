"""Backoff after failures: how many in a row, why, and when to try again."""

from __future__ import annotations

import math
from dataclasses import dataclass

from codevf_nb.sdk.exceptions import (
    APIError,
    AuthenticationError,
    CodeVFError,
    RateLimitError,
    ServerError,
)
from codevf_nb.sdk.limits import HINT_CAP

# The first pause after a failure and the longest one, in seconds; the pause doubles in between.
FIRST_RETRY_SECONDS, LAST_RETRY_SECONDS = 2.0, 60.0


@dataclass
class Backoff:
    """Failures in a row; the defaults mean that everything works."""

    failures: int = 0
    until: float = -math.inf
    why: str | None = None

    def again(self, now: float, most: float = LAST_RETRY_SECONDS, hint: float | None = None) -> None:
        """Record a failure, and set when to try again.

        Args:
            now: The time of the clock, in seconds.
            most: The longest pause, in seconds.
            hint: The shortest pause that the service asks for, in seconds.
        """
        pause = min(FIRST_RETRY_SECONDS * 2 ** min(self.failures, 16), most)
        self.until = now + max(pause, min(hint or 0.0, HINT_CAP))
        self.failures += 1

    def explain(self, error: Exception) -> bool:
        """Record the reason; return whether it is the first one since everything worked."""
        first = self.why is None
        self.why = str(error) or type(error).__name__
        return first


def retry_after_of(error: Exception) -> float | None:
    """Return the pause that the service asks for, in seconds; None where it asks for none."""
    return getattr(error, "retry_after", None)


def is_about_one_task(error: Exception) -> bool:
    """Whether a failure is about one task only: the service has responded, and neither it nor the key is the cause."""
    if isinstance(error, CodeVFError):
        return isinstance(error, APIError) and not isinstance(error, AuthenticationError | RateLimitError | ServerError)
    return True
