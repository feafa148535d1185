"""HTTP messages as plain values: a request that arrived, and a reply to send."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from codevf_nb.sandbox._errors import ApiError

JSON_TYPE = "application/json; charset=utf-8"


@dataclass
class Request:
    """A complete request. Header names are in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes = b""


@dataclass
class Reply:
    """A complete reply."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


def json_reply(status: int, value: object, headers: dict[str, str] | None = None) -> Reply:
    """Return a reply with a JSON body."""
    return Reply(status, json.dumps(value).encode(), {"Content-Type": JSON_TYPE, **(headers or {})})


def error_reply(error: ApiError) -> Reply:
    """Return the reply for an error."""
    return json_reply(error.status, error.envelope, error.headers)
