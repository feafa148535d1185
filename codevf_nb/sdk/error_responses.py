"""Exceptions from responses outside 2xx, with a message that tells the user what to do.

The code in a response decides the class of the exception, in upper or lower case. Without a known code, the status
decides.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from codevf_nb.sdk import exceptions as errors
from codevf_nb.sdk.parsing import (
    json_of,
    object_of,
    one_line,
    retry_after_of,
    text_of,
    time_of,
)

KIND_BY_CODE: dict[str, type[errors.APIError]] = {
    "unauthorized": errors.AuthenticationError,
    "invalid_api_key": errors.AuthenticationError,
    "token_expired": errors.AuthenticationError,
    "forbidden": errors.AuthenticationError,
    "insufficient_scope": errors.AuthenticationError,
    "insufficient_credits": errors.InsufficientCreditsError,
    "max_credits_exceeded": errors.MaxCreditsExceededError,
    "invalid_mode": errors.InvalidModeError,
    "invalid_tag": errors.InvalidTagError,
    "invalid_metadata": errors.InvalidMetadataError,
    "attachment_limit_exceeded": errors.AttachmentLimitExceededError,
    "attachment_too_large": errors.AttachmentTooLargeError,
    "payload_too_large": errors.PayloadTooLargeError,
    "invalid_request": errors.BadRequestError,
    "not_found": errors.NotFoundError,
    "task_not_found": errors.NotFoundError,
    "project_not_found": errors.NotFoundError,
    "idempotency_conflict": errors.IdempotencyConflictError,
    "rate_limited": errors.RateLimitError,
    "rate_limit_exceeded": errors.RateLimitError,
}
KIND_BY_STATUS: dict[int, type[errors.APIError]] = {
    400: errors.BadRequestError,
    401: errors.AuthenticationError,
    402: errors.InsufficientCreditsError,
    403: errors.AuthenticationError,
    404: errors.NotFoundError,
    408: errors.ServerError,
    409: errors.IdempotencyConflictError,
    413: errors.PayloadTooLargeError,
    422: errors.BadRequestError,
    429: errors.RateLimitError,
}


def error_from(status: int, headers: Mapping[str, str] | None, body: bytes) -> errors.APIError:
    """Return the exception for a response. The response is not raised here.

    Args:
        status: The HTTP status.
        headers: The headers, in upper or lower case.
        body: The body. Every known form of the error envelope is parsed.

    Returns:
        An instance of the subclass of APIError for the code or the status.

    Example:
        >>> error = error_from(429, {"Retry-After": "3"}, b'{"error": {"message": "Slow down."}}')
        >>> type(error).__name__, error.retry_after, str(error)
        ('RateLimitError', 3.0, 'Slow down: ask again in 3 s')
    """
    raw = json_of(body)
    envelope = object_of(raw).get("error")
    inner = envelope if isinstance(envelope, dict) else object_of(raw)
    code = (text_of(inner.get("code")) or "").strip().lower() or None
    message = text_of(envelope) or text_of(inner.get("message")) or text_of(inner.get("detail")) or ""
    retryable = inner.get("retryable")
    kind = KIND_BY_CODE.get(code or "") or _kind_by_status(status)
    error = kind(
        "",
        status_code=status,
        code=code,
        details=inner.get("details"),
        retryable=retryable if isinstance(retryable, bool) else None,
        retry_after=retry_after_of(headers, raw),
        reset_at=time_of(object_of(object_of(raw).get("meta")).get("reset_at")),
        body=raw,
    )
    if isinstance(error, errors.IdempotencyConflictError) and error.in_flight and not isinstance(retryable, bool):
        error.retryable = True
    error.args = (_message(error, one_line(message), raw),)
    return error


def _kind_by_status(status: int) -> type[errors.APIError]:
    return errors.ServerError if status >= 500 else KIND_BY_STATUS.get(status, errors.APIError)


def _message(error: errors.APIError, sent_message: str, raw: object) -> str:
    """Return one line: the message of the service, its meaning, and what to do."""
    if not sent_message and isinstance(raw, bytes):
        sent_message = one_line(raw.decode("utf-8", "replace"))
    sent_message = sent_message or f"CodeVF answered with status {error.status_code}"
    meaning = next((means(error) for kind, means in MEANINGS.items() if isinstance(error, kind)), "")
    return f"{sent_message.rstrip('.')}: {meaning}" if meaning else f"{sent_message} (status {error.status_code})"


def _credits(error: Any) -> str:
    ways = "lower max_credits, choose a cheaper mode or tag, or top up"
    if error.available is None or error.required is None:
        return ways
    available, required = (f"{amount.normalize():,f}" for amount in (error.available, error.required))
    return f"{available} credits are available and this holds {required}; {ways}"


def _key(error: Any) -> str:
    verdict = "lacks the right for this call" if error.status_code == 403 else "was not accepted"
    return f"the API key {verdict} (status {error.status_code}); check CODEVF_API_KEY, or make a new key"


def _fields(error: Any) -> str:
    return "; ".join(one_line(str(entry)) for entry in error.errors)


def _rate(error: Any) -> str:
    limit = object_of(object_of(error.body).get("meta")).get("limit")
    when = "in a moment" if error.retry_after is None else f"in {error.retry_after:g} s"
    return f"ask again {when}" + (f" (the limit is {one_line(limit)})" if isinstance(limit, str) else "")


def _conflict(error: Any) -> str:
    if error.in_flight:
        return "the first request with this key is still running; the same call gives its task in a moment"
    return "the idempotency key belongs to another request; use a new key, or the first request unchanged"


def _server(error: Any) -> str:
    return f"CodeVF failed (status {error.status_code}); the same call, with the same key, is safe to repeat"


MEANINGS: dict[type[errors.APIError], Callable[[Any], str]] = {
    errors.InsufficientCreditsError: _credits,
    errors.AuthenticationError: _key,
    errors.BadRequestError: _fields,
    errors.RateLimitError: _rate,
    errors.IdempotencyConflictError: _conflict,
    errors.ServerError: _server,
}
