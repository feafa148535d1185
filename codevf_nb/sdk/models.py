"""What travels between the client and the service, as frozen types.

Every answer keeps what it was read from in `.raw`: the parsed JSON, or the bytes where there was none. A
field that can't be read is None, since an answer that looks unusual must never hide the id of a paid task.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Any

from codevf_nb.sdk.exceptions import BadRequestError, InvalidModeError, InvalidTagError
from codevf_nb.sdk.parsing import clean, task_object_of
from codevf_nb.sdk.statuses import UNKNOWN_STATUS, TaskStatus
from codevf_nb.sdk.suggestions import did_you_mean


class ServiceMode(StrEnum):
    """How soon an answer is wanted, and by which factor that scales the cost (published, unverified)."""

    REALTIME_ANSWER = "realtime_answer"
    FAST = "fast"
    STANDARD = "standard"

    @property
    def multiplier(self) -> Decimal:
        """The factor of the cost: 2, 1.5 or 1."""
        return _MULTIPLIERS[self]

    @property
    def credit_range(self) -> tuple[int, int]:
        """The least and the most `max_credits` that the mode takes, in credits (published, unverified)."""
        return (60, 600) if self is ServiceMode.REALTIME_ANSWER else (240, 115_200)

    @property
    def meaning(self) -> str:
        """What the mode promises, in a few words (published, unverified; nothing is stated for standard)."""
        return _MEANINGS[self]

    @classmethod
    def known(cls, mode: object) -> ServiceMode | None:
        """The mode of that name, or None where there is none."""
        return cls(mode) if isinstance(mode, str) and mode in cls.__members__.values() else None

    @classmethod
    def of(cls, mode: str) -> ServiceMode:
        """The mode of that name; InvalidModeError names those there are."""
        if (known := cls.known(mode)) is not None:
            return known
        likely = did_you_mean(str(mode), cls)
        raise InvalidModeError(f"mode {mode!r} is not one of {', '.join(cls)}{likely}", code="invalid_mode")


_MULTIPLIERS = {
    ServiceMode.REALTIME_ANSWER: Decimal(2),
    ServiceMode.FAST: Decimal("1.5"),
    ServiceMode.STANDARD: Decimal(1),
}
_MEANINGS = {
    ServiceMode.REALTIME_ANSWER: "an instant answer",
    ServiceMode.FAST: "an answer within 4 hours",
    ServiceMode.STANDARD: "no time stated",
}


@dataclass(frozen=True)
class Project:
    """A group of tasks; its name is its identity, so creating it again gives it back."""

    id: int
    name: str
    description: str | None = None
    created_at: datetime | None = None
    raw: Any = field(default=None, repr=False, compare=False)


@dataclass(frozen=True)
class Tag:
    """A level of expertise. `cost_multiplier` scales what a task may cost."""

    id: int
    name: str
    display_name: str
    description: str | None
    cost_multiplier: Decimal
    is_active: bool = True
    sort_order: int | None = None
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    is_deprecated: bool = False
    raw: Any = field(default=None, repr=False, compare=False)


@dataclass(frozen=True)
class CreditBalance:
    """The account's credits: free, held by open tasks, and both together. None is what was not said.

    `at` is the time of the answer (its Date header), in UTC.
    """

    available: Decimal | None
    on_hold: Decimal | None
    total: Decimal | None
    at: datetime | None = None
    raw: Any = field(default=None, repr=False, compare=False)


@dataclass(frozen=True)
class TaskDeliverable:
    """A file that came with an answer. The name and the address are foreign text."""

    file_name: str
    url: str
    uploaded_at: datetime | None = None
    mime_type: str | None = None


@dataclass(frozen=True)
class TaskResult:
    """An engineer's answer: text, and files to download. `more` is whatever else came with them."""

    message: str | None
    deliverables: tuple[TaskDeliverable, ...] = ()
    more: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class TaskResponse:
    """A task as the service described it.

    `result` is a `TaskResult`, or plain data, as comes where a response schema was sent: according to the
    documentation AI generates such data. `mode` is a `ServiceMode` where it is a known one, else the text that came.
    Credits are whole or decimal credits, `retry_after` is the service's hint in seconds, `at` the time of the
    answer in UTC.
    """

    id: str
    status: str = UNKNOWN_STATUS
    mode: str | None = None
    max_credits: int | None = None
    tag_id_used: int | None = None
    expertise_multiplier: Decimal | None = None
    created_at: datetime | None = None
    credits_used: Decimal | None = None
    result: TaskResult | Any = None
    response_schema: Any = None
    at: datetime | None = None
    retry_after: float | None = field(default=None, compare=False)
    raw: Any = field(default=None, repr=False, compare=False)

    @property
    def is_final(self) -> bool:
        """Whether the task will never change again."""
        return TaskStatus.is_final(self.status)

    @property
    def is_structured(self) -> bool:
        """Whether the answer is data, not a person's text; before it is there, whether data was asked for."""
        return self.response_schema is not None if self.result is None else not isinstance(self.result, TaskResult)

    @property
    def mismatches(self) -> list[str]:
        """Where structured data does not fit the schema in this answer, a line each; the data stays as it came."""
        from codevf_nb.sdk.schemas import mismatches

        there = self.response_schema is not None and self.result is not None and self.is_structured
        return mismatches(self.result, self.response_schema) if there else []


