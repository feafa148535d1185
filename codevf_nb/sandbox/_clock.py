"""The clock of the sandbox, real or virtual, and the API's format of times and credits."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime

from codevf_nb.sandbox._rules import SERVICE_HOURS

VIRTUAL_START = datetime(2026, 1, 5, 15, tzinfo=UTC)  # a Monday, 10 am in New York
SECONDS_PER_REQUEST = 1
SECONDS_PER_OPEN_POLL = 10


class Clock:
    """The clock of the sandbox. Both kinds can be advanced."""

    def __init__(self, kind: str, at: datetime | None = None) -> None:
        self.virtual = kind == "virtual"
        self._at = at or VIRTUAL_START
        self._ahead = timedelta()
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """Return the time of the sandbox, in UTC."""
        return (self._at if self.virtual else datetime.now(UTC)) + self._ahead

    def advance(self, seconds: float) -> None:
        """Advance the clock. It can't go back."""
        if not seconds >= 0:
            raise ValueError(f"a clock can't go back: {seconds}")
        with self._lock:
            self._ahead += timedelta(seconds=seconds)

    def on_request(self) -> None:
        """Advance the virtual clock for a request to the API."""
        if self.virtual:
            self.advance(SECONDS_PER_REQUEST)

    def on_open_poll(self) -> None:
        """Advance the virtual clock to the next poll, after a poll of an open task."""
        if self.virtual:
            self.advance(SECONDS_PER_OPEN_POLL)


def in_service_hours(at: datetime) -> bool:
    """Return whether a time is in the main hours of the service."""
    from zoneinfo import ZoneInfo

    opens, closes, zone = SERVICE_HOURS
    return opens <= at.astimezone(ZoneInfo(zone)).hour < closes


def iso(at: datetime) -> str:
    """Format a time for the API: `2025-12-18T10:00:00Z`."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def http_date(at: datetime) -> str:
    """Format a time for the `Date` header."""
    return format_datetime(at.astimezone(UTC), usegmt=True)


def number(amount: Decimal) -> int | float:
    """Return credits as a JSON number, without decimals if they are zero."""
    return int(amount) if amount == int(amount) else float(amount)
