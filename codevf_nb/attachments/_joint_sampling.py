"""Sample related tables by the same keys, so that a join of the samples keeps and loses the same rows as a full join.

One table is sampled evenly: the one of which the smallest share fits. From each related table, the rows whose key is in
this sample are sent, and a proportional share of the rows without a match. The next tables follow in the same way. If
this is not possible (too many rows share a key, or hardly any key occurs in both tables), the next likely key is tried.
If none works, the tables are sampled independently, and the profile reports it.
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

# If a sample by keys keeps less than this share of the rows that would fit, it is rejected.
_LEAST_SHARE = 0.05
_FEW = 20  # rows; this many rows are enough, whatever their share of the table


def together(
    tables: Sequence[Table], budgets: Sequence[int], mask: Mask, code: str | None = None
) -> tuple[list[Sample], list[str]]:
    """Sample tables within a budget each, related tables by the same keys, and describe the relations."""
    samples = [fitting(table, budget, mask) for table, budget in zip(tables, budgets, strict=True)]
    with guarded("the tables", "their keys"):
        links = _Links(samples, code)
        if any(table.part for table in tables):
            if not all(table.part is None or table.part.is_read for table in tables):
                return samples, []
            samples, links = _drawn_jointly(samples, links, mask, code)
        relations = links.described(samples)
        settled: set[int] = set()
        while group := links.group(settled):
            settled |= _by_keys(samples, group, links, mask)
    return samples, relations


def _drawn_jointly(samples: list[Sample], links: _Links, mask: Mask, code: str | None) -> tuple[list[Sample], _Links]:
    """Sample related tables again, together, if one of them is in an engine; see ``_lazy_joint_sampling``."""
    settled: set[int] = set()
    while group := links.group(settled):
        root = min(group, key=lambda number: links.key_share(number, samples[number]))
        group, settled = links.reachable(root), settled | set(group)
        if any(samples[number].table.part for number in group):
            for number, table in drawn_jointly(samples, group, links.pair).items():
                samples[number] = fitting(table, samples[number].budget, mask)
    return samples, _Links(samples, code)


class _Links:
    """Which tables are related, and by which key columns. A table is its number in the list of samples."""

    def __init__(self, samples: Sequence[Sample], code: str | None) -> None:
        self._pairs: dict[tuple[int, int], list[Pair]] = {}
        self._matches: dict[tuple[int, int, Pair], Match] = {}
        self._tables = [sample.table for sample in samples]
        self._remarks: list[str] = []
        self._unrelated: list[tuple[int, int]] = []
        joins = joins_in(code) if len(samples) > 1 else []
        for first in range(len(samples)):
            for second in range(first + 1, len(samples)):
                pairs, remarks = key_pairs(samples[first], samples[second], joins, samples)
                self._remarks += remarks
                if pairs:
                    self._pairs[first, second] = pairs
                    self._pairs[second, first] = [pair.swapped() for pair in pairs]
                elif not (samples[first].is_whole and samples[second].is_whole):
                    self._unrelated.append((first, second))

    def pair(self, first: int, second: int) -> Pair | None:
        """Return the key columns of two related tables."""
        pairs = self._pairs.get((first, second))
        return pairs[0] if pairs else None

    def match(self, first: int, second: int) -> Match:
        """Return which rows of the first table have a match in the second."""
        pair = self._pairs[first, second][0]
        key = (first, second, pair)
        if key not in self._matches:
            self._matches[key] = Match(self._tables[first], self._tables[second], pair)
        return self._matches[key]

    def described(self, samples: Sequence[Sample]) -> list[str]:
        """Describe the rows without a match of each related pair, and name the pairs that are not related."""
        lines = [
            self.match(first, second).described(samples[first], samples[second])
            for first, second in self._pairs
            if first < second
        ]
        names = [f"{self._tables[first].name} and {self._tables[second].name}" for first, second in self._unrelated]
        if names:
            lines.append(
                f"No key columns were found, in the cell or by name, between {'; '.join(names)}: they were sampled "
                "independently, so a join of the rows sent says nothing about the whole."
            )
        return [*lines, *self._remarks]

    def of(self, number: int) -> list[int]:
        return [second for first, second in self._pairs if first == number]

    def next_key(self, first: int, second: int) -> bool:
        """Use the next likely key of two tables; return whether there is one."""
        if len(self._pairs[first, second]) < 2:
            return False
        del self._pairs[first, second][0], self._pairs[second, first][0]
        return True

    def key_share(self, number: int, sample: Sample) -> float:
        """Return the number of distinct keys per row. If it is low, many rows share each key."""
        pair = self.pair(number, self.of(number)[0])
        keys = sample.raw.frame(pair.first if pair else sample.raw.header)
        return len(keys.drop_duplicates()) / max(1, len(keys))

    def cut(self, first: int, second: int) -> None:
        self._pairs.pop((first, second), None)
        self._pairs.pop((second, first), None)

    def group(self, settled: set[int]) -> list[int]:
        """Return tables that are related and not sampled yet; empty if there are none."""
        start = next((first for first, _ in self._pairs if first not in settled), None)
        return [] if start is None else self.reachable(start)

    def reachable(self, start: int) -> list[int]:
        """Return the tables that are connected to a table, the nearest first."""
        found = [start]
        for number in found:
            found += [other for other in self.of(number) if other not in found]
        return found


def _by_keys(samples: list[Sample], group: list[int], links: _Links, mask: Mask) -> set[int]:
    """Replace the samples of a group by samples with the same keys; return the tables that are done.

    A table that can't be sampled with the others is removed from the group. It may still be related to the tables after
    it.
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
                _unlink(samples, misfit, links)
            rows = fits
    return set(group)


