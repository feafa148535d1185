"""Checks of a request before it is sent. They raise the same exceptions as the responses of the service.

Every function returns the value in the form that is sent. If it raises, nothing was sent, and `status_code` is None.
The limits are in `limits`.
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
    """Check a prompt: 10 to 10,000 characters (documented), and at least 10 without the spaces at its ends.

    Raises:
        BadRequestError: The prompt is not valid.

    Example:
        >>> validate_prompt("Is this join dropping rows?")
        'Is this join dropping rows?'
    """
    least, most = PROMPT_LENGTH
    if not isinstance(prompt, str):
        _refuse("prompt", f"is {_kind(prompt)}; it must be text of {least} to {most:,} characters")
    if len(prompt.strip()) < least:
        _refuse(
            "prompt",
            f"has {len(prompt.strip())} characters; at least {least} are required: describe what to look at",
        )
    if len(prompt) > most:
        _refuse("prompt", f"has {len(prompt):,} characters; at most {most:,} are allowed: attach the rest as a file")
    return _encodable("prompt", prompt)


def validate_mode(mode: str) -> ServiceMode:
    """Check a mode: realtime_answer, fast or standard (documented).

    Raises:
        InvalidModeError: The mode does not exist.

    Example:
        >>> validate_mode("fast")
        <ServiceMode.FAST: 'fast'>
    """
    return ServiceMode.of(mode)


def validate_credits(max_credits: int, mode: str = ServiceMode.STANDARD) -> int:
    """Check credits: a whole number in the range of the mode.

    60 to 115,200 is documented. The ranges of the modes are published, unverified.

    Raises:
        BadRequestError: The number is not whole, or not in the range.
        InvalidModeError: The mode does not exist.

    Example:
        >>> validate_credits(240, "fast")
        240
    """
    mode = validate_mode(mode)
    least, most = (max(CREDITS[0], mode.credit_range[0]), min(CREDITS[1], mode.credit_range[1]))
    number = _whole(max_credits)
    if number is None:
        _refuse("max_credits", f"is {max_credits!r}; a whole number from {least} to {most:,} is required")
    if not least <= number <= most:
        _refuse("max_credits", f"{number:,} is out of range: mode {mode} takes {least} to {most:,} credits")
    return number


def validate_project_id(project_id: int) -> int:
    """Check the id of a project, as `client.projects.create(name).id` returns it.

    Raises:
        BadRequestError: The id is not a whole number from 0.

    Example:
        >>> validate_project_id(7)
        7
    """
    number = _whole(project_id)
    if number is None or number < 0:
        _refuse("project_id", f"is {project_id!r}; it must be the number from client.projects.create(name).id")
    return number


def validate_tag_id(tag_id: int) -> int:
    """Check the id of a tag, as `client.tags.list()` returns it.

    Raises:
        InvalidTagError: The id is not a whole number from 0.

    Example:
        >>> validate_tag_id(1)
        1
    """
    number = _whole(tag_id)
    if number is None or number < 0:
        message = f"is {tag_id!r}; it must be the id of one of client.tags.list()"
        _refuse("tag_id", message, InvalidTagError, "invalid_tag")
    return number


def validate_metadata(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Check metadata: text keys with text, numbers, true/false or None (published, unverified).

    Raises:
        InvalidMetadataError: A key or a value is not valid.

    Example:
        >>> validate_metadata({"team": "data", "urgent": True})
        {'team': 'data', 'urgent': True}
    """
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
    """Check an idempotency key: a UUID (documented) of version 4 (published, unverified).

    Returns:
        The key in lower case.

    Raises:
        BadRequestError: The key is not such a UUID.

    Example:
        >>> validate_idempotency_key("5F0C7A1E-8A52-4B61-9C55-0D6F3F6B1C11")
        '5f0c7a1e-8a52-4b61-9c55-0d6f3f6b1c11'
    """
    text = str(key)
    if not _UUID4.fullmatch(text):
        _refuse("idempotency_key", f"{key!r} is not a UUID of version 4; uuid.uuid4() makes one")
    return text.lower()


def validate_schema(schema: object) -> dict[str, Any]:
    """Return the JSON Schema of an answer, from anything that `to_json_schema` accepts.

    Raises:
        BadRequestError: There is no valid schema.

    Example:
        >>> validate_schema({"line": int})["required"]
        ['line']
    """
    from codevf_nb.sdk.schemas import check_schema, to_json_schema

    return check_schema(to_json_schema(schema))


def validate_resource_id(value: str, what: str = "task_id") -> str:
    """Check an id that is a part of a path: a text that is not empty and not only dots."""
    if not isinstance(value, str) or not value.strip() or not value.strip("."):
        _refuse(what, f"is {value!r}; an id such as 'task_abc123' is required")
    return _encodable(what, value)


def validate_body(body: bytes) -> bytes:
    """Check the size of a request: at most 100 MiB (assumed). Raise PayloadTooLargeError if it is larger."""
    if len(body) > MAX_BODY_BYTES:
        raise PayloadTooLargeError(
            f"the request has {len(body):,} bytes; at most {MAX_BODY_BYTES:,} are sent: attach less",
            code="payload_too_large",
        )
    return body


def validate_api_key(key: str | Secret | None) -> str:
    """Check an API key: printable ASCII. The key is never changed, and no message contains it.

    Raises:
        AuthenticationError: The key is missing or not valid.

    Example:
        >>> validate_api_key("cvf_test_example")
        'cvf_test_example'
    """
    problem = _problem_with_key(key.reveal() if isinstance(key, Secret) else key)
    if problem is None:
        return key.reveal() if isinstance(key, Secret) else str(key)
    del key  # so that no traceback shows it among the locals
    raise AuthenticationError(problem)


def _problem_with_key(key: object) -> str | None:
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
    """Return a whole number of any library as an int, or None. A bool is not a number."""
    try:
        return None if isinstance(value, bool) else operator.index(value)
    except TypeError:
        return None


def _kind(value: object) -> str:
    return "None" if value is None else f"of type {type(value).__name__}"


def _encodable(field: str, text: str, kind: type[BadRequestError] = BadRequestError) -> str:
    """Check that a text can be encoded as UTF-8: half of a surrogate pair can't."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        position = error.start
    else:
        return text
    _refuse(field, f"has half a surrogate pair at position {position}, which can't be sent as UTF-8", kind)
