"""Read values in JSON by name, for any structure of the JSON, and also if it is broken or incomplete."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from codevf_nb.privacy._delimited import columns_of

Named = dict[str, list[str]]

_PIECE = re.compile(
    r'"(?P<text>(?:[^"\\]|\\.)*+)(?:"|\Z|\\)(?P<named>\s*:)?|(?P<number>-?\d[\d.eE+-]*)|(?P<mark>[{}])', re.DOTALL
)
_HEADERS = ("columns", "fields", "header", "headers", "names")
_MOST_NESTED = 200


def documents(text: str) -> list[Any] | None:
    """Return the JSON documents of a text: one, or one for each line; None if it is not valid JSON."""
    start = text.lstrip()[:1]
    if start not in {"{", "["}:
        return None
    try:
        return [json.loads(text)]
    except (ValueError, RecursionError):
        pass
    try:
        return [json.loads(line) for line in text.splitlines() if line.strip()]
    except (ValueError, RecursionError):
        return None


def named_values(found: Sequence[Any]) -> Named:
    """Return every text and number, by name."""
    named: Named = {}
    for document in found:
        _collect(document, "", named, 0)
    return named


def named_in_broken(text: str) -> Named:
    """Return values by name from text that is incomplete or almost JSON: a name is the text before a colon."""
    named: Named = {}
    names = [""]
    for piece in _PIECE.finditer(text):
        mark = piece["mark"]
        if mark == "{":
            names.append(names[-1])
        elif mark == "}":
            del names[max(1, len(names) - 1) :]
        elif piece["named"]:
            names[-1] = _unescaped(piece["text"])
        else:
            value = piece["number"] or _unescaped(piece["text"] or "")
            named.setdefault(names[-1], []).append(value)
    return named


def strings(value: Any) -> Iterator[str]:
    """Yield every text in a document, including names, without the escapes of JSON."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, Mapping):
            waiting += [*one.values(), *one]
        elif isinstance(one, list):
            waiting += one


def _unescaped(text: str) -> str:
    if "\\" not in text:
        return text
    try:
        return str(json.loads(f'"{text}"', strict=False))
    except ValueError:
        return text


def _collect(value: Any, name: str, named: Named, depth: int) -> None:
    if depth > _MOST_NESTED:
        named.setdefault(name, []).extend(strings(value))
    elif isinstance(value, dict):
        _collect_dict(value, name, named, depth)
    elif isinstance(value, list):
        if not _collect_rows(value, None, named):
            for inner in value:
                _collect(inner, name, named, depth + 1)
    elif value is not None and not isinstance(value, bool):
        named.setdefault(name, []).append(str(value))


def _collect_dict(value: dict[str, Any], name: str, named: Named, depth: int) -> None:
    header = next((value[key] for key in _HEADERS if _is_row(value.get(key))), None)
    keys = [key for key in value if "@" in key or sum(char.isdigit() for char in key) >= 7]
    if keys:  # the names themselves may be private data
        named.setdefault(f"names in {name}" if name else "names", []).extend(keys)
    is_column = bool(name) and len(value) > 1 and not any(isinstance(inner, dict | list) for inner in value.values())
    if is_column and all(key.lstrip("-").isdigit() for key in value):  # the format of a column in DataFrame.to_json
        for inner in value.values():
            _collect(inner, name, named, depth + 1)
        return
    for key, inner in value.items():
        if header is not None and isinstance(inner, list) and _collect_rows(inner, header, named):
            continue
        _collect(inner, key, named, depth + 1)
    if _is_by_column(value):
        for key, inner in value.items():
            named.setdefault(key, []).extend(str(one) for one in inner.values() if one is not None)


def _is_by_column(value: dict[str, Any]) -> bool:
    """Whether this is a dict of dicts of scalars with the same keys: columns of a table with row labels."""
    inner = list(value.values())
    if len(inner) < 2 or not all(isinstance(one, dict) and one for one in inner):
        return False
    return all(one.keys() == other.keys() for one, other in pairwise(inner)) and not any(
        isinstance(cell, dict | list) for one in inner for cell in one.values()
    )


def _is_row(value: Any) -> bool:
    return isinstance(value, list) and len(value) > 0 and all(not isinstance(one, dict | list | bool) for one in value)


def _collect_rows(value: list[Any], header: list[Any] | None, named: Named) -> bool:
    """Group a list of rows (lists of the same length) by column; return whether it is one."""
    if not value or not all(_is_row(row) and len(row) == len(value[0]) for row in value):
        return False
    if header is not None and len(header) != len(value[0]):
        return False
    rows = [["" if cell is None else str(cell) for cell in row] for row in value]
    names = None if header is None else [str(one) for one in header]
    for name, cells in columns_of(rows, names).items():
        named.setdefault(name, []).extend(cells)
    return True
