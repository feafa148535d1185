"""Texts, bytes, dicts and lists as files, under a byte budget, with an honest word where something was left out."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from .attachment import AttachmentError, is_a
from .redaction import Mask

# What binary content starts with, and the suffix its file gets; anything else is .bin.
_SIGNATURES = {
    b"\x89PNG\r\n": ".png",
    b"\xff\xd8\xff": ".jpg",
    b"GIF8": ".gif",
    b"%PDF-": ".pdf",
    b"PK\x03\x04": ".zip",
    b"\x1f\x8b": ".gz",
    b"PAR1": ".parquet",
}


def text_file(text: str, budget: int) -> bytes:
    """Return a text as UTF-8; one over the budget keeps its beginning and its end, and says what is missing."""
    content = text.encode(errors="backslashreplace")
    if len(content) <= budget:
        return content
    cut = f"\n\n[… cut here: {{}} of {len(content):,} bytes are left out …]\n\n"
    room = max(0, budget - len(cut) - 16)
    head = content[: room - room // 4].decode(errors="ignore")
    tail = content[len(content) - room // 4 :].decode(errors="ignore") if room // 4 else ""
    left_out = len(content) - len(head.encode()) - len(tail.encode())
    return (head + cut.format(f"{left_out:,}") + tail).encode()


def suffix_of(content: bytes) -> str:
    """Return the suffix for bytes of a user's: by how they start, .bin where nobody knows."""
    return next((suffix for start, suffix in _SIGNATURES.items() if content.startswith(start)), ".bin")


def is_data(value: Any) -> bool:
    """Whether a value goes as JSON: a dict, a list, a tuple, a set, a number, a dataclass, a pydantic model."""
    is_plain = isinstance(value, dict | list | tuple | set | frozenset | int | float | complex)
    return is_plain or value is None or _fields(value) is not None or is_a(value, "numpy", "generic")


def json_file(name: str, value: Any, budget: int, mask: Mask) -> bytes:
    """Return data as JSON; a list or dict over the budget is cut to items spread over it, and the JSON says so.

    Raises:
        AttachmentError: it holds itself.
    """
    value = _fields(value) if _fields(value) is not None else value
    if isinstance(value, set | frozenset):
        value = sorted(value, key=repr)
    count = len(value) if isinstance(value, list | tuple | dict) else 0
    rows = count if count <= 1000 else _guess(name, value, budget, mask)
    while rows > 1 or not count:
        text = _dumped(name, value if rows >= count else _some(value, rows), mask)
        if len(text.encode()) <= budget or not count:
            break
        rows = min(rows - 1, int(rows * 0.95 * budget / len(text.encode())))
    else:
        text = _dumped(name, value if count == 1 else _some(value, 1), mask)
    return text_file(text + "\n", budget)


def _guess(name: str, value: Any, budget: int, mask: Mask) -> int:
    each = len(_dumped(name, _some(value, 200), mask).encode()) / 200
    return max(1, min(len(value), int(budget / each)))


def _some(value: Any, count: int) -> dict[str, Any]:
    """Return ``count`` items that are spread over a list or dict, under a note of how many there are."""
    from .sampling import evenly

    note = f"{count:,} of {len(value):,} items, spread evenly; the whole is larger than the budget (--max-bytes)"
    places = evenly(len(value), count).tolist()
    if isinstance(value, dict):
        keys = list(value)
        return {"cut": note, "items": {keys[place]: value[keys[place]] for place in places}}
    return {"cut": note, "items": [value[place] for place in places]}


def _dumped(name: str, value: Any, mask: Mask) -> str:
    try:
        value = mask.json(value) if mask.columns else value
        return _json(value)
    except TypeError:  # keys that JSON doesn't have, such as tuples
        return _json(_with_text_keys(value))
    except (ValueError, RecursionError):
        raise AttachmentError(f"{name} holds itself, so it can't be written as JSON.") from None


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1, default=_plain)


def _with_text_keys(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _with_text_keys(inner) for key, inner in value.items()}
    return [_with_text_keys(inner) for inner in value] if isinstance(value, list | tuple) else value


def _plain(value: Any) -> Any:
    """Return what JSON has for a value it doesn't know: numbers and lists as such, all else as its text."""
    fields = _fields(value)
    if fields is not None:
        return fields
    if isinstance(value, set | frozenset):
        return sorted(value, key=repr)
    if is_a(value, "numpy", "generic"):
        return value.item()
    shape = getattr(value, "shape", None)
    if shape is not None:  # a table inside: attached by name it goes as a table
        return f"<{type(value).__name__} of shape {shape}>"
    text = str(value)
    return text if len(text) <= 1000 else f"{text[:999]}…"


def _fields(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    return value.model_dump() if is_a(value, "pydantic", "BaseModel") else None
