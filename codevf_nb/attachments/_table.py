"""The common form of all tables: a header, types, and access to rows and columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from codevf_nb.attachments._column_figures import Statistics
    from codevf_nb.attachments._engines import Lookup
    from codevf_nb.attachments._rows import Rows


@dataclass(frozen=True)
class Part:
    """What is known of a table of which only some rows were read.

    Attributes:
        drawn: How the rows were selected.
        rows: The number of rows of the whole table, or None if unknown.
        numbers: The positions of the sampled rows in the table, or None if it has no order.
        is_read: False if only the schema was read.
        figures: Statistics that the engine computed over all rows, by column number.
    """

    engine: Lookup
    rows: int | None = None
    numbers: np.ndarray[Any, Any] | None = None
    figures: Mapping[int, Statistics] = field(default_factory=dict)
    drawn: str = "drawn at random under a fixed seed"
    is_read: bool = True


@dataclass(frozen=True)
class Table:
    """A table as it is sent.

    Attributes:
        header: The unique names of its columns. An index that is sent is its first columns.
        take: Returns the rows at given ascending positions.
        column_slice: Returns one column, by its number, for a range of rows, without copying the whole table.
        levels: How many columns are the index.
        row_label: The name of a sample's column of row numbers if the table has no such column.
        nan_is_null: Whether the library marks a missing value by NaN.
        facts: Remarks for the profile.
        labels: The original labels of the columns, if they differ from the header.
        part: Set if these are sampled rows of a larger table. Then only ``part`` describes the whole table.
    """

    name: str
    what: str
    rows: int
    header: tuple[str, ...]
    dtypes: tuple[str, ...]
    take: Callable[[Any], Rows]
    column_slice: Callable[[int, int, int], pd.Series[Any]]
    levels: int = 0
    row_label: str = "row"
    nan_is_null: bool = True
    facts: tuple[str, ...] = ()
    labels: tuple[object, ...] = ()
    part: Part | None = None

    def names_of(self, number: int) -> tuple[object, ...]:
        """Return every name of a column: the one in the header, and the ones in the table itself."""
        return (self.header[number], *self.labels[number : number + 1])
