"""Hash the values of key columns to 64-bit integers; two hashes are equal if a join treats the values as equal.

7, 7.0 and Decimal(7) are the same key. A category equals its text, and a timestamp is equal in any unit. Two different
keys have the same hash about once in 10^19 pairs.
"""

from __future__ import annotations

import decimal
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from codevf_nb.attachments._cell_text import is_nested
from codevf_nb.attachments._json_values import is_missing
from codevf_nb.attachments._table import Table
from codevf_nb.attachments.attachment import is_a

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

_BATCH_ROWS = 1 << 18  # rows per batch
KEPT_ROWS = 3_000_000  # hashes of up to this many rows are cached; more are computed again when needed
_SALT = 0x9E3779B97F4A7C15


class NoKeyError(TypeError):
    """A column holds values that can't be keys, such as lists."""


@dataclass(frozen=True)
class Keys:
    """One or more columns of a table as one key."""

    table: Table
    columns: tuple[str, ...]

    def hash_batches(self) -> Iterator[tuple[int, Any, Any]]:
        """Yield for each batch of rows its first row, the hashes, and which keys are null."""
        numbers = [self.table.header.index(column) for column in self.columns]
        for start in range(0, max(1, self.table.rows), _BATCH_ROWS):
            stop = min(start + _BATCH_ROWS, self.table.rows)
            yield start, *hashed([self.table.column_slice(number, start, stop) for number in numbers])

    def all(self) -> tuple[Any, Any]:
        """Return all hashes, and which keys are null."""
        import numpy as np

        parts = list(self.hash_batches())
        return np.concatenate([part[1] for part in parts]), np.concatenate([part[2] for part in parts])

    def positions_of(self, wanted: Any) -> Any:
        """Return the positions of the rows that have one of these keys."""
        import numpy as np
        import pandas as pd

        found = [np.zeros(0, dtype=np.int64)]
        for start, numbers, missing in self.hash_batches():
            found.append(np.flatnonzero(pd.Series(numbers).isin(wanted).to_numpy() & ~missing) + start)
        return np.concatenate(found)

    def has(self, wanted: Any) -> Any:
        """Return which of these keys occur in the table."""
        import numpy as np
        import pandas as pd

        found = np.zeros(len(wanted), dtype=bool)
        for _, numbers, missing in self.hash_batches():
            found |= pd.Series(wanted).isin(numbers[~missing]).to_numpy()
        return found


def hashed(columns: Sequence[pd.Series[Any]]) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Return a hash for each row of one or more columns, and which rows have a null in one of them.

    Raises:
        NoKeyError: A column has nested values.
    """
    import numpy as np

    numbers, missing = _hashed(columns[0])
    for column in columns[1:]:
        more, gaps = _hashed(column)
        numbers = numbers ^ (more + np.uint64(_SALT) + (numbers << np.uint64(6)) + (numbers >> np.uint64(2)))
        missing = missing | gaps
    return numbers, missing


def _hashed(column: pd.Series[Any]) -> tuple[Any, Any]:
    import numpy as np
    import pandas as pd

    dtype: Any = column.dtype
    missing = column.isna().to_numpy(dtype=bool)
    if is_a(dtype, "pandas", "CategoricalDtype"):
        names, _ = _hashed(pd.Series(dtype.categories))
        codes = column.cat.codes.to_numpy()
        return (names[codes] if len(names) else np.zeros(len(column), dtype=np.uint64)), missing
    if is_a(dtype, "pandas", "BaseMaskedDtype"):
        return _of_array(column.to_numpy(dtype=dtype.numpy_dtype, na_value=0)), missing
    if is_a(dtype, "pandas", "ArrowDtype"):
        import pyarrow as pa

        from codevf_nb.attachments._arrow_values import series_of

        return _hashed(series_of(pa.chunked_array(column.array.__arrow_array__())))
    if dtype.kind in "mM":
        return _of_timestamps(column), missing
    is_numbers = dtype.kind in "iubf"
    return _of_array(np.asarray(column)) if is_numbers else _of_objects(column.astype(object).tolist()), missing


def _of_array(values: Any) -> Any:
    return _of_floats(values) if values.dtype.kind == "f" else _of_whole(values)


def _of_whole(values: Any) -> Any:
    import numpy as np
    import pandas as pd

    plain = pd.util.hash_array(values.astype(np.uint64 if values.dtype.kind == "u" else np.int64).view(np.int64))
    if values.dtype == np.uint64:  # numbers above the signed range have the bits of a negative number
        plain = np.where(values >= np.uint64(2**63), plain ^ np.uint64(_SALT), plain)
    return plain


def _of_floats(values: Any) -> Any:
    import numpy as np
    import pandas as pd

    values = values.astype(np.float64)
    whole = np.isfinite(values) & (np.abs(values) < 2.0**63) & (values == np.floor(values))
    integers = np.where(whole, values, 0).astype(np.int64)
    return np.where(whole, _of_whole(integers), pd.util.hash_array(values) ^ np.uint64(_SALT))


def _of_timestamps(column: pd.Series[Any]) -> Any:
    import numpy as np

    values = column.dt.tz_convert("UTC").dt.tz_localize(None) if getattr(column.dtype, "tz", None) else column
    stamps = values.to_numpy()
    unit = np.datetime_data(stamps.dtype)[0]
    counts = stamps.view(np.int64)
    if unit == "ns":
        micro, rest = np.divmod(counts, 1000)
        return _of_whole(micro) ^ np.where(rest != 0, _of_whole(rest), np.uint64(0))
    return _of_whole(counts * {"s": 10**6, "ms": 10**3, "us": 1}[unit])


def _of_objects(values: list[Any]) -> Any:
    import numpy as np
    import pandas as pd

    if values and all(type(value) is str for value in values):
        return pd.util.hash_array(np.array(values, dtype=object), categorize=False)
    texts, whole, is_whole = [], [], []
    for value in values:
        if is_nested(value):
            raise NoKeyError("nested values can't be keys")
        number = _as_whole(value)
        is_whole.append(number is not None)
        whole.append(number or 0)
        texts.append(value if type(value) is str else "" if is_missing(value) else f"\0{type(value).__name__}\0{value}")
    plain = pd.util.hash_array(np.array([*texts, None], dtype=object)[:-1], categorize=False)
    return np.where(np.array(is_whole, dtype=bool), _of_whole(np.array(whole, dtype=np.int64)), plain)


def _as_whole(value: Any) -> int | None:
    """Return an integral number of any type as an int if it fits 64 bits, else None."""
    if (
        type(value) is not int
        and not isinstance(value, float | decimal.Decimal)
        and not is_a(value, "numpy", "integer")
    ):
        return None
    try:
        number = int(value)
    except (ValueError, OverflowError):  # NaN, inf
        return None
    return number if number == value and -(2**63) <= number < 2**63 else None
