"""Something that fails: how often in a row, why, and until when it is left alone."""

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

# What failed is tried again after this long, doubling up to the second figure, in seconds.
FIRST_RETRY_SECONDS, LAST_RETRY_SECONDS = 2.0, 60.0


@dataclass
class Backoff:
    """Failures in a row; all zero while everything works."""

    failures: int = 0
    until: float = -math.inf
    why: str | None = None

    def again(self, now: float, most: float = LAST_RETRY_SECONDS, hint: float | None = None) -> None:
        """Record a failure: leave it alone for longer each time, and at least as long as ``hint`` says (seconds)."""
        pause = min(FIRST_RETRY_SECONDS * 2 ** min(self.failures, 16), most)
        self.until = now + max(pause, min(hint or 0.0, HINT_CAP))
        self.failures += 1

    def explain(self, error: Exception) -> bool:
        """Keep the reason; return whether it is the first one since all was well."""
        first = self.why is None
        self.why = str(error) or type(error).__name__
        return first


def hint_of(error: Exception) -> float | None:
    """Return the seconds for which the service asks to be left alone, where it does."""
    return getattr(error, "retry_after", None)


def is_about_one(error: Exception) -> bool:
    """Whether other tasks may well be heard of: the service has answered, and neither it nor the key is the matter."""
    if isinstance(error, CodeVFError):
        return isinstance(error, APIError) and not isinstance(error, AuthenticationError | RateLimitError | ServerError)
    return True
