"""Tables that share keys are sampled by the same keys, so that a join of what is sent holds for what is sent.

One table, the one of which the smallest share fits, is drawn evenly; of every table that shares a key with it, those
rows go whose key was drawn, and so on outwards. A row that is sent then finds its matches in the other table, if it
has any in the whole one. Only the other tables are searched, a stretch at a time. Where it can't be had (too many rows
share each value, or hardly any value occurs in both), tables are drawn by themselves, and both profiles say so.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .redaction import Mask
from .sampling import Sample, evenly, fitting, take
from .table import Table

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

_STRETCH = 1 << 18  # rows looked up at once: a few megabytes
_KEY_NAME = re.compile(r"(?:^|[_ ])(?i:id|key|code|uuid|guid|sku|ean|isin|number|no|nr)s?$|[a-z](?:Id|ID|Key|Code)$")
# A sample by keys that keeps less than this share of what would fit shows too little of its tables.
_LEAST_SHARE = 0.05
_FEW = 20  # rows; so many are enough of a table, whatever share of it they are


def together(tables: Sequence[Table], budgets: Sequence[int], mask: Mask) -> list[Sample]:
    """Sample tables, each within its budget in bytes; those that share keys by the same keys where one is cut."""
    samples = [fitting(table, budget, mask) for table, budget in zip(tables, budgets, strict=True)]
    links = _Links(samples)
    settled: set[int] = set()
    while group := links.group(settled):
        settled |= _by_keys(samples, group, links, mask)
    return samples


class _Links:
    """Which tables share which key columns; tables are numbers in the list of samples."""

    def __init__(self, samples: Sequence[Sample]) -> None:
        self._keys: dict[tuple[int, int], list[str]] = {}
        for first in range(len(samples)):
            for second in range(first + 1, len(samples)):
                if keys := _shared_keys(samples[first], samples[second]):
                    self._keys[first, second] = self._keys[second, first] = keys

    def keys(self, first: int, second: int) -> list[str]:
        return self._keys.get((first, second), [])

    def of(self, number: int) -> list[int]:
        return [second for first, second in self._keys if first == number]

    def cut(self, first: int, second: int) -> None:
        self._keys.pop((first, second), None)
        self._keys.pop((second, first), None)

    def group(self, settled: set[int]) -> list[int]:
        """Return tables that hang together and aren't settled yet; nothing if there are none."""
        start = next((first for first, _ in self._keys if first not in settled), None)
        return [] if start is None else self.reachable(start)

    def reachable(self, start: int) -> list[int]:
        """Return the tables that can be reached from one, nearest first."""
        found = [start]
        for number in found:
            found += [other for other in self.of(number) if other not in found]
        return found


def _shared_keys(first: Sample, second: Sample) -> list[str]:
    """Return the columns both have that a join would use, the likeliest first: named like a key, without repeats."""
    ranks: dict[str, int] = {}
    for name in first.table.header:
        if name in second.table.header:
            one, two = first.raw[name], second.raw[name]
            rank = 2 * bool(_KEY_NAME.search(name)) + (_is_unique(one) or _is_unique(two))
            if rank and _family(one) and _family(one) == _family(two):
                ranks[name] = rank
    return sorted(ranks, key=lambda name: -ranks[name])


def _family(column: pd.Series[Any]) -> str:
    """Return what a column's values can be equal to; nothing for truth values, which are nobody's key."""
    from pandas.api import types

    dtype = column.cat.categories.dtype if isinstance(column.dtype, _categorical()) else column.dtype
    if types.is_bool_dtype(dtype):
        return ""
    if types.is_numeric_dtype(dtype):
        return "number"
    if types.is_datetime64_any_dtype(dtype):
        return str(getattr(dtype, "tz", None))
    return "text" if types.infer_dtype(column, skipna=True) in {"string", "empty"} else "other"


def _categorical() -> type:
    import pandas as pd

    return pd.CategoricalDtype


def _is_unique(column: pd.Series[Any]) -> bool:
    from pandas.api import types

    if types.is_float_dtype(column.dtype) or len(column) < 2:
        return False
    try:
        return bool(column.is_unique)
    except TypeError:  # nested values can't be hashed
        return False


