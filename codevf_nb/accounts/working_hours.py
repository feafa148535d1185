"""When CodeVF's engineers are at work: 8am to 8pm in New York, every day as far as the documentation says.

Outside of these main hours "responses may be slower"; nothing is refused. Time is a parameter here.
"""

from __future__ import annotations

from datetime import datetime, tzinfo
from zoneinfo import ZoneInfo

# The documentation says "EST"; that this means New York's time, summers too, is this project's assumption.
EASTERN = ZoneInfo("America/New_York")
OPENS, CLOSES = 8, 20  # hours of the day


def are_main(moment: datetime) -> bool:
    """Whether an aware moment lies within the main hours."""
    return OPENS <= moment.astimezone(EASTERN).hour < CLOSES


def told(moment: datetime, local: tzinfo | None = None) -> str:
    """Say whether a moment lies within the main hours, in Eastern and in local time (the machine's unless given)."""
    eastern, here = moment.astimezone(EASTERN), moment.astimezone(local)
    now = f"8am–8pm Eastern; now {eastern:%H:%M} there, {here:%H:%M} here"
    if are_main(moment):
        return f"within the main hours ({now})"
    return f"outside the main hours, so responses may be slower ({now})"