def calculate_final_credit_cost(
    max_credits: int, mode: ServiceMode | str, tag_multiplier: Decimal | int | str = Decimal(1)
) -> int:
    """The most that a task can cost, in whole credits: credits × mode × tag, rounded up.

    The product is published, unverified: `calculate_final_credit_cost(50, ServiceMode.FAST, Decimal("1.6"))`
    is 120. Raises InvalidModeError, InvalidTagError (a multiplier that is no number) or BadRequestError
    (credits below 0).
    """
    if isinstance(max_credits, bool) or not isinstance(max_credits, int) or max_credits < 0:
        raise BadRequestError(f"max_credits {max_credits!r} is not a whole number of credits")
    try:
        multiplier = Fraction(str(tag_multiplier))
    except (ValueError, ZeroDivisionError):
        multiplier = Fraction(-1)
    if multiplier < 0:
        raise InvalidTagError(f"tag multiplier {tag_multiplier!r} is not a number of 0 or more")
    return math.ceil(max_credits * Fraction(ServiceMode.of(mode).multiplier) * multiplier)


def differences(
    response: TaskResponse,
    *,
    mode: str | None = None,
    max_credits: int | None = None,
    multiplier: Decimal | None = None,
    cost_cap: int | None = None,
) -> list[str]:
    """Where a task differs from what was asked and priced, a sentence each; empty where it does not.

    What either side leaves unsaid is no difference. `cost_cap` is the most that the task was to cost, in credits.
    """
    told = []
    if None not in (mode, response.mode) and mode != response.mode:
        told.append(f"mode: {mode} was asked for, CodeVF answered with {response.mode}.")
    if None not in (max_credits, response.max_credits) and max_credits != response.max_credits:
        told.append(f"credits: {max_credits:,} were asked for, CodeVF answered with {response.max_credits:,}.")
    if multiplier is not None and response.expertise_multiplier not in (None, multiplier):
        tag = "" if response.tag_id_used is None else f" (tag {response.tag_id_used})"
        told.append(f"expertise: priced at {multiplier}×, CodeVF answered with {response.expertise_multiplier}×{tag}.")
    worst = worst_case(response, mode=mode, max_credits=max_credits, multiplier=multiplier)
    if worst is not None and cost_cap is not None and worst > cost_cap:
        told.append(f"cost: priced at {cost_cap:,} credits at most, by CodeVF's answer it may be {worst:,}.")
    return told + _odd_charge(response, cost_cap)


def worst_case(
    response: TaskResponse, *, mode: str | None, max_credits: int | None, multiplier: Decimal | None
) -> int | None:
    """The most that a task can cost by what the service answered, and by what was asked where it said nothing.

    None where that can't be computed.
    """
    credits = max_credits if response.max_credits is None else response.max_credits
    factor = multiplier if response.expertise_multiplier is None else response.expertise_multiplier
    known = ServiceMode.known(response.mode or mode)
    if known is None or credits is None or factor is None or credits < 0 or factor < 0:
        return None
    return calculate_final_credit_cost(credits, known, factor)


def _odd_charge(response: TaskResponse, cost_cap: int | None) -> list[str]:
    """What is odd about the credits that a task used, if anything: below zero, above the most, or no number."""
    used, said = response.credits_used, task_object_of(response.raw).get("creditsUsed")
    if used is None:
        return [] if said is None else [f"charge: CodeVF says {clean(repr(said))}, which is no amount of credits."]
    if used < 0:
        return [f"charge: CodeVF says that {used:,f} credits were used; less than 0 can't be, so budgets count 0."]
    if cost_cap is not None and used > cost_cap:
        return [f"charge: CodeVF says that {used:,f} credits were used, and it was to cost {cost_cap:,} at most."]
    return []
