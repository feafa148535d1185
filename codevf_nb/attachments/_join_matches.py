"""Find which rows of two related tables have a match in the other table."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from codevf_nb.attachments._headers import counted
from codevf_nb.attachments._join_keys import Pair
from codevf_nb.attachments._key_hashes import KEPT_ROWS, Keys, hashed
from codevf_nb.attachments._sampling import Sample, evenly
from codevf_nb.attachments._table import Table

# Shown if both tables have null keys, because libraries treat these differently.
NULLS_MATCH = "A null counts as no match here, as in SQL and polars; pandas' merge matches nulls with each other."


class Match:
    """Which rows of one table have a key that occurs in another table.

    All rows are compared in tables of up to a few million rows. In larger tables, the keys of an even sample are looked
    up in the whole other table, which needs little memory.
    """

    def __init__(self, table: Table, other: Table, pair: Pair) -> None:
        self.pair = pair
        self._table, self._other = table, other
        self._here, self._there = Keys(table, pair.first), Keys(other, pair.second)

    @property
    def is_exact(self) -> bool:
        """Whether all rows of both tables are compared."""
        return max(self._table.rows, self._other.rows) <= KEPT_ROWS

    @cached_property
    def _whole(self) -> tuple[tuple[Any, Any, Any], tuple[Any, Any, Any]]:
        """Return for each table the key hashes, which keys are null, and which keys have no match (a null has none)."""
        import pandas as pd

        here, missing = self._here.all()
        there, gaps = self._there.all()
        lost = ~pd.Series(here).isin(there[~gaps]).to_numpy() | missing
        alone = ~pd.Series(there).isin(here[~missing]).to_numpy() | gaps
        return (here, missing, lost), (there, gaps, alone)

    def positions(self, drawn: Sample, sample: Sample) -> tuple[Any, int]:
        """Return the rows to send with a sample of the other table, and how many of them have a match in it.

        These are all rows that match, and a proportional share of the rows without a match. If not all rows are
        compared, the rows come from ``sample``, which is an even sample.
        """
        import numpy as np
        import pandas as pd

        numbers, missing = hashed([drawn.raw[name] for name in self.pair.second])
        wanted = pd.unique(numbers[~missing])
        if self.is_exact:
            (here, _, lost), _ = self._whole
            matched = np.flatnonzero(pd.Series(here).isin(wanted).to_numpy() & ~lost)
            without = np.flatnonzero(lost)
        else:
            matched = self._here.positions_of(wanted)
            lost = self._lost_of(sample, self.pair.first, self._there)
            without = sample.positions[lost]
        count = min(len(without), round(len(matched) * len(without) / max(1, len(lost) - len(without))))
        return np.sort(np.concatenate([matched, without[evenly(len(without), count)]])), len(matched)

    @staticmethod
    def _lost_of(sample: Sample, columns: tuple[str, ...], there: Keys) -> Any:
        numbers, missing = hashed([sample.raw[name] for name in columns])
        return ~there.has(numbers) | missing

    def described(self, one: Sample, two: Sample) -> str:
        """Describe how many rows and keys of each table have no match in the other."""
        names = [f"{table.name}.{' + '.join(columns)}" for table, columns in self._sides()]
        if self.is_exact:
            here, there = self._whole
            found = [_lost(*here, self._table, self._other), _lost(*there, self._other, self._table)]
            over = "Counted over all rows."
            if self._table.part or self._other.part:
                over = "Counted over the rows drawn, by keys looked up in the whole other table."
            if here[1].any() and there[1].any():
                over += f" {NULLS_MATCH}"
        else:
            found = [
                _lost_of(self._lost_of(one, self.pair.first, self._there), self._table, self._other),
                _lost_of(self._lost_of(two, self.pair.second, self._here), self._other, self._table),
            ]
            over = "Estimated: the keys of rows drawn evenly were looked up in the whole other table."
        return f"{names[0]} and {names[1]}: {'; '.join(found)}. {over}"

    def _sides(self) -> tuple[tuple[Table, tuple[str, ...]], tuple[Table, tuple[str, ...]]]:
        return (self._table, self.pair.first), (self._other, self.pair.second)


def _lost(numbers: Any, missing: Any, lost: Any, table: Table, other: Table) -> str:
    import pandas as pd

    keys, total = len(pd.unique(numbers[lost & ~missing])), len(pd.unique(numbers[~missing]))
    rows = f"{int(lost.sum()):,} of {counted(len(numbers), 'row')} of {table.name}"
    nulls = f", {int(missing.sum()):,} of these rows have a null" if missing.any() else ""
    return f"{rows} ({keys:,} of {counted(total, 'key')}{nulls}) have no match in {other.name}"


def _lost_of(lost: Any, table: Table, other: Table) -> str:
    share = float(lost.mean()) if len(lost) else 0.0
    return f"about {share:.1%} of the {counted(table.rows, 'row')} of {table.name} have no match in {other.name}"
