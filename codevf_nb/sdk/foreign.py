"""Reading foreign values. Whatever comes in, nothing here raises: what can't be read is None."""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from email.utils import parsedate_to_datetime
from typing import Any

MESSAGE_LENGTH = 300
_KEY = re.compile(r"(cvf_(?:live|test)_)[A-Za-z0-9_\-]+")
_ID = re.compile(r'"(?:id|taskId|task_id)"\s*:\s*"([^"\\\s]{1,200})"')
_TASK_ID = re.compile(r"\btask_[A-Za-z0-9_\-]{1,190}")
_ID_NAMES = ("id", "taskId", "task_id")
_ENVELOPES = ("task", "data", "result", "response")


def json_of(body: bytes) -> Any:
    """The JSON in a body, or the body itself where it holds none."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return body


def decimal_of(value: Any) -> Decimal | None:
    """A finite number, also one written as text."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        return None
    try:
        number = Decimal(str(value).strip())
    except (InvalidOperation, ValueError):  # ValueError: an int of more digits than Python prints
        return None
    # A number past these sizes is no amount of credits, and would fill the memory when written out.
    return number if number.is_finite() and abs(number.adjusted()) < 30 else None


def whole_of(value: Any) -> int | None:
    """A whole number; decimals are rounded up, since a limit is never understated."""
    number = decimal_of(value)
    return None if number is None else math.ceil(number)


def text_of(value: Any) -> str | None:
    """A text, or a number as text."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return str(value)
    except ValueError:
        return None


def flag_of(value: Any, *, default: bool) -> bool:
    """A truth value, also 0, 1, "true" and "false"."""
    if isinstance(value, str):
        return {"true": True, "1": True, "false": False, "0": False}.get(value.strip().lower(), default)
    return bool(value) if isinstance(value, int) else default


def time_of(value: Any) -> datetime | None:
    """An ISO 8601 time, in UTC; one without a zone is taken for UTC."""
    if not isinstance(value, str):
        return None
    try:
        time = datetime.fromisoformat(value.strip())
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def http_time_of(value: Any) -> datetime | None:
    """The time in a Date or Retry-After header, in UTC."""
    if not isinstance(value, str):
        return None
    try:
        time = parsedate_to_datetime(value)
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def items_of(value: Any) -> list[Any]:
    """The entries of a list; anything else has none."""
    return value if isinstance(value, list) else []


def object_of(value: Any) -> dict[str, Any]:
    """A JSON object; anything else is an empty one."""
    return value if isinstance(value, dict) else {}


def unwrapped(raw: Any, *names: str) -> dict[str, Any]:
    """The object that holds one of the names: the answer itself, or one just inside it."""
    candidates = [raw, *object_of(raw).values()] if isinstance(raw, dict) else items_of(raw)[:1]
    found = (entry for entry in candidates if isinstance(entry, dict) and any(name in entry for name in names))
    return next(found, {})


def header_of(headers: Mapping[str, Any] | None, name: str) -> str | None:
    """A header, whatever the case it was written in."""
    for key, value in (headers or {}).items():
        if str(key).lower() == name.lower():
            return str(value)
    return None


def retry_after_of(headers: Mapping[str, Any] | None, raw: Any = None) -> float | None:
    """Seconds to stay away: the Retry-After header (seconds or a date), else `meta.retry_after`."""
    said = header_of(headers, "Retry-After")
    seconds = decimal_of(said)
    if seconds is None and (until := http_time_of(said)) is not None:
        now = http_time_of(header_of(headers, "Date")) or datetime.now(UTC)
        return max(0.0, (until - now).total_seconds())
    if seconds is None:
        seconds = decimal_of(object_of(object_of(raw).get("meta")).get("retry_after"))
    return None if seconds is None else max(0.0, float(seconds))


def task_object_of(raw: Any) -> dict[str, Any]:
    """The object that speaks of the task: the answer, or one in an envelope of it; the one with an id first."""
    outer = items_of(raw)[0] if isinstance(raw, list) and raw else raw
    candidates = [object_of(outer), *(object_of(object_of(outer).get(name)) for name in _ENVELOPES)]
    return next((entry for entry in candidates if _named_id(entry)), candidates[0])


def _named_id(entry: dict[str, Any]) -> str | None:
    return next((found for name in _ID_NAMES if (found := (text_of(entry.get(name)) or "").strip())), None)


def task_id_of(raw: Any) -> str | None:
    """The id in an answer, wherever it hides: a paid task's id must not be lost.

    Looked for in the answer itself, then just inside it, then by its looks in text that is no JSON.
    """
    if isinstance(raw, bytes):
        text = raw.decode("utf-8", "replace")
        match = _ID.search(text)
        loose = _TASK_ID.search(text)
        return match.group(1) if match else loose.group(0) if loose else None
    if isinstance(raw, str):
        return raw if _TASK_ID.fullmatch(raw) else None
    return _named_id(task_object_of(raw))


def clean(text: str) -> str:
    """Foreign text for a message: one line, no control characters, no API key, not endless."""
    visible = "".join(char if unicodedata.category(char)[0] != "C" else " " for char in text[: 4 * MESSAGE_LENGTH])
    line = _KEY.sub(r"\1…", " ".join(visible.split()))
    return line if len(line) <= MESSAGE_LENGTH else line[: MESSAGE_LENGTH - 1] + "…"
