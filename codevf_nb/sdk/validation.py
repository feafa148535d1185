"""The rules that a request is held to before it is sent; a breach raises what the service would have raised.

Every function returns the value in the form that travels. Nothing is sent when one of them raises, and the
error's `status_code` is None. The numbers stand in `limits`.
"""

from __future__ import annotations

import math
import operator
import re
import uuid
from collections.abc import Mapping
from typing import Any, NoReturn

from codevf_nb.sdk.exceptions import (
    AuthenticationError,
    BadRequestError,
    InvalidMetadataError,
    InvalidTagError,
    PayloadTooLargeError,
)
from codevf_nb.sdk.files import mime_type_for, normalize_attachments
from codevf_nb.sdk.limits import CREDITS, MAX_BODY_BYTES, PROMPT_LENGTH
from codevf_nb.sdk.models import ServiceMode
from codevf_nb.sdk.secret import Secret

__all__ = [
    "mime_type_for",
    "normalize_attachments",
    "validate_api_key",
    "validate_body",
    "validate_credits",
    "validate_idempotency_key",
    "validate_metadata",
    "validate_mode",
    "validate_project_id",
    "validate_prompt",
    "validate_resource_id",
    "validate_schema",
    "validate_tag_id",
]

_UUID4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", re.IGNORECASE)


def _refuse(
    field: str, message: str, kind: type[BadRequestError] = BadRequestError, code: str | None = None
) -> NoReturn:
    details = {"errors": [{"field": field, "message": message}]}
    raise kind(f"{field} {message}", code=code or "invalid_request", details=details)


def validate_prompt(prompt: str) -> str:
    """A prompt of 10 to 10,000 characters (documented); blanks at the ends don't make a short one longer."""
    least, most = PROMPT_LENGTH
    if not isinstance(prompt, str):
        _refuse("prompt", f"is {_kind(prompt)}; it must be text of {least} to {most:,} characters")
    if len(prompt.strip()) < least:
        _refuse(
            "prompt",
            f"has {len(prompt.strip())} characters; at least {least} are needed: say what to look at",
        )
    if len(prompt) > most:
        _refuse("prompt", f"has {len(prompt):,} characters; at most {most:,} are taken: attach the rest as a file")
    return _encodable("prompt", prompt)


def validate_mode(mode: str) -> ServiceMode:
    """One of realtime_answer, fast, standard (documented), else InvalidModeError."""
    return ServiceMode.of(mode)


def validate_credits(max_credits: int, mode: str = ServiceMode.STANDARD) -> int:
    """Whole credits within the mode's range (published, unverified; 60 to 115,200 overall is documented)."""
    mode = validate_mode(mode)
    least, most = (max(CREDITS[0], mode.credit_range[0]), min(CREDITS[1], mode.credit_range[1]))
    number = _whole(max_credits)
    if number is None:
        _refuse("max_credits", f"is {max_credits!r}; a whole number from {least} to {most:,} is needed")
    if not least <= number <= most:
        _refuse("max_credits", f"{number:,} is out of range: mode {mode} takes {least} to {most:,} credits")
    return number


def validate_project_id(project_id: int) -> int:
    """The number of a project, as `client.projects.create(name).id` gives it."""
    number = _whole(project_id)
    if number is None or number < 0:
        _refuse("project_id", f"is {project_id!r}; it must be the number from client.projects.create(name).id")
    return number


def validate_tag_id(tag_id: int) -> int:
    """The number of a tag, as `client.tags.list()` gives it; else InvalidTagError."""
    number = _whole(tag_id)
    if number is None or number < 0:
        message = f"is {tag_id!r}; it must be the id of one of client.tags.list()"
        _refuse("tag_id", message, InvalidTagError, "invalid_tag")
    return number


