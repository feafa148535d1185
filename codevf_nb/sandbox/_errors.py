"""The API's errors as exceptions, and the envelope they travel in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from codevf_nb.sandbox._clock import iso, number

INVALID_REQUEST = "INVALID_REQUEST"


class SandboxError(Exception):
    """The sandbox was set up or driven wrongly; the message is one line for a person."""


class ApiError(Exception):
    """An error that the API answers with: an HTTP status, the envelope's parts and extra headers."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        details: dict[str, Any] | None = None,
        meta: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
        retryable: bool | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.details = details
        self.meta = meta
        self.headers = headers or {}
        self.retryable = retryable

    @property
    def envelope(self) -> dict[str, Any]:
        """The JSON body, with only the parts that there are, in the documents' order."""
        error: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.details is not None:
            error["details"] = self.details
        if self.retryable is not None:
            error["retryable"] = self.retryable
        return {"error": error} if self.meta is None else {"error": error, "meta": self.meta}


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a request: the field, a sentence, the specific code if there is one."""

    field: str
    message: str
    code: str = INVALID_REQUEST


def invalid(problems: Iterable[Problem]) -> ApiError:
    """400 with the list of fields; a specific code stands in the envelope only if all problems share it."""
    listed = list(problems)
    codes = {problem.code for problem in listed}
    details = {"errors": [{"field": problem.field, "message": problem.message} for problem in listed]}
    return ApiError(400, codes.pop() if len(codes) == 1 else INVALID_REQUEST, "Validation failed", details=details)


def unauthorized(reason: str = "") -> ApiError:
    """401, in the documents' words; a reason is added to them."""
    return ApiError(
        401,
        "UNAUTHORIZED",
        "Invalid or missing API key" + (f": {reason}" if reason else ""),
        headers={"WWW-Authenticate": "Bearer"},
    )


def insufficient_credits(available: Decimal, required: Decimal) -> ApiError:
    """402 with what there is and what the hold needs, in credits."""
    details = {"available": number(available), "required": number(required)}
    return ApiError(402, "INSUFFICIENT_CREDITS", "Not enough credits to complete this operation", details=details)


def not_found(what: str) -> ApiError:
    """404 for a path, a project or a task that this account doesn't have."""
    return ApiError(404, "NOT_FOUND", f"{what} not found")


def not_cancellable(status: str) -> ApiError:
    """400 for cancelling what has ended otherwise [A]: 409 is the idempotency keys' in the documents' SDK."""
    return ApiError(
        400,
        "TASK_NOT_CANCELLABLE",
        f"Only a pending or processing task can be cancelled; this one is {status}",
    )


def idempotency_conflict(why: str) -> ApiError:
    """409 for an idempotency key that stands for something else."""
    return ApiError(409, "idempotency_conflict", why)


def idempotency_in_flight() -> ApiError:
    """409 for a key whose first request has not been answered yet: ask again [A]."""
    message = "A request with this idempotency key is still in flight; send it again in a moment"
    return ApiError(409, "idempotency_in_flight", message, retryable=True)


def payload_too_large(limit: int) -> ApiError:
    """413 for a body above the limit, in bytes."""
    return ApiError(413, "payload_too_large", f"The request body is larger than {limit} bytes")


def rate_limited(now: datetime, wait: float, rate: float, *, carry: str = "both") -> ApiError:
    """429 with the seconds to wait in the header, in the meta, in `both` or in `none` of them."""
    seconds = max(1, -int(-wait // 1))
    meta = {
        "retry_after": seconds,
        "reset_at": iso(now + timedelta(seconds=seconds)),
        "limit": f"{rate:g} req/sec",
    }
    return ApiError(
        429,
        "RATE_LIMITED",
        "Rate limit exceeded",
        meta=meta if carry in {"both", "meta"} else None,
        headers={"Retry-After": str(seconds)} if carry in {"both", "header"} else None,
    )
