"""The options of a sandbox, for the command line, the process and `Sandbox`."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from codevf_nb.sandbox._errors import SandboxError
from codevf_nb.sandbox._faults import Fault

CLOCK_DEFAULTS: dict[str, tuple[float, float | None]] = {"real": (4.0, 1.0), "virtual": (25.0, None)}
"""For each kind of clock: seconds until the answer, and requests per second (None is no limit)."""

BY_CLOCK: Any = "by clock"
"""The default of an option that depends on the kind of clock."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """The options of a sandbox.

    Attributes:
        port: The port on 127.0.0.1. 0 uses a free port.
        api_key: The first API key. It also allows the control routes.
        api_keys: Further API keys. Each one has its own account.
        credits: The credits of a new account.
        reviewer: `auto`, or `none` for tasks that are answered by hand.
        answer_after: Seconds from the creation of a task to its answer.
        rate_limit: Requests per second and key, or None for no limit.
        seed: Makes ids, times, answers and faults repeatable.
        clock: `real` or `virtual`. The virtual clock advances with each request.
        faults: Fault rules, for example `create:2:drop-after-commit`.
        state: A file that keeps accounts and tasks after a restart.
        slow_outside_hours: Whether answers take longer outside of the service's main hours.
        idle_exit: Seconds without a request after which the process stops.

    Raises:
        SandboxError: An option is not valid.
    """

    port: int = 0
    api_key: str = "cvf_test_sandbox"
    api_keys: tuple[str, ...] = ()
    credits: float = 100_000
    reviewer: str = "auto"
    answer_after: float = BY_CLOCK
    rate_limit: float | None = BY_CLOCK
    seed: int = 0
    clock: str = "real"
    faults: tuple[str, ...] = ()
    state: Path | None = None
    slow_outside_hours: bool = False
    idle_exit: float | None = None

    def __post_init__(self) -> None:
        _one_of("clock", self.clock, ("real", "virtual"))
        _one_of("reviewer", self.reviewer, ("auto", "none"))
        answer_after, rate_limit = CLOCK_DEFAULTS[self.clock]
        for name, value in (("answer_after", answer_after), ("rate_limit", rate_limit)):
            if getattr(self, name) == BY_CLOCK or (name == "answer_after" and self.answer_after is None):
                object.__setattr__(self, name, value)
        for name in ("faults", "api_keys"):
            object.__setattr__(self, name, tuple(getattr(self, name) or ()))
        _at_least("credits", self.credits, 0)
        _at_least("answer_after", self.answer_after, 0)
        if self.rate_limit is not None and not (_finite(self.rate_limit) and self.rate_limit > 0):
            raise SandboxError(f"rate limit {self.rate_limit!r}: a number of requests per second above 0, or off")
        for key in (self.api_key, *self.api_keys):
            check_key(key)
        for rule in self.faults:
            Fault.parse(rule)

    @property
    def keys(self) -> tuple[str, ...]:
        """All API keys, starting with `api_key`."""
        return (self.api_key, *(key for key in self.api_keys if key != self.api_key))

    def public_options(self) -> dict[str, Any]:
        """Return the options as JSON values, without API keys, paths and the port."""
        hidden = {"api_key", "api_keys", "state", "port", "idle_exit"}
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(self).items()
            if name not in hidden
        }


def check_option_names(names: set[str]) -> None:
    """Raise SandboxError for an option that does not exist."""
    unknown = names - {field.name for field in fields(Options)}
    if unknown:
        raise SandboxError(f"unknown sandbox option: {', '.join(sorted(unknown))}")


def check_key(key: str) -> None:
    """Raise SandboxError for a live key, and for a key that a header can't have."""
    if not key.startswith("cvf_test_") or not key.isascii() or not key.isprintable() or " " in key:
        raise SandboxError("a sandbox's key is cvf_test_ and printable characters; cvf_live_ keys are not allowed")


def rate(text: str) -> float | None:
    """Parse a rate limit of the command line: requests per second, or `off`."""
    if text == "off":
        return None
    try:
        return float(text)
    except ValueError:
        raise SandboxError(f"rate limit {text!r}: a number of requests per second, or off") from None


def to_credits(value: float | str | Decimal) -> Decimal:
    """Return an exact number of credits. Raise SandboxError for anything else."""
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        raise SandboxError(f"{value!r} is not a number of credits") from None
    if not amount.is_finite() or amount < 0:
        raise SandboxError(f"{value!r} is not a number of credits")
    return amount


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise SandboxError(f"{name} {value!r}: one of {', '.join(allowed)}")


def _finite(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _at_least(name: str, value: Any, least: float) -> None:
    if not _finite(value) or value < least:
        raise SandboxError(f"{name} {value!r}: a number from {least:g} up")
