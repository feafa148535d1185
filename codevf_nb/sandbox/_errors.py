"""The errors of the API as exceptions, and their JSON envelope."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from codevf_nb.sandbox._clock import iso, number

INVALID_REQUEST = "INVALID_REQUEST"


class SandboxError(Exception):
    """The sandbox was configured or used wrongly. The message is one line."""


class ApiError(Exception):
    """An error response of the API: the HTTP status, the parts of the envelope, and additional headers."""

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
        """The JSON body. Missing parts are left out, and the order is that of the documentation."""
        error: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.details is not None:
            error["details"] = self.details
        if self.retryable is not None:
            error["retryable"] = self.retryable
        return {"error": error} if self.meta is None else {"error": error, "meta": self.meta}


@dataclass(frozen=True)
class Problem:
    """One problem of a request: the field, a message, and a specific code if there is one."""

    field: str
    message: str
    code: str = INVALID_REQUEST


def invalid(problems: Iterable[Problem]) -> ApiError:
    """Return the error 400 with a list of fields. The envelope has a specific code if all problems have it."""
    listed = list(problems)
    codes = {problem.code for problem in listed}
    details = {"errors": [{"field": problem.field, "message": problem.message} for problem in listed]}
    return ApiError(400, codes.pop() if len(codes) == 1 else INVALID_REQUEST, "Validation failed", details=details)


def unauthorized(reason: str = "") -> ApiError:
    """Return the error 401 with the message of the documentation and a reason."""
    return ApiError(
        401,
        "UNAUTHORIZED",
        "Invalid or missing API key" + (f": {reason}" if reason else ""),
        headers={"WWW-Authenticate": "Bearer"},
    )


def insufficient_credits(available: Decimal, required: Decimal) -> ApiError:
    """Return the error 402 with the available and the required credits."""
    details = {"available": number(available), "required": number(required)}
    return ApiError(402, "INSUFFICIENT_CREDITS", "Not enough credits to complete this operation", details=details)


def not_found(what: str) -> ApiError:
    """Return the error 404 for a path, a project or a task that the account does not have."""
    return ApiError(404, "NOT_FOUND", f"{what} not found")


def not_cancellable(status: str) -> ApiError:
    """Return the error 400 for cancelling a final task [A]. The documentation uses 409 for idempotency keys."""
    return ApiError(
        400,
        "TASK_NOT_CANCELLABLE",
        f"Only a pending or processing task can be cancelled; this one is {status}",
    )


def idempotency_conflict(why: str) -> ApiError:
    """Return the error 409 for an idempotency key of another request."""
    return ApiError(409, "idempotency_conflict", why)


def idempotency_in_flight() -> ApiError:
    """Return the error 409 for an idempotency key whose first request is not answered yet [A]."""
    message = "A request with this idempotency key is still in flight; send it again in a moment"
    return ApiError(409, "idempotency_in_flight", message, retryable=True)


def payload_too_large(limit: int) -> ApiError:
    """Return the error 413 for a body above the limit, in bytes."""
    return ApiError(413, "payload_too_large", f"The request body is larger than {limit} bytes")


def rate_limited(now: datetime, wait: float, rate: float, *, carry: str = "both") -> ApiError:
    """Return the error 429 with the seconds to wait in the `header`, in the `meta`, in `both` or in `none`."""
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
