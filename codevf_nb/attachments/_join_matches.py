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
        self._own_keys, self._other_keys = Keys(table, pair.first), Keys(other, pair.second)

    @property
    def is_exact(self) -> bool:
        """Whether all rows of both tables are compared."""
        return max(self._table.rows, self._other.rows) <= KEPT_ROWS

    @cached_property
    def _whole(self) -> tuple[tuple[Any, Any, Any], tuple[Any, Any, Any]]:
        """Return for each table the key hashes, which keys are null, and which keys have no match (a null has none)."""
        import pandas as pd

        here, missing = self._own_keys.all()
        there, gaps = self._other_keys.all()
        unmatched = ~pd.Series(here).isin(there[~gaps]).to_numpy() | missing
        alone = ~pd.Series(there).isin(here[~missing]).to_numpy() | gaps
        return (here, missing, unmatched), (there, gaps, alone)

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
            (here, _, unmatched), _ = self._whole
            matched = np.flatnonzero(pd.Series(here).isin(wanted).to_numpy() & ~unmatched)
            lone = np.flatnonzero(unmatched)
        else:
            matched = self._own_keys.positions_of(wanted)
            unmatched = self._unmatched_rows(sample, self.pair.first, self._other_keys)
            lone = sample.positions[unmatched]
        count = min(len(lone), round(len(matched) * len(lone) / max(1, len(unmatched) - len(lone))))
        return np.sort(np.concatenate([matched, lone[evenly(len(lone), count)]])), len(matched)

    @staticmethod
    def _unmatched_rows(sample: Sample, columns: tuple[str, ...], there: Keys) -> Any:
        numbers, missing = hashed([sample.raw[name] for name in columns])
        return ~there.has(numbers) | missing

    def described(self, one: Sample, two: Sample) -> str:
        """Describe how many rows and keys of each table have no match in the other."""
        names = [f"{table.name}.{' + '.join(columns)}" for table, columns in self._sides()]
        if self.is_exact:
            here, there = self._whole
            found = [_exact_text(*here, self._table, self._other), _exact_text(*there, self._other, self._table)]
            over = "Counted over all rows."
            if self._table.part or self._other.part:
                over = "Counted over the rows drawn, by keys looked up in the whole other table."
            if here[1].any() and there[1].any():
                over += f" {NULLS_MATCH}"
        else:
            found = [
                _estimated_text(self._unmatched_rows(one, self.pair.first, self._other_keys), self._table, self._other),
                _estimated_text(self._unmatched_rows(two, self.pair.second, self._own_keys), self._other, self._table),
            ]
            over = "Estimated: the keys of rows drawn evenly were looked up in the whole other table."
        return f"{names[0]} and {names[1]}: {'; '.join(found)}. {over}"

    def _sides(self) -> tuple[tuple[Table, tuple[str, ...]], tuple[Table, tuple[str, ...]]]:
        return (self._table, self.pair.first), (self._other, self.pair.second)


def _exact_text(numbers: Any, missing: Any, unmatched: Any, table: Table, other: Table) -> str:
    import pandas as pd

    keys, total = len(pd.unique(numbers[unmatched & ~missing])), len(pd.unique(numbers[~missing]))
    rows = f"{int(unmatched.sum()):,} of {counted(len(numbers), 'row')} of {table.name}"
    nulls = f", {int(missing.sum()):,} of these rows have a null" if missing.any() else ""
    return f"{rows} ({keys:,} of {counted(total, 'key')}{nulls}) have no match in {other.name}"


def _estimated_text(unmatched: Any, table: Table, other: Table) -> str:
    share = float(unmatched.mean()) if len(unmatched) else 0.0
    return f"about {share:.1%} of the {counted(table.rows, 'row')} of {table.name} have no match in {other.name}"
