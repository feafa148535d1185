"""What every kind of table is read as: a header, types, and any rows of it, by columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from codevf_nb.attachments._column_figures import Figures
    from codevf_nb.attachments._engines import Lookup
    from codevf_nb.attachments._rows import Rows


@dataclass(frozen=True)
class Part:
    """What is known of the table of which some rows were drawn.

    ``rows`` is how many it has, where that is known; ``numbers`` are the drawn rows' places in it, where it has an
    order; ``is_read`` is False where only the schema was asked for. ``figures`` are those that its engine counted over
    all rows, by the column's number.
    """

    engine: Lookup
    rows: int | None = None
    numbers: np.ndarray[Any, Any] | None = None
    figures: Mapping[int, Figures] = field(default_factory=dict)
    drawn: str = "drawn at random under a fixed seed"
    is_read: bool = True


@dataclass(frozen=True)
class Table:
    """A table as it is sent: ``header`` is unique text; an index that must be sent is its first columns.

    ``take`` returns the rows at given positions, which rise, with that header. ``stretch`` returns one column, by its
    number, from a row up to another, of the same values; it is how a column is read without copying the whole.
    ``levels`` counts the columns that are an index. ``row_label`` is how a sample's row numbers are called where there
    is no such column. ``nan_is_null``: the library marks a missing value by NaN. ``facts`` are for the profile.
    ``labels`` are the names of the columns in the table itself, where they are other than the header.

    ``part`` is set where these are rows that were drawn of a larger table: then nothing here is known of the whole but
    what ``part`` says.
    """

    name: str
    what: str
    rows: int
    header: tuple[str, ...]
    dtypes: tuple[str, ...]
    take: Callable[[Any], Rows]
    stretch: Callable[[int, int, int], pd.Series[Any]]
    levels: int = 0
    row_label: str = "row"
    nan_is_null: bool = True
    facts: tuple[str, ...] = ()
    labels: tuple[object, ...] = ()
    part: Part | None = None

    def names_of(self, number: int) -> tuple[object, ...]:
        """Return every name that a column goes by: in the header, and in the table itself."""
        return (self.header[number], *self.labels[number : number + 1])
