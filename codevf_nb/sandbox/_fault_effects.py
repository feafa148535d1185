"""What a fault makes of a reply: the one place where the sandbox answers wrongly on purpose."""

from __future__ import annotations

import json
from datetime import datetime

from codevf_nb.sandbox import _errors as errors
from codevf_nb.sandbox._app import (
    JSON_TYPE,
    Reply,
    Request,
    error_reply,
)
from codevf_nb.sandbox._faults import Fault

CODES = {
    400: "INVALID_REQUEST",
    401: "UNAUTHORIZED",
    402: "INSUFFICIENT_CREDITS",
    403: "insufficient_scope",
    404: "NOT_FOUND",
    408: "REQUEST_TIMEOUT",
    409: "idempotency_conflict",
    413: "payload_too_large",
    429: "RATE_LIMITED",
    500: "INTERNAL_ERROR",
    502: "BAD_GATEWAY",
    503: "SERVICE_UNAVAILABLE",
    504: "GATEWAY_TIMEOUT",
}


def befall(fault: Fault, reply: Reply | None, request: Request, now: datetime) -> Reply | None:
    """The reply that is really sent, None for a dropped connection; no `reply`: nothing was committed."""
    if fault.action == "drop":
        return None
    if fault.action == "status":
        status = int(fault.arg or 500)
        return error_reply(errors.ApiError(status, CODES.get(status, f"STATUS_{status}"), "A fault that was asked for"))
    if fault.action == "429":
        return error_reply(errors.rate_limited(now, 1.0, 1.0, carry=fault.arg or "both"))
    if fault.action == "301":
        return Reply(301, b"", {"Location": fault.arg or request.path, "Content-Type": "text/html"})
    if reply is not None and fault.action in _SHAPES:
        return Reply(reply.status, *_SHAPES[fault.action](reply, fault))
    return reply


def _malformed(reply: Reply, fault: Fault) -> tuple[bytes, dict[str, str]]:
    del fault
    return reply.body[:-1] + b",,", reply.headers


def _wrong_type(reply: Reply, fault: Fault) -> tuple[bytes, dict[str, str]]:
    del reply, fault
    return b"<html><body>Please sign in to this network.</body></html>", {"Content-Type": "text/html; charset=utf-8"}


def _set(reply: Reply, fault: Fault) -> tuple[bytes, dict[str, str]]:
    merged = {**json.loads(reply.body), **json.loads(fault.arg or "{}")}
    return json.dumps(merged).encode(), {**reply.headers, "Content-Type": JSON_TYPE}


_SHAPES = {"malformed": _malformed, "wrong-type": _wrong_type, "set": _set}
