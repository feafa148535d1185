"""What a question that is asked again finds: how long ago it was asked, and which of its attachments changed since."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from codevf_nb.ledger._digests import differ


@dataclass(frozen=True)
class Repeat:
    """That a question was asked before: how many seconds ago, and what changed in its attachments since.

    ``settled``: nobody had heard what became of it, so it was sent again, under its key; else this time cost nothing.
    ``account``: the other account, of the same person at the same place, under which it was asked.
    """

    ago: float
    changed: tuple[Change, ...] = ()
    settled: bool = False
    account: str | None = None


@dataclass(frozen=True)
class Change:
    """An attachment that is no longer what it was when its question was asked; rows are those of a whole table."""

    name: str
    rows: tuple[int, int] | None = None


def changes(then: Sequence[Mapping[str, Any]], now: Sequence[Mapping[str, Any]]) -> tuple[Change, ...]:
    """Return which attachments hold something else now, by the manifests of two askings of the same question."""
    if any("name" not in part for part in then):  # forgotten: their order is what stays
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
    if rows_then is None or rows_now is None or min(len(rows_then), len(rows_now)) < 2:  # nobody counted the whole
        return Change(now["name"])
    whole = (rows_then[-1], rows_now[-1])
    return Change(now["name"].removesuffix(".csv"), whole if whole[0] != whole[1] else None)


# Made here from what else is attached: a change of it says nothing that the others don't.
_DERIVED = ("profile.md",)
