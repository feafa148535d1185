"""An account that always adds up: what is available and what is on hold are its total."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from codevf_nb.sandbox._errors import insufficient_credits


@dataclass
class Project:
    """A project as `projects/create` made it."""

    id: int
    name: str
    description: str | None
    created_at: datetime


@dataclass
class Account:
    """The credits and projects of one API key."""

    key: str
    available: Decimal
    on_hold: Decimal = Decimal(0)
    projects: dict[str, Project] = field(default_factory=dict)
    last_arrival: datetime | None = None

    @property
    def total(self) -> Decimal:
        """What is available and what is on hold."""
        return self.available + self.on_hold

    def hold(self, amount: Decimal) -> None:
        """Put credits on hold; 402 where there are too few."""
        if amount > self.available:
            raise insufficient_credits(self.available, amount)
        self.available -= amount
        self.on_hold += amount

    def settle(self, held: Decimal, used: Decimal) -> None:
        """End a hold: `used` of it is charged, the rest is available again."""
        if not 0 <= used <= held <= self.on_hold:
            raise ValueError(f"{used} credits can't be charged to a hold of {held}")
        self.on_hold -= held
        self.available += held - used

    def top_up(self, amount: Decimal) -> None:
        """Add credits."""
        if amount < 0:
            raise ValueError(f"{amount} credits can't be added")
        self.available += amount

    def wait(self, now: datetime, rate: float | None) -> float:
        """The seconds that this arrival is early, 0 where it is admitted; refused arrivals don't count."""
        if rate is None:
            return 0.0
        passed = (now - self.last_arrival).total_seconds() if self.last_arrival else 1 / rate
        # A machine's clock that was set back must not lock the account out.
        early = min(1 / rate - passed, 1 / rate)
        if early > 0:
            return early
        self.last_arrival = now
        return 0.0
