"""Column labels as the header of a CSV: text, unique, and on one line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

_LONGEST = 60  # characters of a label in a message


def label_text(label: Any) -> str:
    """Return a column label as text. The levels of a MultiIndex label are joined by `` / ``."""
    if isinstance(label, tuple):
        return " / ".join(text for part in label if (text := label_text(part)))
    return "" if _is_missing(label) else str(label).replace("\r", " ").replace("\n", " ")


def _is_missing(label: Any) -> bool:
    if label is None:
        return True
    try:
        return bool(label != label)  # noqa: PLR0124 - NaN and NaT
    except (TypeError, ValueError):  # pandas.NA
        return type(label).__name__ == "NAType"


def unique_header(labels: Sequence[str]) -> tuple[str, ...]:
    """Return labels as a header: no label is empty, and a second ``a`` becomes ``a.1``, as in pandas.read_csv."""
    reserved = {label for label in labels if label}
    used: set[str] = set()
    counts: dict[str, int] = {}
    header = []
    for number, label in enumerate(labels):
        label = label or f"column_{number}"  # noqa: PLW2901 - an empty label gets a default name
        free = label
        while free in used or (free != label and free in reserved):
            counts[label] = counts.get(label, 0) + 1
            free = f"{label}.{counts[label]}"
        used.add(free)
        header.append(free)
    return tuple(header)


def renamed(labels: Sequence[str], header: Sequence[str]) -> str:
    """Return a remark on the labels that were changed to make them unique; empty if no label changed."""
    pairs = [(old, new) for old, new in zip(labels, header, strict=True) if old != new]
    if not pairs:
        return ""
    listed = ", ".join(f"{_short(old) or 'an empty one'} → {_short(new)}" for old, new in pairs[:20])
    more = f" and {len(pairs) - 20:,} more" if len(pairs) > 20 else ""
    return f" (names made unique: {listed}{more})"


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def counted(count: int, noun: str, plural: str = "") -> str:
    """Return a number with its noun: 1 row, 1,204 rows."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"
