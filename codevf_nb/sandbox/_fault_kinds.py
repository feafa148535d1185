"""The table of faults: when each one acts, which argument it takes, and what it does to the reply.

A new fault is one row of `FAULT_KINDS`, and one row of the table in README.md.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from codevf_nb.sandbox._errors import ApiError, rate_limited
from codevf_nb.sandbox._messages import JSON_TYPE, Reply, Request, error_reply

DRIP_SECONDS = 5.0
ERROR_CODES = {
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


class Moment(StrEnum):
    """Whether a fault acts before or after the operation is committed."""

    BEFORE = "before"
    AFTER = "after"


class Scope(StrEnum):
    """Which part of a call a fault changes."""

    REPLACES_REPLY = "replaces"  # at either moment; before the commit, the operation is not carried out
    CHANGES_REPLY = "changes"  # only after the commit: there is no reply before it
    DELAYS = "delays"  # at either moment; the operation is always carried out


@dataclass(frozen=True)
class Argument:
    """The text after `=`: which texts are valid, and whether it may be left out."""

    is_valid: Callable[[str], bool]
    example: str
    is_required: bool = False


@dataclass(frozen=True)
class Delivery:
    """What is written to the connection.

    Without a `reply` the connection is closed. `cut_at` closes it after that many bytes of the body.
    `drip_seconds` is the time in which the body is written, byte by byte.
    """

    reply: Reply | None
    cut_at: int | None = None
    drip_seconds: float | None = None


@dataclass(frozen=True)
class FaultyCall:
    """The call that a fault acts on. `reply` is the correct reply; its body is empty if nothing was committed."""

    reply: Reply
    request: Request
    now: datetime
    argument: str


@dataclass(frozen=True)
class FaultKind:
    """One row: the default moment, the argument (None takes none), and the effect on the reply."""

    moment: Moment
    scope: Scope
    effect: Callable[[FaultyCall], Delivery]
    argument: Argument | None = None


def _reply_unchanged(call: FaultyCall) -> Delivery:
    return Delivery(call.reply)


def _reply_status(call: FaultyCall) -> Delivery:
    status = int(call.argument)
    code = ERROR_CODES.get(status, f"STATUS_{status}")
    return Delivery(error_reply(ApiError(status, code, "A fault that was asked for")))


def _reply_rate_limited(call: FaultyCall) -> Delivery:
    return Delivery(error_reply(rate_limited(call.now, 1.0, 1.0, carry=call.argument or "both")))


def _reply_redirect(call: FaultyCall) -> Delivery:
    return Delivery(Reply(301, b"", {"Location": call.argument or call.request.path, "Content-Type": "text/html"}))


def _drop(call: FaultyCall) -> Delivery:
    del call
    return Delivery(None)


def _truncate(call: FaultyCall) -> Delivery:
    return Delivery(call.reply, cut_at=len(call.reply.body) // 2)


def _drip(call: FaultyCall) -> Delivery:
    return Delivery(call.reply, drip_seconds=float(call.argument or DRIP_SECONDS))


def _break_json(call: FaultyCall) -> Delivery:
    return Delivery(Reply(call.reply.status, call.reply.body[:-1] + b",,", call.reply.headers))


def _reply_html(call: FaultyCall) -> Delivery:
    page = b"<html><body>Please sign in to this network.</body></html>"
    return Delivery(Reply(call.reply.status, page, {"Content-Type": "text/html; charset=utf-8"}))


def _set_fields(call: FaultyCall) -> Delivery:
    merged = {**json.loads(call.reply.body), **json.loads(call.argument)}
    headers = {**call.reply.headers, "Content-Type": JSON_TYPE}
    return Delivery(Reply(call.reply.status, json.dumps(merged).encode(), headers))


def _is_status(text: str) -> bool:
    return text.isdecimal() and 200 <= int(text) <= 599


def _is_seconds(text: str) -> bool:
    return re.fullmatch(r"\d{1,5}(\.\d+)?", text) is not None


def _is_json_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


FAULT_KINDS: dict[str, FaultKind] = {
    "status": FaultKind(
        Moment.BEFORE, Scope.REPLACES_REPLY, _reply_status, Argument(_is_status, "503", is_required=True)
    ),
    "429": FaultKind(
        Moment.BEFORE,
        Scope.REPLACES_REPLY,
        _reply_rate_limited,
        Argument(lambda text: text in {"both", "header", "meta", "none"}, "header"),
    ),
    "301": FaultKind(
        Moment.BEFORE, Scope.REPLACES_REPLY, _reply_redirect, Argument(str.isprintable, "https://example.invalid/")
    ),
    "drop": FaultKind(Moment.BEFORE, Scope.REPLACES_REPLY, _drop),
    "delay": FaultKind(Moment.AFTER, Scope.DELAYS, _reply_unchanged, Argument(_is_seconds, "0.2", is_required=True)),
    "truncate": FaultKind(Moment.AFTER, Scope.CHANGES_REPLY, _truncate),
    "malformed": FaultKind(Moment.AFTER, Scope.CHANGES_REPLY, _break_json),
    "wrong-type": FaultKind(Moment.AFTER, Scope.CHANGES_REPLY, _reply_html),
    "slow-drip": FaultKind(Moment.AFTER, Scope.CHANGES_REPLY, _drip, Argument(_is_seconds, "0.2")),
    "set": FaultKind(
        Moment.AFTER, Scope.CHANGES_REPLY, _set_fields, Argument(_is_json_object, '{"new": 1}', is_required=True)
    ),
}