def _draw(
    samples: Sequence[Sample], group: Sequence[int], links: _Links, rows: int, mask: Mask
) -> tuple[dict[int, Sample], int | None, float]:
    """Sample a group, starting with this many rows of its first table.

    If a table does not fit, return it instead, and how many times it is too large; 0 if hardly any of its rows are
    left.
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
        if ratio > 2:  # far too large: don't write the CSV
            return drawn, number, ratio
        chosen = take(sample.table, positions, sample.budget, mask)
        if len(chosen.content) > sample.budget:
            return drawn, number, len(chosen.content) / sample.budget
        drawn[number] = chosen if chosen.is_whole else replace(chosen, drawn=_key_note(match.pair, samples[near]))
        for other in further:
            if not _same_keys(links.pair(number, other), match.pair):
                drawn[number] = drawn[number].with_note(_apart_note(sample, drawn[other], links.pair(number, other)))
    return drawn, None, 0.0


def _same_keys(one: Pair | None, two: Pair) -> bool:
    return one is not None and one.first == two.first


def _key_note(pair: Pair, near: Sample) -> str:
    key, its = " + ".join(pair.first), "" if pair.first == pair.second else f" as {' + '.join(pair.second)}"
    return (
        f"those whose {key} occurs in the rows sent of {near.table.name}{its}, so that a join on {key} finds its "
        "matches, and rows without a match in their proportion"
    )


def _apart_note(one: Sample, two: Sample, pair: Pair | None) -> str:
    keys = " + ".join(pair.first) if pair else "keys"
    return (
        f"{one.table.name} and {two.table.name} share {keys} but could not be sampled by the same keys: "
        "a join of the rows sent may lose rows that a join of the whole tables keeps."
    )


def _unlink(samples: list[Sample], number: int, links: _Links) -> None:
    """Remove a table's relations to all others, and add a note to the samples of both sides."""
    for other in links.of(number):
        one, two = samples[number], samples[other]
        if not (one.is_whole and two.is_whole):
            note = _apart_note(one, two, links.pair(number, other))
            samples[number], samples[other] = one.with_note(note), two.with_note(note)
        links.cut(number, other)
