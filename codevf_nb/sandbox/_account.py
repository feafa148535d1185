"""Accounts. The available credits and the credits on hold always add up to the total."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from codevf_nb.sandbox._errors import insufficient_credits


@dataclass
class Project:
    """A project that was created by `projects/create`."""

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
        """The available credits and the credits on hold."""
        return self.available + self.on_hold

    def hold(self, amount: Decimal) -> None:
        """Put credits on hold. Raise the error 402 if there are too few."""
        if amount > self.available:
            raise insufficient_credits(self.available, amount)
        self.available -= amount
        self.on_hold += amount

    def settle(self, held: Decimal, used: Decimal) -> None:
        """End a hold: charge `used` credits, and make the rest available again."""
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
        """Return how many seconds a request is too early, or 0 if it is admitted. Refused requests are not counted."""
        if rate is None:
            return 0.0
        passed = (now - self.last_arrival).total_seconds() if self.last_arrival else 1 / rate
        # After the clock of the machine is set back, the account must not be blocked.
        early = min(1 / rate - passed, 1 / rate)
        if early > 0:
            return early
        self.last_arrival = now
        return 0.0
