"""Related tables are sampled by the same keys, so that a join of what is sent keeps and loses what the whole join does.

One table, the one of which the smallest share fits, is drawn evenly. Of every table that is related to it, those rows
go whose key was drawn; and of its rows without a match, as many as are their share of the whole. So on outwards. Where
that can't be had (too many rows share each key, or hardly any key occurs in both), the next likely key is tried, and
then the tables are drawn by themselves, and the profile says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from codevf_nb.attachments._join_code import joins_in
from codevf_nb.attachments._join_keys import Pair, key_pairs
from codevf_nb.attachments._join_matches import Match
from codevf_nb.attachments._lazy_joint_sampling import drawn_jointly
from codevf_nb.attachments._redaction import Mask
from codevf_nb.attachments._sampling import (
    Sample,
    evenly,
    fitting,
    take,
)
from codevf_nb.attachments._table import Table
from codevf_nb.attachments._unsupported import guarded

# A sample by keys that keeps less than this share of what would fit shows too little of its tables.
_LEAST_SHARE = 0.05
_FEW = 20  # rows; so many are enough of a table, whatever share of it they are


def together(
    tables: Sequence[Table], budgets: Sequence[int], mask: Mask, code: str | None = None
) -> tuple[list[Sample], list[str]]:
    """Sample tables, each within its budget in bytes, related ones by the same keys; and say how they are related."""
    samples = [fitting(table, budget, mask) for table, budget in zip(tables, budgets, strict=True)]
    with guarded("the tables", "their keys"):
        links = _Links(samples, code)
        if any(table.part for table in tables):
            if not all(table.part is None or table.part.is_read for table in tables):
                return samples, []
            samples, links = _drawn_jointly(samples, links, mask, code)
        said = links.described(samples)
        settled: set[int] = set()
        while group := links.group(settled):
            settled |= _by_keys(samples, group, links, mask)
    return samples, said


def _drawn_jointly(samples: list[Sample], links: _Links, mask: Mask, code: str | None) -> tuple[list[Sample], _Links]:
    """Draw related tables again, together, where one of them lives in an engine; see ``joint_draws``."""
    settled: set[int] = set()
    while group := links.group(settled):
        root = min(group, key=lambda number: links.key_share(number, samples[number]))
        group, settled = links.reachable(root), settled | set(group)
        if any(samples[number].table.part for number in group):
            for number, table in drawn_jointly(samples, group, links.pair).items():
                samples[number] = fitting(table, samples[number].budget, mask)
    return samples, _Links(samples, code)


class _Links:
    """Which tables are related by which key columns; tables are numbers in the list of samples."""

    def __init__(self, samples: Sequence[Sample], code: str | None) -> None:
        self._pairs: dict[tuple[int, int], list[Pair]] = {}
        self._matches: dict[tuple[int, int, Pair], Match] = {}
        self._tables = [sample.table for sample in samples]
        self._remarks: list[str] = []
        self._apart: list[tuple[int, int]] = []
        joins = joins_in(code) if len(samples) > 1 else []
        for first in range(len(samples)):
            for second in range(first + 1, len(samples)):
                pairs, remarks = key_pairs(samples[first], samples[second], joins, samples)
                self._remarks += remarks
                if pairs:
                    self._pairs[first, second] = pairs
                    self._pairs[second, first] = [pair.turned() for pair in pairs]
                elif not (samples[first].is_whole and samples[second].is_whole):
                    self._apart.append((first, second))

    def pair(self, first: int, second: int) -> Pair | None:
        """Return the key columns of two related tables."""
        pairs = self._pairs.get((first, second))
        return pairs[0] if pairs else None

    def match(self, first: int, second: int) -> Match:
        """Return what is known of the rows of the first that have a match in the second."""
        pair = self._pairs[first, second][0]
        key = (first, second, pair)
        if key not in self._matches:
            self._matches[key] = Match(self._tables[first], self._tables[second], pair)
        return self._matches[key]

    def described(self, samples: Sequence[Sample]) -> list[str]:
        """Say of each related pair what of each table has no match in the other, and which are not related."""
        lines = [
            self.match(first, second).described(samples[first], samples[second])
            for first, second in self._pairs
            if first < second
        ]
        names = [f"{self._tables[first].name} and {self._tables[second].name}" for first, second in self._apart]
        if names:
            lines.append(
                f"No key columns were found, in the cell or by name, between {'; '.join(names)}: they were sampled "
                "independently, so a join of the rows sent says nothing about the whole."
            )
        return [*lines, *self._remarks]

    def of(self, number: int) -> list[int]:
        return [second for first, second in self._pairs if first == number]

    def next_key(self, first: int, second: int) -> bool:
        """Turn to the next likely key of two tables; return whether there is one."""
        if len(self._pairs[first, second]) < 2:
            return False
        del self._pairs[first, second][0], self._pairs[second, first][0]
        return True

    def key_share(self, number: int, sample: Sample) -> float:
        """Return how many different keys a row has: the fewer, the more rows of the table share each."""
        pair = self.pair(number, self.of(number)[0])
        keys = sample.raw.frame(pair.first if pair else sample.raw.header)
        return len(keys.drop_duplicates()) / max(1, len(keys))

    def cut(self, first: int, second: int) -> None:
        self._pairs.pop((first, second), None)
        self._pairs.pop((second, first), None)

    def group(self, settled: set[int]) -> list[int]:
        """Return tables that are related and aren't settled yet; nothing if there are none."""
        start = next((first for first, _ in self._pairs if first not in settled), None)
        return [] if start is None else self.reachable(start)

    def reachable(self, start: int) -> list[int]:
        """Return the tables that can be reached from one, nearest first."""
        found = [start]
        for number in found:
            found += [other for other in self.of(number) if other not in found]
        return found


