"""The exceptions of the client.

CodeVFError                            the base class; `.idempotency_key`, `.uncertain`, `.attempts`
├── ConfigurationError                 a base URL or setting that is not valid
├── APIConnectionError                 no complete response; `.sent`: whether a request may have been sent
├── WaitTimeoutError                   the timeout ended, the task continues (also a TimeoutError)
├── DownloadError                      a deliverable could not be stored
└── APIError                           an error response: `.status_code`, `.code`, `.details`, `.body` …
    ├── AuthenticationError            401, 403, no API key, or a key that is not valid
    ├── BadRequestError                400, or refused by the client; `.errors` lists the fields
    │   ├── InvalidModeError           invalid_mode
    │   ├── InvalidTagError            invalid_tag
    │   ├── InvalidMetadataError       invalid_metadata
    │   ├── AttachmentLimitExceededError   more than five attachments
    │   └── AttachmentTooLargeError    an attachment over 50 MB
    ├── InsufficientCreditsError       402; `.available`, `.required`
    ├── MaxCreditsExceededError        max_credits_exceeded
    ├── NotFoundError                  404
    ├── IdempotencyConflictError       409; `.in_flight`
    ├── PayloadTooLargeError           413, or a body that is too large to send
    ├── RateLimitError                 429; `.retry_after`
    ├── ServerError                    408 and 5xx
    ├── WrongTaskError                 the response is about another task
    └── UnreadableAnswerError          a successful response without the requested data

If the client refuses a request before it is sent, it raises the same class as for the response of the service, and
`status_code` is None.

Example:
    >>> from codevf_nb.sdk import CodeVFClient
    >>> try:
    ...     client.tasks.retrieve("task_unknown")
    ... except NotFoundError as error:
    ...     error.status_code, error.code
    (404, 'not_found')
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from codevf_nb.sdk.parsing import decimal_of, items_of, text_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from decimal import Decimal
    from pathlib import Path

    from codevf_nb.sdk.models import TaskResponse

# [A] Parts of the code of a 409 that mean "the first request with this key is still running".
IN_FLIGHT_MARKS = ("in_flight", "inflight", "in_progress")


class CodeVFError(Exception):
    """The base class of all exceptions of this client."""

    idempotency_key: str | None = None
    """The idempotency key of the failed call. A repeated call with this key never pays twice."""

    uncertain: bool = False
    """Whether the service may have carried out the call although no response confirms it."""

    attempts: int = 0
    """The number of attempts of the call."""

    sent: bool | None = None
    """Whether the request (in a notebook: the question) was sent. None if this is unknown or does not apply."""

    next_step: str = ""
    """What the user can do now, as in the message. Empty if there is no advice."""

    def add(self, sentence: str) -> None:
        """Append a sentence to the message, unless the message contains it already."""
        message = str(self)
        if sentence not in message:
            self.args = (f"{message.rstrip('.')}. {sentence}",)


class ConfigurationError(CodeVFError):
    """A base URL, timeout or other setting is not valid. Nothing was sent."""


class APIConnectionError(CodeVFError):
    """No complete response was received: the service was not reached, broke off, or took too long.

    Attributes:
        sent: False only if it is certain that no attempt of the call sent anything.
    """

    sent: bool

    def __init__(self, message: str, *, sent: bool = True) -> None:
        super().__init__(message)
        self.sent = sent


class WaitTimeoutError(CodeVFError, TimeoutError):
    """The timeout of a wait ended before the task was final.

    Attributes:
        task: The task as it was retrieved last, or None.
    """

    def __init__(self, message: str, *, task: TaskResponse | None = None) -> None:
        super().__init__(message)
        self.task = task


class DownloadError(CodeVFError):
    """A deliverable could not be downloaded or stored. No incomplete file is left.

    Attributes:
        saved: The paths of the other deliverables, which were stored.
    """

    def __init__(self, message: str, *, saved: Sequence[Path] = ()) -> None:
        super().__init__(message)
        self.saved = list(saved)


class APIError(CodeVFError):
    """An error response of the service, or the same error from the client's own checks.

    Attributes:
        status_code: The HTTP status, or None if nothing was sent.
        code: The error code of the service, in lower case.
        details: The details of the service, usually with a list of fields.
        retryable: Whether the same call may succeed later.
        retry_after: Seconds to wait before the next call.
        reset_at: The time, in UTC, when a rate limit ends.
        body: The parsed JSON of the response, or its bytes.
    """

    retryable_by_nature: ClassVar[bool] = False

    def __init__(
        self,
        message: str,
        *,
        status_code: int | None = None,
        code: str | None = None,
        details: object = None,
        retryable: bool | None = None,
        retry_after: float | None = None,
        reset_at: datetime | None = None,
        body: object = None,
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
    """The API key is missing, was refused (401, 403), or has characters that a header can't have."""


@dataclass(frozen=True)
class FieldError:
    """One field that was refused, and the reason."""

    field: str
    message: str

    def __str__(self) -> str:
        return f"{self.field}: {self.message}" if self.field else self.message


class BadRequestError(APIError):
    """The request is not valid. The same request will fail again."""

    @property
    def errors(self) -> list[FieldError]:
        """The refused fields."""
        listed = self.details.get("errors") if isinstance(self.details, dict) else None
        if isinstance(listed, dict):
            listed = [{"field": name, "message": message} for name, message in listed.items()]
        return [_field_error(entry) for entry in items_of(listed)]


def _field_error(entry: object) -> FieldError:
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
    """There are more attachments than the service accepts."""


class AttachmentTooLargeError(BadRequestError):
    """An attachment is larger than the service accepts."""


class InsufficientCreditsError(APIError):
    """The account has fewer credits than the task may cost."""

    @property
    def available(self) -> Decimal | None:
        """The available credits, or None if the response has no amount."""
        return self._detail("available")

    @property
    def required(self) -> Decimal | None:
        """The credits that the task would hold, or None if the response has no amount."""
        return self._detail("required")

    def _detail(self, name: str) -> Decimal | None:
        return decimal_of(self.details.get(name)) if isinstance(self.details, dict) else None


class MaxCreditsExceededError(APIError):
    """The requested credits are above a limit of the account or the API key."""


class NotFoundError(APIError):
    """The task, project or path does not exist."""


class IdempotencyConflictError(APIError):
    """The idempotency key belongs to another request, or its first request is still running (409)."""

    @property
    def in_flight(self) -> bool:
        """Whether the first request with this key is still running."""
        return any(mark in (self.code or "") for mark in IN_FLIGHT_MARKS)


class PayloadTooLargeError(APIError):
    """The request is larger than the service accepts."""


class RateLimitError(APIError):
    """There were too many requests. `retry_after` is the number of seconds to wait."""

    retryable_by_nature = True


class ServerError(APIError):
    """The service failed (408 and 5xx). It is unknown whether it carried out the request."""

    retryable_by_nature = True


class WrongTaskError(APIError):
    """A 2xx response is about another task than the requested one, for example from a cache. Repeat the call."""

    retryable_by_nature = True


class UnreadableAnswerError(APIError):
    """A 2xx response does not contain the requested data. Repeat the call with the same `idempotency_key`."""
