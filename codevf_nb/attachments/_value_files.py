"""Write texts, bytes, dicts and lists as files within a byte budget, with a note about what is missing."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import ItemsView, KeysView, ValuesView
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

from codevf_nb.attachments._json_values import (
    LoopError,
    fields_of,
    ordered,
    plain,
)
from codevf_nb.attachments._redaction import Mask
from codevf_nb.attachments._table_readers import table_of
from codevf_nb.attachments._unsupported import refuse_unsupported, type_name
from codevf_nb.attachments.attachment import AttachmentError, is_a

# Scalars of libraries that are written as JSON.
_SCALARS = (
    ("numpy", "generic"),
    ("pandas", "NAType"),
    ("pandas", "NaTType"),
    ("pandas", "Period"),
    ("pandas", "Interval"),
)

# The first bytes of binary formats, and their suffixes; other content gets .bin.
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
    """Return a text as UTF-8. Over the budget, the middle is left out, and a note says how much is missing."""
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
    """Return the suffix for bytes by their first bytes; .bin if the format is unknown."""
    return next((suffix for start, suffix in _SIGNATURES.items() if content.startswith(start)), ".bin")


def is_data(value: Any) -> bool:
    """Whether a value is written as JSON: a dict, a list, a set, a number, a date, a dataclass, a pydantic model."""
    is_plain = isinstance(value, dict | list | tuple | set | frozenset | range | deque | int | float | complex | Enum)
    is_single = isinstance(value, date | time | timedelta | Decimal | UUID | KeysView | ValuesView | ItemsView)
    is_known = is_plain or is_single or value is None or fields_of(value) is not None
    return is_known or any(is_a(value, library, kind) for library, kind in _SCALARS)


def json_file(name: str, value: Any, budget: int, mask: Mask) -> bytes:
    """Return data as JSON. Of a list or dict over the budget, evenly spread items are kept, and the JSON says so.

    Raises:
        AttachmentError: The value contains itself, or a table inside is larger than the budget.
    """
    fields = fields_of(value)
    value = value if fields is None else fields
    if isinstance(value, set | frozenset | range | deque | KeysView | ValuesView | ItemsView):
        value = ordered(value) if isinstance(value, set | frozenset) else list(value)
    count = len(value) if isinstance(value, list | tuple | dict) else 0
    rows = count if count <= 1000 else _guess(name, value, budget, mask)
    while rows > 1 or not count:
        text = _dumped(name, value if rows >= count else _some(value, rows), budget, mask)
        if _bytes(text) < budget or not count:  # a line break will be added
            break
        rows = min(rows - 1, int(rows * 0.95 * budget / _bytes(text)))
    else:
        text = _dumped(name, value if count == 1 else _some(value, 1), budget, mask)
    return text_file(text + "\n", budget)


def _bytes(text: str) -> int:
    return len(text.encode(errors="backslashreplace")) + 1  # with its line break


def _guess(name: str, value: Any, budget: int, mask: Mask) -> int:
    each = _bytes(_dumped(name, _some(value, 200), budget, mask)) / 200
    return max(1, min(len(value), int(budget / each)))


def _some(value: Any, count: int) -> dict[str, Any]:
    """Return ``count`` evenly spread items of a list or dict, under a note with the total number."""
    from codevf_nb.attachments._sampling import evenly

    note = f"{count:,} of {len(value):,} items, spread evenly; the whole is larger than the budget (--max-bytes)"
    places = evenly(len(value), count).tolist()
    if isinstance(value, dict):
        keys = list(value)
        return {"cut": note, "items": {keys[place]: value[keys[place]] for place in places}}
    return {"cut": note, "items": [value[place] for place in places]}


def _dumped(name: str, value: Any, budget: int, mask: Mask) -> str:
    value = mask.json(value) if mask.columns else value

    def special(part: Any) -> Any:
        return _special(name, part, budget, mask)

    try:
        return json.dumps(plain(value, special), ensure_ascii=False, indent=1)
    except (LoopError, RecursionError):
        raise AttachmentError(f"{name} contains itself, so it can't be written as JSON.") from None


def _special(name: str, value: Any, budget: int, mask: Mask) -> Any:
    """Return the replacement of a nested value: the columns of a table, the masked fields of a dataclass."""
    fields = fields_of(value)
    if fields is not None:
        return mask.json(fields) if mask.columns else fields
    if is_a(value, "numpy", "ndarray") and not value.ndim:
        return None
    table = table_of(name, value)
    if table is None:
        refuse_unsupported(f"a value in {name}", value)
        return None
    if table.rows * max(1, len(table.header)) * 2 > budget:  # a value needs at least two bytes
        raise AttachmentError(
            f"{name} contains a {type_name(value)} that is larger than the budget of {budget:,} bytes ({table.what}): "
            "attach it separately, so that it is sampled as a table."
        )
    if is_a(value, "numpy", "ndarray") and not value.dtype.names:
        return None
    rows = mask.rows(table.take(range(table.rows)), table.labels)
    columns = {name: rows.column(number).tolist() for number, name in enumerate(rows.header)}
    is_one_column = len(columns) == 1 and not hasattr(value, "columns")  # a Series, an Index, an array
    return next(iter(columns.values())) if is_one_column else columns
