"""The details of a repeated question: when it was asked, and which attachments have changed since."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from codevf_nb.ledger._digests import differ


@dataclass(frozen=True)
class Repeat:
    """A question that was asked before.

    Attributes:
        ago: The seconds since then.
        changed: The attachments that have changed since then.
        settled: Whether its outcome was unknown, so that it was sent again with the same idempotency key. Otherwise
            nothing was sent, and repeating it cost nothing.
        account: The person's other account at the same address under which it was asked, or None.
    """

    ago: float
    changed: tuple[Change, ...] = ()
    settled: bool = False
    account: str | None = None


@dataclass(frozen=True)
class Change:
    """An attachment that has changed. ``rows`` are the numbers of rows of the whole table, before and now."""

    name: str
    rows: tuple[int, int] | None = None


def changes(then: Sequence[Mapping[str, Any]], now: Sequence[Mapping[str, Any]]) -> tuple[Change, ...]:
    """Return the attachments that have changed between two manifests of the same question."""
    if any("name" not in part for part in then):  # the names were deleted: compare by position
        before = {part["name"]: was for was, part in zip(then, now, strict=False)}
    else:
        before = {part["name"]: part for part in then}
    return tuple(
        _change(before[part["name"]], part)
        for part in now
        if part["name"] in before and part["name"] not in _DERIVED and not part.get("unread")
        if differ(before[part["name"]], part)
    )


def _change(then: Mapping[str, Any], now: Mapping[str, Any]) -> Change:
    rows_then, rows_now = (part.get("rows") for part in (then, now))
    if (
        rows_then is None or rows_now is None or min(len(rows_then), len(rows_now)) < 2
    ):  # the whole table was not counted
        return Change(now["name"])
    whole = (rows_then[-1], rows_now[-1])
    return Change(now["name"].removesuffix(".csv"), whole if whole[0] != whole[1] else None)


# Derived from the other attachments, so its change adds no information.
_DERIVED = ("profile.md",)