def validate_metadata(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """A flat object of text keys to text, numbers, true/false or None (published, unverified)."""
    if not isinstance(metadata, Mapping):
        _refuse_metadata("metadata", f"is {_kind(metadata)}; it must be a mapping of names to values")
    for name, value in metadata.items():
        where = f"metadata[{name!r}]"
        if not isinstance(name, str):
            _refuse_metadata(where, f"has a key that is {_kind(name)}; keys must be text")
        if value is not None and not isinstance(value, str | int | float):
            _refuse_metadata(where, f"is {_kind(value)}; values must be text, numbers, true/false or None, not nested")
        if isinstance(value, float) and not math.isfinite(value):
            _refuse_metadata(where, f"is {value!r}, which JSON can't express; leave it out or use None")
        _encodable(where, name, InvalidMetadataError)
        _encodable(where, value if isinstance(value, str) else "", InvalidMetadataError)
    return dict(metadata)


def _refuse_metadata(field: str, message: str) -> NoReturn:
    _refuse(field, message, InvalidMetadataError, "invalid_metadata")


def validate_idempotency_key(key: str | uuid.UUID) -> str:
    """A UUID (documented) of version 4 (published, unverified), in lower case."""
    text = str(key)
    if not _UUID4.fullmatch(text):
        _refuse("idempotency_key", f"{key!r} is not a UUID of version 4; uuid.uuid4() makes one")
    return text.lower()


def validate_schema(schema: Any) -> dict[str, Any]:
    """The JSON Schema that an answer shall have, from anything that `to_json_schema` takes."""
    from codevf_nb.sdk.schemas import check_schema, to_json_schema

    return check_schema(to_json_schema(schema))


def validate_resource_id(value: str, what: str = "task_id") -> str:
    """An id that can stand in an address: text that is not empty and not only dots."""
    if not isinstance(value, str) or not value.strip() or not value.strip("."):
        _refuse(what, f"is {value!r}; an id such as 'task_abc123' is needed")
    return _encodable(what, value)


def validate_body(body: bytes) -> bytes:
    """A request's bytes, no more than an assumed limit of 100 MiB; else PayloadTooLargeError."""
    if len(body) > MAX_BODY_BYTES:
        raise PayloadTooLargeError(
            f"the request has {len(body):,} bytes; at most {MAX_BODY_BYTES:,} are sent: attach less",
            code="payload_too_large",
        )
    return body


def validate_api_key(key: str | Secret | None) -> str:
    """A key that can stand in a header. No message shows the key, and nothing is stripped silently."""
    complaint = _complaint_about_key(key.reveal() if isinstance(key, Secret) else key)
    if complaint is None:
        return key.reveal() if isinstance(key, Secret) else str(key)
    del key  # so that no traceback shows it among the locals
    raise AuthenticationError(complaint)


def _complaint_about_key(key: Any) -> str | None:
    if not key:
        return "no API key: pass api_key=… or set CODEVF_API_KEY"
    if not isinstance(key, str):
        return f"the API key is {_kind(key)}; it must be text"
    for position, char in enumerate(key, 1):
        if not "!" <= char <= "~":
            names = {"\n": "a line break", "\r": "a line break", " ": "a space", "\t": "a tab"}
            name = names.get(char, f"character U+{ord(char):04X}")
            where = f"position {position} of {len(key)}"
            return f"the API key has {name} at {where}; it must be printable ASCII: set CODEVF_API_KEY again"
    return None


def _whole(value: Any) -> int | None:
    """Whole numbers of any library; a bool is none."""
    try:
        return None if isinstance(value, bool) else operator.index(value)
    except TypeError:
        return None


def _kind(value: Any) -> str:
    return "None" if value is None else f"of type {type(value).__name__}"


def _encodable(field: str, text: str, kind: type[BadRequestError] = BadRequestError) -> str:
    """Text that UTF-8 can carry: half of a surrogate pair can't travel."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        position = error.start
    else:
        return text
    _refuse(field, f"has half a surrogate pair at position {position}, which can't be sent as UTF-8", kind)
