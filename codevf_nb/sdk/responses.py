"""Parsers for successful responses. They use no network, and accept unusual data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from logging import getLogger
from typing import Any

from codevf_nb.sdk import exceptions as errors
from codevf_nb.sdk.error_responses import error_from
from codevf_nb.sdk.models import (
    CreditBalance,
    Project,
    ServiceMode,
    Tag,
    TaskDeliverable,
    TaskResponse,
    TaskResult,
)
from codevf_nb.sdk.parsing import (
    decimal_of,
    flag_of,
    header_of,
    http_time_of,
    items_of,
    json_of,
    object_of,
    one_line,
    replace_unstorable,
    retry_after_of,
    task_id_of,
    task_object_of,
    text_of,
    time_of,
    unwrapped,
    whole_of,
)
from codevf_nb.sdk.schemas import mismatches
from codevf_nb.sdk.statuses import UNKNOWN_STATUS, TaskStatus

Headers = Mapping[str, str]
logger = getLogger("codevf_nb.sdk")


@dataclass(frozen=True)
class RawAnswer:
    """A complete HTTP response that was not parsed.

    Attributes:
        method: The method of the request.
        path: The path of the request, below the base URL.
        status: The HTTP status.
        headers: The headers. Upper and lower case are equal.
        body: The body.
        at: The Date header, in UTC.
        attempt: The number of the attempt in its call, from 1.
    """

    method: str
    path: str
    status: int
    headers: Headers
    body: bytes = field(repr=False)
    at: datetime | None = None
    attempt: int = 1

    @property
    def rate_limit_seconds(self) -> float | None:
        """The seconds to wait after a 429, or 0 if it has no hint. None for any other status."""
        if self.status != 429:
            return None
        return retry_after_of(self.headers, json_of(self.body)) or 0.0


def parse_task(
    body: bytes | dict[str, Any],
    *,
    headers: Headers | None = None,
    task_id: str | None = None,
    status_code: int | None = None,
) -> TaskResponse:
    """Parse the task in a 2xx response. Only the id is required.

    Args:
        body: The body of the response, or its parsed JSON.
        headers: The headers of the response.
        task_id: The id of the requested task, if it is known.
        status_code: The HTTP status, for the exceptions.

    Raises:
        UnreadableAnswerError: There is no id.
        WrongTaskError: The response has another id than `task_id`.

    Example:
        >>> task = parse_task(b'{"id": "task_1", "status": "completed", "result": {"message": "Yes."}}')
        >>> task.id, task.is_final, task.result.message
        ('task_1', True, 'Yes.')
    """
    raw = json_of(body) if isinstance(body, bytes) else replace_unstorable(body)
    found = task_id_of(raw) or task_id
    if not found:
        raise _unreadable("task id", raw, status_code)
    if found != (task_id or found):
        why = f"{one_line(task_id or '')} was requested, and CodeVF answered about {one_line(found)}"
        raise errors.WrongTaskError(f"{why}; the response is not recorded", status_code=status_code, body=raw)
    fields = task_object_of(raw)
    schema = fields.get("responseSchema")
    return TaskResponse(
        id=found,
        status=TaskStatus.of(text_of(fields.get("status")) or UNKNOWN_STATUS),
        mode=_mode(fields.get("mode")),
        max_credits=whole_of(fields.get("maxCredits")),
        tag_id_used=whole_of(fields.get("tagIdUsed")),
        expertise_multiplier=decimal_of(fields.get("expertiseMultiplier")),
        created_at=time_of(fields.get("createdAt")),
        credits_used=decimal_of(fields.get("creditsUsed")),
        result=result_of(fields.get("result"), schema),
        response_schema=schema,
        at=http_time_of(header_of(headers, "Date")),
        retry_after=retry_after_of(headers, raw),
        raw=raw,
    )


def task_from_stored(status: int, headers: Headers | None, body: bytes, *, task_id: str | None = None) -> TaskResponse:
    """Return the task in a stored response.

    Args:
        status: The HTTP status.
        headers: The headers that were stored.
        body: The body.
        task_id: The id of the task, for responses without an id, for example of a cancellation.

    Raises:
        APIError: The response is an error. The client raised the same exception when it received the response.
    """
    if not 200 <= status < 300:
        raise error_from(status, headers, body)
    return parse_task(body, headers=headers, task_id=task_id, status_code=status)


def parse_project(body: bytes, *, status_code: int | None = None) -> Project:
    """Parse the project in a 2xx response.

    Args:
        body: The body of the response.
        status_code: The HTTP status, for the exception.

    Raises:
        UnreadableAnswerError: There is no id.

    Example:
        >>> parse_project(b'{"id": 7, "name": "Reviews"}')
        Project(id=7, name='Reviews', description=None, created_at=None)
    """
    raw = json_of(body)
    fields = unwrapped(raw, "id")
    number = whole_of(fields.get("id"))
    if number is None:
        raise _unreadable("project id", raw, status_code)
    return Project(
        id=number,
        name=text_of(fields.get("name")) or "",
        description=text_of(fields.get("description")),
        created_at=time_of(fields.get("createdAt")),
        raw=raw,
    )


def parse_balance(body: bytes, *, headers: Headers | None = None, status_code: int | None = None) -> CreditBalance:
    """Parse the balance in a 2xx response.

    Args:
        body: The body of the response.
        headers: The headers of the response. Date is the time of the balance.
        status_code: The HTTP status, for the exception.

    Raises:
        UnreadableAnswerError: There is no amount.

    Example:
        >>> parse_balance(b'{"available": 760, "onHold": 240, "total": 1000}').available
        Decimal('760')
    """
    raw = json_of(body)
    fields = unwrapped(raw, "available", "onHold", "total")
    amounts = [decimal_of(fields.get(name)) for name in ("available", "onHold", "total")]
    if not any(amount is not None for amount in amounts):
        raise _unreadable("balance", raw, status_code)
    available, on_hold, total = amounts
    return CreditBalance(available, on_hold, total, at=http_time_of(header_of(headers, "Date")), raw=raw)


def parse_tags(body: bytes, *, status_code: int | None = None) -> list[Tag]:
    """Parse the tags in a 2xx response. A tag without an id or a cost multiplier is left out, with a log message.

    Args:
        body: The body of the response.
        status_code: The HTTP status, for the exception.

    Returns:
        The tags in the order of the service.

    Raises:
        UnreadableAnswerError: There is no list of tags.

    Example:
        >>> parse_tags(b'{"tags": [{"id": 1, "name": "engineer", "costMultiplier": "1.7"}]}')[0].cost_multiplier
        Decimal('1.7')
    """
    raw = json_of(body)
    listed = raw if isinstance(raw, list) else unwrapped(raw, "tags").get("tags")
    if not isinstance(listed, list):
        raise _unreadable("list of tags", raw, status_code)
    tags = [tag for entry in listed if (tag := _tag(object_of(entry))) is not None]
    if len(tags) < len(listed):
        logger.warning("%d of %d tags left out: no id or no cost multiplier", len(listed) - len(tags), len(listed))
    return sorted(tags, key=lambda tag: (tag.sort_order is None, tag.sort_order or 0))


def _tag(entry: dict[str, Any]) -> Tag | None:
    number, multiplier = whole_of(entry.get("id")), decimal_of(entry.get("costMultiplier"))
    if number is None or multiplier is None or multiplier < 0:
        return None
    name = text_of(entry.get("name")) or str(number)
    return Tag(
        id=number,
        name=name,
        display_name=text_of(entry.get("displayName")) or name,
        description=text_of(entry.get("description")),
        cost_multiplier=multiplier,
        is_active=flag_of(entry.get("isActive"), default=True),
        sort_order=whole_of(entry.get("sortOrder")),
        valid_from=time_of(entry.get("validFrom")),
        valid_to=time_of(entry.get("validTo")),
        is_deprecated=flag_of(entry.get("isDeprecated"), default=False),
        raw=entry,
    )


def _mode(value: object) -> str | None:
    mode = text_of(value)
    return ServiceMode.known(mode) or mode


def result_of(value: object, schema: object) -> Any:
    """Return the answer of a task: a `TaskResult` for a text with files, or the data. Every field is kept.

    The type is decided by the value. If data was requested, a value that fits the schema is data.
    """
    if value is None or (schema is not None and _is_asked_for(value, schema)):
        return value
    if isinstance(value, str):
        return TaskResult(value)
    if not isinstance(value, dict):
        return value
    message, files = text_of(value.get("message")), value.get("deliverables")
    named = tuple(found for entry in items_of(files) if (found := _deliverable(entry)) is not None)
    if message is None and not named:
        return value
    is_read = {"message": message is not None, "deliverables": isinstance(files, list) and len(named) == len(files)}
    more = {name: entry for name, entry in value.items() if entry is not None and not is_read.get(name)}
    return TaskResult(message, named, more)


def _is_asked_for(value: object, schema: object) -> bool:
    """Return whether a value is the requested data. Only a text or a plain envelope must fit the schema for this."""
    is_envelope = isinstance(value, dict) and {"message"} <= value.keys() <= {"message", "deliverables"}
    return not (is_envelope or isinstance(value, str)) or not mismatches(value, schema)


def _deliverable(value: object) -> TaskDeliverable | None:
    entry = {"url": value} if isinstance(value, str) else object_of(value)
    url, name = text_of(entry.get("url")) or "", text_of(entry.get("fileName"))
    if not (url or name):
        return None
    return TaskDeliverable(
        file_name=name or url.partition("?")[0].rpartition("/")[2],
        url=url,
        uploaded_at=time_of(entry.get("uploadedAt")),
        mime_type=text_of(entry.get("mimeType")),
    )


def _unreadable(what: str, raw: object, status_code: int | None) -> errors.UnreadableAnswerError:
    seen = one_line(raw.decode("utf-8", "replace") if isinstance(raw, bytes) else repr(raw)) or "nothing"
    return errors.UnreadableAnswerError(
        f"CodeVF answered successfully, but its response has no {what}: {seen}",
        status_code=status_code,
        body=raw,
    )