def _by_keys(samples: list[Sample], group: list[int], links: _Links, mask: Mask) -> set[int]:
    """Put samples by the same keys in the place of a group's; return the tables that are settled by that.

    A table that can't be sampled with the others is let go, and may still be related to those behind it.
    """
    if all(samples[number].sent.count == samples[number].table.rows for number in group):
        return set(group)
    root = min(group, key=lambda number: samples[number].sent.count / max(1, samples[number].table.rows))
    fits = rows = samples[root].rows[0]
    while len(group := links.reachable(root)) > 1:
        drawn, misfit, ratio = _draw(samples, group, links, rows, mask)
        if misfit is None:
            for number, sample in drawn.items():
                samples[number] = sample
            break
        rows = min(rows - 1, int(rows * 0.9 / ratio)) if ratio else 0
        if rows < max(1, fits * _LEAST_SHARE):
            near = next(other for other in drawn if links.pair(misfit, other))
            if not links.next_key(misfit, near):
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
        near, *further = [other for other in drawn if links.pair(number, other)]
        sample = samples[number]
        match = links.match(number, near)
        positions, matched = match.positions(drawn[near], sample)
        if matched < min(_FEW, sample.rows[0] * _LEAST_SHARE):
            return drawn, number, 0.0
        ratio = len(positions) * len(sample.content) / max(1, sample.sent.count) / sample.budget
        if ratio > 2:  # not worth writing out
            return drawn, number, ratio
        chosen = take(sample.table, positions, sample.budget, mask)
        if len(chosen.content) > sample.budget:
            return drawn, number, len(chosen.content) / sample.budget
        drawn[number] = chosen if chosen.is_whole else replace(chosen, drawn=_said(match.pair, samples[near]))
        for other in further:
            if not _same_keys(links.pair(number, other), match.pair):
                drawn[number] = drawn[number].with_note(_apart(sample, drawn[other], links.pair(number, other)))
    return drawn, None, 0.0


def _same_keys(one: Pair | None, two: Pair) -> bool:
    return one is not None and one.first == two.first


def _said(pair: Pair, near: Sample) -> str:
    key, its = " + ".join(pair.first), "" if pair.first == pair.second else f" as {' + '.join(pair.second)}"
    return (
        f"those whose {key} occurs in the rows sent of {near.table.name}{its}, so that a join on {key} finds its "
        "matches, and rows without a match in their proportion"
    )


def _apart(one: Sample, two: Sample, pair: Pair | None) -> str:
    keys = " + ".join(pair.first) if pair else "keys"
    return (
        f"{one.table.name} and {two.table.name} share {keys} but could not be sampled by the same keys: "
        "a join of the rows sent may lose rows that a join of the whole tables keeps."
    )


def _let_go(samples: list[Sample], number: int, links: _Links) -> None:
    """Cut a table off from all that it is related to, and say so on both sides."""
    for other in links.of(number):
        one, two = samples[number], samples[other]
        if not (one.is_whole and two.is_whole):
            note = _apart(one, two, links.pair(number, other))
            samples[number], samples[other] = one.with_note(note), two.with_note(note)
        links.cut(number, other)
