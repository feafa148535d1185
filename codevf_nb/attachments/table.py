"""What every kind of table is read as: a header, types, and any rows of it as a pandas frame."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Table:
    """A table as it is sent: ``header`` is unique text; an index that must be sent is its first columns.

    ``take`` returns the rows at given positions as a frame with that header. ``stretch`` returns one column, by its
    number, from a row up to another, of the same values; it is how a column is read without copying the whole.
    ``levels`` counts the columns that are an index. ``row_label`` is how a sample's row numbers are called where there
    is no such column. ``nan_is_null``: the library marks a missing value by NaN. ``facts`` are for the profile.
    ``labels`` are the names of the columns in the table itself, where they are other than the header.
    """

    name: str
    what: str
    rows: int
    header: tuple[str, ...]
    dtypes: tuple[str, ...]
    take: Callable[[Any], pd.DataFrame]
    stretch: Callable[[int, int, int], pd.Series[Any]]
    levels: int = 0
    row_label: str = "row"
    nan_is_null: bool = True
    facts: tuple[str, ...] = ()
    labels: tuple[object, ...] = ()

    def names_of(self, number: int) -> tuple[object, ...]:
        """Return every name that a column goes by: in the header, and in the table itself."""
        return (self.header[number], *self.labels[number : number + 1])


def framed(header: tuple[str, ...], columns: list[Any], rows: int) -> pd.DataFrame:
    """Return columns under a header of text of any kind, as a frame."""
    import pandas as pd

    series = [column.reset_index(drop=True) for column in columns]
    frame = pd.concat(series, axis=1) if series else pd.DataFrame(index=range(rows))
    return frame.set_axis(pd.Index(header, dtype=object), axis=1)
