"""Parsers for values that are not trusted. They return None for a value that can't be read; only `loads` raises."""

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
MOST_WHOLE = 2**63 - 1
_KEY = re.compile(r"(cvf_(?:live|test)_)[A-Za-z0-9_\-]+")
# Characters that databases or terminals refuse: half of a surrogate pair, and in PostgreSQL the character 0.
_BROKEN = re.compile("[\0\ud800-\udfff]")
_TOKEN = re.compile(r"""[\[{\]},]|"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)""", re.DOTALL)
# Deeper values in a response are kept as their JSON text, which every part of the program can handle.
DEEPEST = 100
_TASK_ID = re.compile(r"task_(?!id\Z)[A-Za-z0-9_\-]{1,190}")
_ENVELOPES = ("task", "data", "response")
# A task object has at least one of these fields besides its id.
_TASK_FIELDS = frozenset(
    [
        *("status", "mode", "maxCredits", "tagIdUsed", "expertiseMultiplier", "createdAt", "creditsUsed"),
        *("result", "responseSchema"),
    ]
)


def json_of(body: bytes) -> Any:
    """Return the JSON in a body, or the body itself if it is not JSON."""
    text = body.decode(json.detect_encoding(body), "replace")
    for readable in (text, _closed(text)):
        try:
            return loads(readable)
        except (ValueError, RecursionError):
            pass
    return body


def loads(text: str) -> Any:
    """Parse JSON that is not trusted. All texts in the result can be stored and displayed.

    Raises:
        ValueError: The text is not JSON.
        RecursionError: The JSON is nested too deeply.
    """
    shallow = _shallow(text)
    try:
        value = json.loads(shallow, strict=False)
    except ValueError:  # possibly a number with more digits than Python accepts
        value = json.loads(shallow, strict=False, parse_int=_whole_or_text)
    return replace_unstorable(value) if "\\u" in text or _BROKEN.search(text) else value


def replace_unstorable(value: object) -> Any:
    """Replace the characters in all texts of a JSON value that can't be stored or displayed by U+FFFD."""
    if isinstance(value, str):
        return _BROKEN.sub("\ufffd", value)
    if isinstance(value, dict):
        return {replace_unstorable(name): replace_unstorable(entry) for name, entry in value.items()}
    return [replace_unstorable(entry) for entry in value] if isinstance(value, list) else value


def _whole_or_text(digits: str) -> int | str:
    try:
        return int(digits)
    except ValueError:
        return digits


def _closed(text: str) -> str:
    """Close a JSON object that was cut off, after its last complete field."""
    depth, last = 0, None
    for token in _TOKEN.finditer(text) if text.lstrip().startswith("{") else ():
        mark = text[token.start()]
        depth += (mark in "[{") - (mark in "]}")
        last = token.start() if mark == "," and depth == 1 else last
    return "" if last is None else text[:last] + "}"


def _shallow(text: str) -> str:
    """Turn each part of a JSON text that is nested deeper than `DEEPEST` into a JSON string."""
    if text.count("[") + text.count("{") <= DEEPEST:
        return text
    parts, depth, start, done = [], 0, 0, 0
    for token in _TOKEN.finditer(text):
        mark = text[token.start()]
        if mark in "[{":
            depth += 1
            start = token.start() if depth == DEEPEST + 1 else start
        elif mark in "]}":
            if depth == DEEPEST + 1:
                parts += [text[done:start], json.dumps(text[start : token.end()])]
                done = token.end()
            depth -= 1
    return "".join([*parts, text[done:]])


def decimal_of(value: object) -> Decimal | None:
    """Return a finite number. A text is parsed."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        return None
    try:
        number = Decimal(str(value).strip())
    except (InvalidOperation, ValueError):  # ValueError: an int with more digits than Python prints
        return None
    # A larger number is not an amount of credits, and would fill the memory when it is formatted.
    return number if number.is_finite() and abs(number.adjusted()) < 30 else None


def whole_of(value: object) -> int | None:
    """Return a whole number that fits into a database. Decimals are rounded up, so that a limit is never too low."""
    number = decimal_of(value)
    return None if number is None or abs(number) > MOST_WHOLE else math.ceil(number)


def text_of(value: object) -> str | None:
    """Return a text. A number is formatted."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return str(value)
    except ValueError:
        return None


