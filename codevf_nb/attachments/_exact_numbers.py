"""Numbers with nulls beside them as pandas columns that change none of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


def numbers(values: np.ndarray[Any, Any], missing: np.ndarray[Any, Any]) -> pd.Series[Any]:
    """Return numbers or truth values as a column; where some are missing, of a type that keeps the others exact.

    Floats with nulls become objects: pandas takes a NaN for a null in its own nullable type.
    """
    import pandas as pd

    if not missing.any():
        return pd.Series(values)
    if values.dtype.kind == "f":
        listed = values.tolist() if values.dtype.itemsize == 8 else list(values)
        return pd.Series([None if gap else value for gap, value in zip(missing, listed, strict=True)], dtype=object)
    if values.dtype.kind == "b":
        return pd.Series(pd.arrays.BooleanArray(values.copy(), missing))
    return pd.Series(pd.arrays.IntegerArray(values.copy(), missing))
