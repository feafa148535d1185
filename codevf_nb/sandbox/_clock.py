"""The sandbox's time, the machine's or a virtual one; and how the API writes times and credits."""

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
    """What time it is in the sandbox; both kinds can be moved ahead by hand."""

    def __init__(self, kind: str, at: datetime | None = None) -> None:
        self.virtual = kind == "virtual"
        self._at = at or VIRTUAL_START
        self._ahead = timedelta()
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """The sandbox's time, UTC-aware."""
        return (self._at if self.virtual else datetime.now(UTC)) + self._ahead

    def advance(self, seconds: float) -> None:
        """Move ahead by `seconds`; time never goes back."""
        if not seconds >= 0:
            raise ValueError(f"a clock can't go back: {seconds}")
        with self._lock:
            self._ahead += timedelta(seconds=seconds)

    def on_request(self) -> None:
        """An API request has arrived: the virtual clock moves."""
        if self.virtual:
            self.advance(SECONDS_PER_REQUEST)

    def on_open_poll(self) -> None:
        """A poll found its task still open: on the virtual clock, the wait until the next poll passes now."""
        if self.virtual:
            self.advance(SECONDS_PER_OPEN_POLL)


def in_service_hours(at: datetime) -> bool:
    """Whether the service's main hours hold at this moment."""
    from zoneinfo import ZoneInfo

    opens, closes, zone = SERVICE_HOURS
    return opens <= at.astimezone(ZoneInfo(zone)).hour < closes


def iso(at: datetime) -> str:
    """A time as the API writes it: `2025-12-18T10:00:00Z`."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def http_date(at: datetime) -> str:
    """A time as the `Date` header writes it."""
    return format_datetime(at.astimezone(UTC), usegmt=True)


def number(amount: Decimal) -> int | float:
    """Credits as a JSON number: whole where they are whole."""
    return int(amount) if amount == int(amount) else float(amount)
