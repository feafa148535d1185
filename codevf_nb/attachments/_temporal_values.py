"""Convert dates, times and durations, stored as integers, to pandas without a loss of digits."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
# Two days inside Python's range of years, 1 … 9999.
_FIRST_SECOND, _LAST_SECOND = -62_135_424_000, 253_402_128_000
_FIRST_DAY = dt.date(1970, 1, 1).toordinal()


def to_timestamps(
    numbers: np.ndarray[Any, Any], missing: np.ndarray[Any, Any], unit: str, zone: str | None
) -> pd.Series[Any]:
    """Convert counts of a unit since 1970 to timestamps. With a time zone, the counts are in UTC."""
    import numpy as np
    import pandas as pd

    stamps = np.where(missing, np.iinfo(np.int64).min, numbers).astype(np.int64).view(f"M8[{unit}]")
    series = pd.Series(stamps)
    if zone is None:
        return series
    seconds = np.where(missing, 0, numbers) // _PER_SECOND[unit]
    if seconds.size and (seconds.max() > _LAST_SECOND or seconds.min() < _FIRST_SECOND):  # zones need Python dates
        texts = [None if gap else f"{text}+00:00" for gap, text in zip(missing, series.astype(str), strict=True)]
        return pd.Series(texts, dtype=object)
    return series.dt.tz_localize("UTC").dt.tz_convert(zone)


def to_durations(numbers: np.ndarray[Any, Any], missing: np.ndarray[Any, Any], unit: str) -> pd.Series[Any]:
    """Convert counts of a unit to durations."""
    import numpy as np
    import pandas as pd

    return pd.Series(np.where(missing, np.iinfo(np.int64).min, numbers).astype(np.int64).view(f"m8[{unit}]"))


def date_of(days: int | None) -> Any:
    """Convert days since 1970 to a date, or to text if the day is out of Python's range."""
    if days is None:
        return None
    if 1 <= days + _FIRST_DAY <= dt.date.max.toordinal():
        return dt.date.fromordinal(days + _FIRST_DAY)
    import numpy as np

    return str(np.datetime64(days, "D"))


def time_of(count: int | None, unit: str) -> Any:
    """Convert a count of a unit since midnight to a time, or to text if it is more precise than microseconds."""
    if count is None:
        return None
    seconds, fraction = divmod(count, _PER_SECOND[unit])
    micro, rest = divmod(fraction * 10**9 // _PER_SECOND[unit], 1000)
    if rest or seconds >= 86400:
        return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{micro * 1000 + rest:09}"
    return dt.time(seconds // 3600, seconds // 60 % 60, seconds % 60, micro)
