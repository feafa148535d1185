"""Convert numbers with nulls to pandas columns without changing any number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


def numbers(values: np.ndarray[Any, Any], missing: np.ndarray[Any, Any]) -> pd.Series[Any]:
    """Convert numbers or booleans to a column. With missing values, its dtype keeps the others exact.

    Floats with nulls become objects, because the nullable dtypes of pandas treat NaN as a null.
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
