"""Sample related tables together if some are in an engine, so that a join of the samples is like the full join.

One table is sampled, and its keys are looked up in the others. From those, the matching rows are sent, and a
proportional share of the rows whose key does not occur in the first table. Only keys are sent to an engine, and only
the selected rows are returned; no table is read completely.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from codevf_nb.attachments._join_keys import Pair
from codevf_nb.attachments._key_hashes import Keys as KeysOf
from codevf_nb.attachments._key_hashes import hashed
from codevf_nb.attachments._lazy_tables import part_of
from codevf_nb.attachments._rows import rows_of_frame
from codevf_nb.attachments._sampling import Sample, evenly
from codevf_nb.attachments._table import Part, Table
from codevf_nb.attachments.attachment import is_a

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

_MOST_KEYS = 2_000  # keys per query
_MOST_ROWS = 20_000  # rows per lookup
_FEWEST_KEYS = 8

PairOf = Callable[[int, int], Pair | None]


def drawn_jointly(samples: Sequence[Sample], group: Sequence[int], pair_of: PairOf) -> dict[int, Table]:
    """Sample a group of related tables again by the keys of its first table; return the tables whose rows changed.

    The result is empty if too many rows share each key. Then the independent samples remain.
    """
    tables = {number: _Drawable.of(samples[number].table) for number in group}
    root, *others = group
    keys = _MOST_KEYS
    while keys >= _FEWEST_KEYS:
        drawn = {root: tables[root].some(keys)}
        for number in others:
            near = next(other for other in drawn if pair_of(number, other))
            pair = pair_of(number, near)
            found = None if pair is None else _matching_rows(tables[number], tables[near], drawn[near], pair)
            if found is None:
                break
            drawn[number] = found
        else:
            return drawn
        keys //= 4
    return {}


@dataclass(frozen=True)
class _Drawable:
    """A table and the engine in which its keys are looked up; a table in memory is its own engine."""

    table: Table
    part: Part

    @classmethod
    def of(cls, table: Table) -> _Drawable:
        return cls(table, table.part or Part(_InMemory(table), rows=table.rows))

    def some(self, rows: int) -> Table:
        """Return this many of the sampled rows."""
        positions = evenly(self.table.rows, rows)
        numbers: np.ndarray[Any, Any] | None = positions  # a table in memory is the whole one
        if self.table.part is not None:
            numbers = None if self.part.numbers is None else self.part.numbers[positions]
        return _table(self, numbers, _frame(self.table, positions))


def _matching_rows(one: _Drawable, near: _Drawable, drawn: Table, pair: Pair) -> Table | None:
    """Return the rows of a table that belong to the sampled rows of another; None if there are too many."""
    import numpy as np

    wanted = _keys(drawn, pair.second)
    matching = _read(one, *one.part.engine.matching(dict(zip(pair.first, wanted, strict=True)), _MOST_ROWS + 1))
    if matching.rows > _MOST_ROWS:
        return None
    raw = _columns(drawn, pair.second)
    there, missing = hashed(_columns(matching, pair.first))
    numbers, gaps = hashed(raw)
    matched = np.flatnonzero(np.isin(there, numbers[~gaps]) & ~missing)  # the lookup matches each column alone
    some = one.some(_MOST_KEYS)
    lost = _unmatched_rows(some, pair.first, near, pair.second)
    count = min(len(lost), round(len(matched) * len(lost) / max(1, some.rows - len(lost))))
    return _joined(one, (matching, matched), (some, lost[evenly(len(lost), count)]))


def _unmatched_rows(
    some: Table, columns: tuple[str, ...], near: _Drawable, its: tuple[str, ...]
) -> np.ndarray[Any, Any]:
    """Return which rows have a key that no row of another table has. A null is such a key."""
    import numpy as np

    keys = dict(zip(its, _keys(some, columns), strict=True))
    found = _read(near, near.part.engine.present(keys), None)
    numbers, missing = hashed(_columns(some, columns))
    known, gaps = hashed([found.column_slice(found.header.index(name), 0, found.rows) for name in its])
    return np.flatnonzero(~np.isin(numbers, known[~gaps]) | missing)


def _keys(table: Table, columns: tuple[str, ...]) -> list[list[Any]]:
    """Return the distinct values of key columns as Python objects."""
    return [
        list(dict.fromkeys(value.item() if hasattr(value, "item") else value for value in column.dropna().tolist()))
        for column in _columns(table, columns)
    ]


def _columns(table: Table, names: tuple[str, ...]) -> list[pd.Series[Any]]:
    return [table.column_slice(table.header.index(name), 0, table.rows) for name in names]


def _read(one: _Drawable, frame: Any, numbers: np.ndarray[Any, Any] | None) -> Table:
    """Read rows that were looked up. Their index is sent if the index of the sample is sent.

    Args:
        one: The table in which they were looked up.
        frame: The rows.
        numbers: Their positions in the table, if it has an order.
    """
    if is_a(frame, "pandas", "DataFrame"):
        # A table in memory is read already: its levels are columns.
        if one.table.part is None or not one.table.levels:
            frame = frame.reset_index(drop=True)
        elif frame.index.names == [None]:  # a default-looking or empty index needs a name to be sent
            frame = frame.rename_axis("index")
    return part_of(one.table.name, one.table.what, replace(one.part, numbers=numbers), frame)


def _joined(one: _Drawable, *parts: tuple[Table, Any]) -> Table:
    """Combine rows of several samples to one table, in the order of the whole table if it has one."""
    import numpy as np
    import pandas as pd

    frames = [_frame(table, rows) for table, rows in parts if len(rows)] or [_frame(parts[0][0], [])]
    frame = pd.concat(frames, ignore_index=True)
    known = [table.part.numbers[rows] for table, rows in parts if table.part and table.part.numbers is not None]
    if len(known) < len(parts):
        return _table(one, None, frame)
    numbers = np.concatenate(known)
    order = np.argsort(numbers)
    return _table(one, numbers[order], frame.iloc[order].reset_index(drop=True))


def _frame(table: Table, positions: Any) -> pd.DataFrame:
    return table.take(positions).frame(table.header)


def _table(one: _Drawable, numbers: np.ndarray[Any, Any] | None, frame: pd.DataFrame) -> Table:
    """Return a frame with the header of a table as rows of that table, at these positions of the whole table."""
    drawn = "drawn by the keys of the related tables, and rows without a match in their proportion"
    return replace(
        one.table,
        rows=len(frame),
        take=lambda positions: rows_of_frame(frame.iloc[positions], one.table.header),
        column_slice=lambda number, start, stop: frame.iloc[start:stop, number].reset_index(drop=True),
        part=replace(one.part, drawn=drawn, numbers=numbers),
    )


class _InMemory:
    """A table in memory, in which keys are looked up as in an engine."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def matching(self, keys: Any, rows: int) -> Any:
        positions = self._positions(keys)[:rows]
        return _frame(self._table, positions), positions

    def present(self, keys: Any) -> Any:
        return self._table.take(self._positions(keys)).frame(list(keys)).drop_duplicates()

    def _positions(self, keys: Any) -> Any:
        import numpy as np
        import pandas as pd

        found = np.arange(self._table.rows)
        for column, values in keys.items():
            numbers, _ = hashed([pd.Series(values, dtype=object)])
            found = np.intersect1d(found, KeysOf(self._table, (column,)).positions_of(numbers))
        return found