def flag_of(value: object, *, default: bool) -> bool:
    """Return a boolean, also for 0, 1, "true" and "false"."""
    if isinstance(value, str):
        return {"true": True, "1": True, "false": False, "0": False}.get(value.strip().lower(), default)
    return bool(value) if isinstance(value, int) else default


def time_of(value: object) -> datetime | None:
    """Parse an ISO 8601 time, and convert it to UTC. A time without a zone is in UTC."""
    if not isinstance(value, str):
        return None
    try:
        time = datetime.fromisoformat(value.strip())
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def http_time_of(value: object) -> datetime | None:
    """Parse the time in a Date or Retry-After header, in UTC."""
    if not isinstance(value, str):
        return None
    try:
        time = parsedate_to_datetime(value)
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def items_of(value: object) -> list[Any]:
    """Return a list, or an empty list for any other value."""
    return value if isinstance(value, list) else []


def object_of(value: object) -> dict[str, Any]:
    """Return a JSON object, or an empty one for any other value."""
    return value if isinstance(value, dict) else {}


def unwrapped(raw: object, *names: str) -> dict[str, Any]:
    """Return the object that has one of the names: the response, or an object directly inside it."""
    candidates = [raw, *object_of(raw).values()] if isinstance(raw, dict) else items_of(raw)[:1]
    found = (entry for entry in candidates if isinstance(entry, dict) and any(name in entry for name in names))
    return next(found, {})


def header_of(headers: Mapping[str, Any] | None, name: str) -> str | None:
    """Return a header. Upper and lower case are equal."""
    for key, value in (headers or {}).items():
        if str(key).lower() == name.lower():
            return str(value)
    return None


def retry_after_of(headers: Mapping[str, Any] | None, raw: object = None) -> float | None:
    """Return the seconds to wait: from the Retry-After header (seconds or a date), or from `meta.retry_after`."""
    hint = header_of(headers, "Retry-After")
    seconds = decimal_of(hint)
    if seconds is None and (until := http_time_of(hint)) is not None:
        now = http_time_of(header_of(headers, "Date")) or datetime.now(UTC)
        return max(0.0, (until - now).total_seconds())
    if seconds is None:
        seconds = decimal_of(object_of(object_of(raw).get("meta")).get("retry_after"))
    return None if seconds is None else max(0.0, float(seconds))


def task_object_of(raw: object) -> dict[str, Any]:
    """Return the task object of a response: the response, or an object in an envelope, which may have its own id."""
    outer = object_of(items_of(raw)[0] if isinstance(raw, list) and raw else raw)
    inner = [object_of(outer.get(name)) for name in _ENVELOPES]
    last = object_of(outer.get("result"))  # a task object in the field `result`
    sure = (entry for entry in (outer, *inner, last) if _TASK_ID.fullmatch(_named_id(entry) or ""))
    likely = (entry for entry in (*inner, outer, last) if _named_id(entry))
    return next(sure, None) or next(likely, outer)


def _named_id(entry: dict[str, Any]) -> str | None:
    """Return the id of a task object. A plain `id` is used only if it looks like a task's or the object does."""
    own, *named = ((text_of(entry.get(name)) or "").strip() for name in ("id", "taskId", "task_id"))
    found = [own] if entry.keys() & _TASK_FIELDS or len(entry) == 1 or _TASK_ID.fullmatch(own) else []
    found = [name for name in (*found, *named) if name]
    return next((name for name in found if _TASK_ID.fullmatch(name)), found[0] if found else None)


def task_id_of(raw: object) -> str | None:
    """Return the id of the task in a response. Ids of other objects are ignored."""
    return _named_id(task_object_of(raw))


def one_line(text: str) -> str:
    """Return a text for a message: one line, without control characters and API keys, at most `MESSAGE_LENGTH`."""
    visible = "".join(char if unicodedata.category(char)[0] != "C" else " " for char in text[: 4 * MESSAGE_LENGTH])
    line = _KEY.sub(r"\1…", " ".join(visible.split()))
    return line if len(line) <= MESSAGE_LENGTH else line[: MESSAGE_LENGTH - 1] + "…"
