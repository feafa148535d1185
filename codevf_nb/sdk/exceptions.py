"""What can go wrong.

CodeVFError                            everything below; `.idempotency_key`, `.uncertain`, `.attempts`
├── ConfigurationError                 a base URL or setting that can't be used
├── APIConnectionError                 no answer at all; `.sent` says whether anything left this machine
├── WaitTimeoutError                   waiting ended, the task goes on (also a TimeoutError)
├── DownloadError                      a deliverable could not be stored
└── APIError                           an answer came: `.status_code`, `.code`, `.details`, `.body` …
    ├── AuthenticationError            401, 403, no key, or a key that can't be used
    ├── BadRequestError                400, or refused here before it was sent; `.errors` field by field
    │   ├── InvalidModeError           invalid_mode
    │   ├── InvalidTagError            invalid_tag
    │   ├── InvalidMetadataError       invalid_metadata
    │   ├── AttachmentLimitExceededError   more than five attachments
    │   └── AttachmentTooLargeError    an attachment over 50 MB
    ├── InsufficientCreditsError       402; `.available`, `.required`
    ├── MaxCreditsExceededError        max_credits_exceeded
    ├── NotFoundError                  404
    ├── IdempotencyConflictError       409; `.in_flight`
    ├── PayloadTooLargeError           413, or a body too large to be sent
    ├── RateLimitError                 429; `.retry_after`
    ├── ServerError                    408 and 5xx
    ├── WrongTaskError                 the answer is about another task than was asked about
    └── UnreadableAnswerError          success was said, but what was asked for can't be found in the answer

A breach found before anything was sent raises the same class as the service's refusal, with `status_code`
None.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from codevf_nb.sdk.parsing import decimal_of, items_of, text_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from decimal import Decimal
    from pathlib import Path

    from codevf_nb.sdk.models import TaskResponse

# [A] What marks the code of a 409 as "the first request with this key is still running".
IN_FLIGHT_MARKS = ("in_flight", "inflight", "in_progress")


class CodeVFError(Exception):
    """Everything this client raises on purpose descends from this class."""

    idempotency_key: str | None = None
    """The key of the call that failed: asking again with it never pays twice."""

    uncertain: bool = False
    """True where the service may have carried the call out although no answer says so."""

    attempts: int = 0
    """How often the call was tried."""

    sent: bool | None = None
    """Whether the request (of a notebook: the question) was sent; None where that is unknown or does not apply."""

    next_step: str = ""
    """What to do now, as the message says it; empty where there is no advice."""

    def add(self, sentence: str) -> None:
        """Ends the message with this sentence too, unless it says it already."""
        told = str(self)
        if sentence not in told:
            self.args = (f"{told.rstrip('.')}. {sentence}",)


class ConfigurationError(CodeVFError):
    """A base URL, timeout or other setting that can't be used; nothing was sent."""


class APIConnectionError(CodeVFError):
    """No whole answer came: the service can't be reached, was cut off, or took too long.

    `sent` is False only where it is certain that no attempt of the call left this machine.
    """

    sent: bool

    def __init__(self, message: str, *, sent: bool = True) -> None:
        super().__init__(message)
        self.sent = sent


class WaitTimeoutError(CodeVFError, TimeoutError):
    """The wait ended before the task did. `task` is the task as last seen, or None."""

    def __init__(self, message: str, *, task: TaskResponse | None = None) -> None:
        super().__init__(message)
        self.task = task


class DownloadError(CodeVFError):
    """A deliverable could not be fetched or stored; no half file is left behind. `saved` are those that were."""

    def __init__(self, message: str, *, saved: Sequence[Path] = ()) -> None:
        super().__init__(message)
        self.saved = list(saved)


class APIError(CodeVFError):
    """The service's refusal, or the refusal it would have given (then `status_code` is None).

    `code` is lower case. `retry_after` is in seconds. `body` is the parsed answer, or its bytes.
    """

    retryable_by_nature: ClassVar[bool] = False

    def __init__(
        self,
        message: str,
        *,
        status_code: int | None = None,
        code: str | None = None,
        details: Any = None,
        retryable: bool | None = None,
        retry_after: float | None = None,
        reset_at: datetime | None = None,
        body: Any = None,
    ) -> None:
        super().__init__(message)
        self.status_code = status_code
        self.code = code
        self.details = details
        self.retryable = self.retryable_by_nature if retryable is None else retryable
        self.retry_after = retry_after
        self.reset_at = reset_at
        self.body = body


class AuthenticationError(APIError):
    """401 or 403, no key at all, or a key that can't stand in a header."""


@dataclass(frozen=True)
class FieldError:
    """One field that was refused, and why."""

    field: str
    message: str

    def __str__(self) -> str:
        return f"{self.field}: {self.message}" if self.field else self.message


class BadRequestError(APIError):
    """What was asked is not acceptable as it stands; asking again unchanged fails again."""

    @property
    def errors(self) -> list[FieldError]:
        """The refused fields, each with `.field`, `.message` and a readable `str()`."""
        listed = self.details.get("errors") if isinstance(self.details, dict) else None
        if isinstance(listed, dict):
            listed = [{"field": name, "message": message} for name, message in listed.items()]
        return [_field_error(entry) for entry in items_of(listed)]


def _field_error(entry: Any) -> FieldError:
    if not isinstance(entry, dict):
        return FieldError("", text_of(entry) or repr(entry))
    field = entry.get("field") or entry.get("path") or ""
    return FieldError(text_of(field) or repr(field), text_of(entry.get("message")) or "is not acceptable")


class InvalidModeError(BadRequestError):
    """The mode is not one of realtime_answer, fast, standard."""


class InvalidTagError(BadRequestError):
    """The tag is not one of `client.tags.list()`."""


class InvalidMetadataError(BadRequestError):
    """The metadata is not a flat object of text, numbers, true/false and null."""


class AttachmentLimitExceededError(BadRequestError):
    """More attachments than the service takes."""


class AttachmentTooLargeError(BadRequestError):
    """An attachment is larger than the service takes."""


class InsufficientCreditsError(APIError):
    """The account holds fewer credits than the task may cost."""

    @property
    def available(self) -> Decimal | None:
        """Credits that are free, as the service said; None where it did not."""
        return self._detail("available")

    @property
    def required(self) -> Decimal | None:
        """Credits that the task would hold, as the service said; None where it did not."""
        return self._detail("required")

    def _detail(self, name: str) -> Decimal | None:
        return decimal_of(self.details.get(name)) if isinstance(self.details, dict) else None


class MaxCreditsExceededError(APIError):
    """The credits asked for pass a limit of the account or key."""


class NotFoundError(APIError):
    """There is no such task, project or address."""


class IdempotencyConflictError(APIError):
    """409: the idempotency key is taken, or its first request is still running (`in_flight`)."""

    @property
    def in_flight(self) -> bool:
        """True where the service is still working on the first request with this key."""
        return any(mark in (self.code or "") for mark in IN_FLIGHT_MARKS)


class PayloadTooLargeError(APIError):
    """The whole request is larger than the service takes."""


class RateLimitError(APIError):
    """Too many requests; `retry_after` says for how many seconds to stay away."""

    retryable_by_nature = True


class ServerError(APIError):
    """The service failed or gave up (408 and 5xx); whether it did what was asked is unknown."""

    retryable_by_nature = True


class WrongTaskError(APIError):
    """A 2xx answer about another task than was asked about, as a cache may give; asking again is all there is to do."""

    retryable_by_nature = True


class UnreadableAnswerError(APIError):
    """A 2xx answer without what was asked for; `body` is that answer, `idempotency_key` asks for it again."""
