"""The working hours of CodeVF's engineers: 8am to 8pm in New York, every day according to the documentation.

Outside of these main hours "responses may be slower"; nothing is refused.
"""

from __future__ import annotations

from datetime import datetime, tzinfo
from zoneinfo import ZoneInfo

# The documentation says "EST"; that this means New York's time, summers too, is this project's assumption.
EASTERN = ZoneInfo("America/New_York")
OPENS, CLOSES = 8, 20  # hours of the day


def is_within_main_hours(moment: datetime) -> bool:
    """Whether an aware datetime is within the main hours."""
    return OPENS <= moment.astimezone(EASTERN).hour < CLOSES


def describe(moment: datetime, local: tzinfo | None = None) -> str:
    """Return a sentence about whether a moment is within the main hours, in Eastern and in local time.

    Args:
        moment: An aware datetime.
        local: The local time zone; None uses the machine's.
    """
    eastern, here = moment.astimezone(EASTERN), moment.astimezone(local)
    now = f"8am–8pm Eastern; now {eastern:%H:%M} there, {here:%H:%M} here"
    if is_within_main_hours(moment):
        return f"within the main hours ({now})"
    return f"outside the main hours, so responses may be slower ({now})"
