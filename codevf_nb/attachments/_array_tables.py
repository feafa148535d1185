"""Read numpy arrays as tables."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from codevf_nb.attachments._headers import unique_header
from codevf_nb.attachments._rows import Rows
from codevf_nb.attachments._table import Table
from codevf_nb.attachments.attachment import AttachmentError, is_a

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

_FINER = ("ps", "fs", "as")  # pandas would round values of these units


def from_array(name: str, array: np.ndarray[Any, Any]) -> Table:
    """Read an array as a table with one row for each position along all axes except the last.

    An array of more than two axes gets its positions along these axes as its first columns.

    Raises:
        AttachmentError: The array has no axis.
    """
    import numpy as np

    what = f"numpy array of shape {array.shape}, {array.dtype}"
    facts: tuple[str, ...] = ()
    if is_a(array, "numpy", "MaskedArray"):
        count = int(np.ma.getmaskarray(array).sum())
        facts = (f"It is a masked array: {count:,} of {array.size:,} values are masked, and are empty cells.",)
    else:
        array = np.asarray(array)  # every slice of a matrix keeps two axes
    if array.ndim == 0:
        raise AttachmentError(f"{name} is an array without dimensions: attach {name}.tolist().")
    fields = list(array.dtype.names or ())
    lead = array.shape if array.ndim == 1 or fields else array.shape[:-1]
    axes = [f"axis_{number}" for number in range(len(lead))] if len(lead) > 1 or 0 in array.shape[1:] else []
    data = fields or (["value"] if lead == array.shape else [str(number) for number in range(array.shape[-1])])
    header = unique_header([*axes, *data])

    def columns(positions: Any) -> list[Any]:
        at = np.unravel_index(np.asarray(positions, dtype=np.int64), lead)
        part = array[at]
        listed = [part[field] for field in fields] or ([part] if lead == array.shape else list(part.T))
        return [*(at if axes else ()), *listed]

    def take(positions: Any) -> Rows:
        return _rows(columns(positions), header, len(positions))

    def column_slice(number: int, start: int, stop: int) -> pd.Series[Any]:
        return _column(columns(range(start, stop))[number])

    dtypes = ["int64"] * len(axes)
    dtypes += [str(array.dtype[field]) for field in fields] if fields else [str(array.dtype)] * len(data)
    return Table(name, what, math.prod(lead), header, tuple(dtypes), take, column_slice, facts=facts)


def _rows(columns: list[Any], header: tuple[str, ...], count: int) -> Rows:
    import numpy as np

    def stack(numbers: list[int]) -> Any:
        return np.concatenate([columns[number] for number in numbers])

    kinds = [values.dtype if _is_plain(values) else None for values in columns]
    return Rows(header, count, lambda number: _column(columns[number]), kinds, stack)


def _is_plain(values: Any) -> bool:
    """Whether pandas accepts values of this dtype without a conversion."""
    return values.ndim == 1 and values.dtype.kind in "iufbc" and not is_a(values, "numpy", "MaskedArray")


def _column(values: Any) -> pd.Series[Any]:
    """Return one field, or one position of the last axis, as a column."""
    import numpy as np
    import pandas as pd

    if is_a(values, "numpy", "MaskedArray"):
        missing, known = np.ma.getmaskarray(values), values.filled()
        if values.ndim > 1 or values.dtype.names:
            return pd.Series(values.tolist(), dtype=object)
        listed = [None if gap else value for gap, value in zip(missing, list(known), strict=True)]
        return pd.Series(listed if missing.any() else list(known), dtype=object if missing.any() else None)
    if values.ndim > 1 or values.dtype.names:  # the field is an array or has fields of its own
        return pd.Series([_nested(value) for value in values], dtype=object)
    if values.dtype.kind in "VmM" and (values.dtype.kind == "V" or np.datetime_data(values.dtype)[0] in _FINER):
        return pd.Series([None if value != value else str(value) for value in values], dtype=object)  # noqa: PLR0124
    return pd.Series(values)


def _nested(value: Any) -> Any:
    names = getattr(value.dtype, "names", None)
    return {name: value[name] for name in names} if names else value
