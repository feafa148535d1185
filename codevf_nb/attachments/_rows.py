"""Rows of a table, stored by column. Only the requested columns are converted to pandas.

A table may have a hundred thousand columns. To convert each one to pandas would take most of the time, and only a few
are needed as pandas columns: join keys, and the columns that the profile describes. The texts of the others are made
for all columns of one type together.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from codevf_nb.attachments._cell_text import Texts, texts
from codevf_nb.attachments.attachment import is_a

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Rows:
    """Rows of a table with a header of unique text.

    Attributes:
        make: Returns a column, by its number, as a pandas Series.
        stack: Returns a pandas or numpy array with the values of several columns of one kind, column after column; None
            if their types can't be combined without a change.
        kinds: The kind of each column. Columns of kind None, such as nested ones, are never stacked.
    """

    header: tuple[str, ...]
    count: int
    make: Callable[[int], pd.Series[Any]]
    kinds: Sequence[Any]
    stack: Callable[[list[int]], Any]
    _made: dict[int, pd.Series[Any]] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {name: number for number, name in enumerate(self.header)}

    def __contains__(self, name: object) -> bool:
        return name in self._numbers

    def __getitem__(self, name: str) -> pd.Series[Any]:
        return self.column(self._numbers[name])

    def column(self, number: int) -> pd.Series[Any]:
        """Return a column by its number."""
        if number not in self._made:
            self._made[number] = self.make(number)
        return self._made[number]

    def frame(self, names: Sequence[str]) -> pd.DataFrame:
        """Return columns, by their names, as a frame."""
        import pandas as pd

        columns = [self[name].array for name in names]
        # A frame may be very wide: to combine arrays takes half the time of combining series.
        frame = pd.DataFrame(dict(enumerate(columns)), index=pd.RangeIndex(self.count))
        return frame.set_axis(pd.Index(names, dtype=object), axis=1)

    def holds_single_values(self, number: int) -> bool:
        """Whether the type of a column excludes nested values."""
        kind = self.kinds[number]
        return kind is not None and not (is_a(kind, "numpy", "dtype") and kind.kind == "O")

    def with_columns(self, changed: Mapping[int, pd.Series[Any]]) -> Rows:
        """Return the same rows with some columns replaced, by their numbers."""
        kinds = [None if number in changed else kind for number, kind in enumerate(self.kinds)]
        return Rows(
            self.header,
            self.count,
            lambda number: changed[number] if number in changed else self.make(number),
            kinds,
            self.stack,
        )

    def hstack(self, others: Rows) -> Rows:
        """Return these columns followed by the columns of other rows of the same length."""
        first = len(self.header)

        def make(number: int) -> pd.Series[Any]:
            return self.make(number) if number < first else others.make(number - first)

        # These columns are never stacked: they are the few levels of an index.
        kinds = [*([None] * first), *others.kinds]
        return Rows(
            (*self.header, *others.header),
            self.count,
            make,
            kinds,
            lambda numbers: others.stack([number - first for number in numbers]),
        )

    def texts(self, *, nan_is_null: bool) -> list[Texts]:
        """Return the text of each cell, column by column."""
        found: dict[int, Texts] = {}
        groups: dict[Hashable, list[int]] = {}
        for number, kind in enumerate(self.kinds):
            groups.setdefault(kind, []).append(number)
        for kind, numbers in groups.items():
            stacked = self.stack(numbers) if kind is not None and len(numbers) > 1 else None
            if stacked is None:
                for number in numbers:
                    found[number] = texts(self.make(number).array, nan_is_null=nan_is_null)
                continue
            listed = texts(stacked, nan_is_null=nan_is_null, length=self.count)
            for place, number in enumerate(numbers):
                found[number] = listed[place * self.count : (place + 1) * self.count]
        return [found[number] for number in range(len(self.header))]


def rows_of_frame(frame: pd.DataFrame, header: tuple[str, ...]) -> Rows:
    """Return all rows of a pandas frame."""
    import numpy as np

    arrays = _arrays(frame)

    def stack(numbers: list[int]) -> Any:
        columns = [arrays[number] for number in numbers]
        if is_a(columns[0], "numpy", "ndarray"):
            return np.concatenate(columns)
        return type(columns[0])._concat_same_type(columns)  # noqa: SLF001 - in the interface of extension arrays

    def make(number: int) -> pd.Series[Any]:
        return frame.iloc[:, number].reset_index(drop=True)

    return Rows(header, len(frame), make, [_kind(array.dtype) for array in arrays], stack)


def _arrays(frame: pd.DataFrame) -> list[Any]:
    """Return the array of each column."""
    at_once = getattr(frame, "_iter_column_arrays", None)  # 40 times faster in a wide frame
    return list(at_once()) if at_once else [column.array for _, column in frame.items()]


def _kind(dtype: Any) -> Any:
    """Return a pandas dtype if the texts of its values don't depend on other values, else None."""
    if is_a(dtype, "numpy", "dtype"):
        return dtype if dtype.kind in "iufbcOmM" else None
    if is_a(dtype, "pandas", "ArrowDtype"):
        from codevf_nb.attachments._arrow_values import is_single

        return dtype if is_single(dtype.pyarrow_dtype) else None
    known = ("StringDtype", "BaseMaskedDtype", "DatetimeTZDtype")
    return dtype if any(is_a(dtype, "pandas", name) for name in known) else None