def _by_keys(samples: list[Sample], group: list[int], links: _Links, mask: Mask) -> set[int]:
    """Put samples by the same keys in the place of a group's; return the tables that are settled by that.

    A table that can't hang together with the others is let go, and may still hang together with those behind it.
    """
    if all(samples[number].is_whole for number in group):
        return set(group)
    root = min(group, key=lambda number: samples[number].rows[0] / max(1, samples[number].rows[1]))
    fits = rows = samples[root].rows[0]
    while len(group := links.reachable(root)) > 1:
        drawn, misfit, ratio = _draw(samples, group, links, rows, mask)
        if misfit is None:
            for number, sample in drawn.items():
                samples[number] = sample
            break
        rows = min(rows - 1, int(rows * 0.9 / ratio)) if ratio else 0
        if rows < max(1, fits * _LEAST_SHARE):
            _let_go(samples, misfit, links)
            rows = fits
    return set(group)


def _draw(
    samples: Sequence[Sample], group: Sequence[int], links: _Links, rows: int, mask: Mask
) -> tuple[dict[int, Sample], int | None, float]:
    """Draw a group from so many rows of its first.

    Or say which table doesn't fit then, and how many times it is too large; 0 for one of which hardly anything is left.
    """
    root, *others = group
    first = samples[root]
    drawn = {root: take(first.table, evenly(first.table.rows, rows), first.budget, mask)}
    if len(drawn[root].content) > first.budget:
        return drawn, others[0], len(drawn[root].content) / first.budget
    for number in others:
        near, *further = [other for other in drawn if links.keys(number, other)]
        sample, key = samples[number], links.keys(number, near)[0]
        positions = _matching(sample.table, key, drawn[near].raw[key])
        if len(positions) < min(_FEW, sample.rows[0] * _LEAST_SHARE):
            return drawn, number, 0.0
        ratio = len(positions) * len(sample.content) / max(1, len(sample.frame)) / sample.budget
        if ratio > 2:  # not worth writing out
            return drawn, number, ratio
        chosen = take(sample.table, positions, sample.budget, mask)
        if len(chosen.content) > sample.budget:
            return drawn, number, len(chosen.content) / sample.budget
        drawn[number] = chosen if chosen.is_whole else replace(chosen, drawn=_said(key, samples[near]))
        for other in further:
            if links.keys(number, other)[0] != key:
                drawn[number] = drawn[number].with_note(_apart(sample, drawn[other], links.keys(number, other)))
    return drawn, None, 0.0


def _said(key: str, near: Sample) -> str:
    return f"those whose {key} occurs in the rows sent of {near.table.name}, so that a join on {key} finds its matches"


def _apart(one: Sample, two: Sample, keys: Sequence[str]) -> str:
    return (
        f"{one.table.name} and {two.table.name} share {', '.join(keys)} but could not be sampled by the same keys: "
        "a join of the rows sent may lose rows that a join of the whole tables keeps."
    )


def _let_go(samples: list[Sample], number: int, links: _Links) -> None:
    """Cut a table off from all that share keys with it, and tell of it on both sides."""
    for other in links.of(number):
        one, two = samples[number], samples[other]
        if not (one.is_whole and two.is_whole):
            note = _apart(one, two, links.keys(number, other))
            samples[number], samples[other] = one.with_note(note), two.with_note(note)
        links.cut(number, other)


def _matching(table: Table, key: str, drawn: pd.Series[Any]) -> np.ndarray[Any, Any]:
    """Return the positions of the rows that have one of the drawn values in a column."""
    import numpy as np
    import pandas as pd

    number = table.header.index(key)
    same = table.stretch(number, 0, 0).dtype == drawn.dtype  # else compared as Python compares: 7 is 7.0
    values = pd.unique(drawn if same else drawn.astype(object))
    found = [np.zeros(0, dtype=np.int64)]
    for start in range(0, table.rows, _STRETCH):
        hits = table.stretch(number, start, start + _STRETCH).isin(values).to_numpy(dtype=bool)
        found.append(np.flatnonzero(hits) + start)
    return np.concatenate(found)
