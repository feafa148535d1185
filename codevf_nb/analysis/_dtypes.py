"""The dtypes of every frame, and the conversion of ledger columns to them, a whole column at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
from sqlalchemy import Select

from codevf_nb.ledger import Store

TIME: Final = "datetime64[us, UTC]"
SPAN: Final = "timedelta64[us]"
CREDITS: Final = "Float64"
TEXT: Final = "string"
COUNT: Final = "Int64"
FLAG: Final = "boolean"


def read(store: Store, query: Select[Any], columns: Mapping[str, str]) -> pd.DataFrame:
    """Run a query that selects exactly these columns, in this order, and return them in their dtypes."""
    with store.read() as connection:
        rows = connection.execute(query).all()
    return framed(rows, columns)


def framed(rows: Sequence[Sequence[Any]], columns: Mapping[str, str]) -> pd.DataFrame:
    """Return rows of cells, in the order of these columns, as a frame in their dtypes."""
    cells = list(zip(*rows, strict=True)) or [()] * len(columns)
    return pd.DataFrame({name: _column(found, columns[name]) for name, found in zip(columns, cells, strict=True)})


def _column(cells: Sequence[Any], dtype: str) -> pd.Series:
    """Return cells of the ledger (times and durations in seconds, None for missing) as a column of a dtype."""
    if dtype in (TIME, SPAN):
        seconds = np.array(cells, dtype="float64")
        return pd.Series(times(seconds) if dtype == TIME else spans(seconds))
    if dtype in (CREDITS, COUNT):
        amounts = pd.Series(np.array(cells, dtype="float64"), dtype=CREDITS)
        return amounts if dtype == CREDITS else amounts.astype(COUNT)
    if dtype == FLAG:
        return pd.Series(np.array(cells, dtype=bool), dtype=FLAG)
    return pd.Series(cells, dtype=TEXT)


def times(seconds: np.ndarray[Any, Any]) -> pd.DatetimeIndex:
    """Return seconds since 1970 UTC (NaN: unknown) as times, to the millisecond."""
    return pd.DatetimeIndex(_milliseconds(seconds).view("M8[ms]").astype("M8[us]"), tz="UTC")


def spans(seconds: np.ndarray[Any, Any]) -> pd.TimedeltaIndex:
    """Return durations in seconds (NaN: unknown) as Timedeltas, to the millisecond."""
    return pd.TimedeltaIndex(_milliseconds(seconds).view("m8[ms]").astype("m8[us]"))


def typed(frame: pd.DataFrame, columns: Mapping[str, str]) -> pd.DataFrame:
    """Return a frame with exactly these columns in their dtypes."""
    return frame.reindex(columns=list(columns)).astype(dict(columns))


def _milliseconds(seconds: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    unknown = np.isnan(seconds)
    whole = np.round(np.where(unknown, 0.0, seconds) * 1000).astype("int64")
    return np.where(unknown, np.iinfo("int64").min, whole)  # the least number is NaT
