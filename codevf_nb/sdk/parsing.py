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
MOST_WHOLE = 2**63 - 1
_KEY = re.compile(r"(cvf_(?:live|test)_)[A-Za-z0-9_\-]+")
# What no database and no terminal takes in a text: half a character, and (PostgreSQL) the character 0.
_BROKEN = re.compile("[\0\ud800-\udfff]")
_TOKEN = re.compile(r"""[\[{\]},]|"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)""", re.DOTALL)
# Whatever is nested deeper in an answer is kept as the text that it came as: everything can write, show and read that.
DEEPEST = 100
_TASK_ID = re.compile(r"task_(?!id\Z)[A-Za-z0-9_\-]{1,190}")
_ENVELOPES = ("task", "data", "response")
# A task object has at least one of these beside its id.
_TASK_FIELDS = frozenset(
    [
        *("status", "mode", "maxCredits", "tagIdUsed", "expertiseMultiplier", "createdAt", "creditsUsed"),
        *("result", "responseSchema"),
    ]
)


def json_of(body: bytes) -> Any:
    """The JSON in a body, its texts cleaned, or the body itself where it holds none."""
    text = body.decode(json.detect_encoding(body), "replace")
    for readable in (text, _closed(text)):
        try:
            return loads(readable)
        except (ValueError, RecursionError):
            pass
    return body


def loads(text: str) -> Any:
    """The value of foreign JSON: liberal in what it reads, and every text in it can be stored and shown.

    Raises ValueError or RecursionError where it is no JSON.
    """
    shallow = _shallow(text)
    try:
        value = json.loads(shallow, strict=False)
    except ValueError:  # perhaps a number of more digits than Python reads
        value = json.loads(shallow, strict=False, parse_int=_whole_or_text)
    return cleaned(value) if "\\u" in text or _BROKEN.search(text) else value


def cleaned(value: Any) -> Any:
    """A value of JSON (or any text) with U+FFFD for what can't be stored or shown in its texts."""
    if isinstance(value, str):
        return _BROKEN.sub("\ufffd", value)
    if isinstance(value, dict):
        return {cleaned(name): cleaned(entry) for name, entry in value.items()}
    return [cleaned(entry) for entry in value] if isinstance(value, list) else value


def _whole_or_text(digits: str) -> int | str:
    try:
        return int(digits)
    except ValueError:
        return digits


def _closed(text: str) -> str:
    """An object that was cut off, with the fields that it has whole."""
    depth, last = 0, None
    for token in _TOKEN.finditer(text) if text.lstrip().startswith("{") else ():
        mark = text[token.start()]
        depth += (mark in "[{") - (mark in "]}")
        last = token.start() if mark == "," and depth == 1 else last
    return "" if last is None else text[:last] + "}"


def _shallow(text: str) -> str:
    """JSON with each part that is nested deeper than `DEEPEST` turned into a text."""
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
    """A whole number that a database takes; decimals are rounded up, since a limit is never understated."""
    number = decimal_of(value)
    return None if number is None or abs(number) > MOST_WHOLE else math.ceil(number)


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
    """The object that speaks of the task: the answer, or one in an envelope of it, whose own id is another thing's."""
    outer = object_of(items_of(raw)[0] if isinstance(raw, list) and raw else raw)
    inner = [object_of(outer.get(name)) for name in _ENVELOPES]
    last = object_of(outer.get("result"))  # of a task that is its answer
    sure = (entry for entry in (outer, *inner, last) if _TASK_ID.fullmatch(_named_id(entry) or ""))
    likely = (entry for entry in (*inner, outer, last) if _named_id(entry))
    return next(sure, None) or next(likely, outer)


def _named_id(entry: dict[str, Any]) -> str | None:
    """The id of a task object. What is only called `id` may be anything's, unless it looks like a task's."""
    own, *named = ((text_of(entry.get(name)) or "").strip() for name in ("id", "taskId", "task_id"))
    found = [own] if entry.keys() & _TASK_FIELDS or len(entry) == 1 or _TASK_ID.fullmatch(own) else []
    found = [name for name in (*found, *named) if name]
    return next((name for name in found if _TASK_ID.fullmatch(name)), found[0] if found else None)


def task_id_of(raw: Any) -> str | None:
    """The id in an answer, from where a task object stands in its JSON; nothing else is taken for one."""
    return _named_id(task_object_of(raw))


def clean(text: str) -> str:
    """Foreign text for a message: one line, no control characters, no API key, not endless."""
    visible = "".join(char if unicodedata.category(char)[0] != "C" else " " for char in text[: 4 * MESSAGE_LENGTH])
    line = _KEY.sub(r"\1…", " ".join(visible.split()))
    return line if len(line) <= MESSAGE_LENGTH else line[: MESSAGE_LENGTH - 1] + "…"
