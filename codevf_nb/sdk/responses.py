"""What a 2xx answer means: from its body to a model. No network, and no crash on odd data."""

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
    clean,
    cleaned,
    decimal_of,
    flag_of,
    header_of,
    http_time_of,
    items_of,
    json_of,
    object_of,
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
    """An HTTP answer that came back whole, before anybody has read meaning into it.

    `headers` are looked up in any case; `at` is the Date header in UTC; `attempt` counts from 1.
    """

    method: str
    path: str
    status: int
    headers: Headers
    body: bytes = field(repr=False)
    at: datetime | None = None
    attempt: int = 1

    @property
    def stay_away(self) -> float | None:
        """The seconds that a 429 says to stay away for, 0 where it names none; None for any other answer."""
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
    """The task in a 2xx answer. Whatever else it looks like, an id in it arrives.

    `task_id` is the id where the caller knows it already: WrongTaskError, where the answer names another one. Without
    any, UnreadableAnswerError carries the body.
    """
    raw = json_of(body) if isinstance(body, bytes) else cleaned(body)
    found = task_id_of(raw) or task_id
    if not found:
        raise _unreadable("task id", raw, status_code)
    if found != (task_id or found):
        why = f"{clean(task_id or '')} was asked about, and CodeVF answered about {clean(found)}"
        raise errors.WrongTaskError(f"{why}; nothing of that is recorded", status_code=status_code, body=raw)
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
    """Return the task in a stored response, without a network.

    Args:
        status: The HTTP status.
        headers: The response's headers, as far as they were kept.
        body: The response's body.
        task_id: The id where the response has none of its own, as after a cancellation.

    Raises:
        APIError: the response is a refusal: the same error that the client raised when it came.
    """
    if not 200 <= status < 300:
        raise error_from(status, headers, body)
    return parse_task(body, headers=headers, task_id=task_id, status_code=status)


def parse_project(body: bytes, *, status_code: int | None = None) -> Project:
    """The project in a 2xx answer; UnreadableAnswerError where it has no id."""
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
    """The balance in a 2xx answer; UnreadableAnswerError where not one amount can be read."""
    raw = json_of(body)
    fields = unwrapped(raw, "available", "onHold", "total")
    amounts = [decimal_of(fields.get(name)) for name in ("available", "onHold", "total")]
    if not any(amount is not None for amount in amounts):
        raise _unreadable("balance", raw, status_code)
    available, on_hold, total = amounts
    return CreditBalance(available, on_hold, total, at=http_time_of(header_of(headers, "Date")), raw=raw)


def parse_tags(body: bytes, *, status_code: int | None = None) -> list[Tag]:
    """The tags in a 2xx answer, in the service's order; a tag that can't be priced is left out and logged."""
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


def _mode(value: Any) -> str | None:
    mode = text_of(value)
    return ServiceMode.known(mode) or mode


def result_of(value: Any, schema: Any) -> Any:
    """What came as an answer: a person's in its envelope (TaskResult), or the data itself. Nothing of it is lost.

    It is judged by what came. Where data was asked for, an envelope is data if the schema says so.
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


def _is_asked_for(value: Any, schema: Any) -> bool:
    """Whether data that was asked for came, though it need not fit: text, and a bare envelope, have to."""
    is_envelope = isinstance(value, dict) and {"message"} <= value.keys() <= {"message", "deliverables"}
    return not (is_envelope or isinstance(value, str)) or not mismatches(value, schema)


def _deliverable(value: Any) -> TaskDeliverable | None:
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


def _unreadable(what: str, raw: Any, status_code: int | None) -> errors.UnreadableAnswerError:
    seen = clean(raw.decode("utf-8", "replace") if isinstance(raw, bytes) else repr(raw)) or "nothing"
    return errors.UnreadableAnswerError(
        f"CodeVF said yes, but no {what} can be found in its answer: {seen}",
        status_code=status_code,
        body=raw,
    )
