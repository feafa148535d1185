"""The data types of the API, as frozen dataclasses.

`.raw` is the source of an object: the parsed JSON, or the bytes if they are not JSON. A field that can't be read is
None, because an unusual response must never hide the id of a paid task.
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
from codevf_nb.sdk.parsing import one_line, task_object_of
from codevf_nb.sdk.statuses import UNKNOWN_STATUS, TaskStatus
from codevf_nb.sdk.suggestions import did_you_mean


class ServiceMode(StrEnum):
    """How fast a task is answered, and the factor of its cost (published, unverified).

    Example:
        >>> ServiceMode.FAST.multiplier, ServiceMode.FAST.credit_range
        (Decimal('1.5'), (240, 115200))
    """

    REALTIME_ANSWER = "realtime_answer"
    FAST = "fast"
    STANDARD = "standard"

    @property
    def multiplier(self) -> Decimal:
        """The factor of the cost: 2, 1.5 or 1."""
        return _MULTIPLIERS[self]

    @property
    def credit_range(self) -> tuple[int, int]:
        """The smallest and the largest `max_credits` of the mode, in credits (published, unverified)."""
        return (60, 600) if self is ServiceMode.REALTIME_ANSWER else (240, 115_200)

    @property
    def meaning(self) -> str:
        """A short description of the mode (published, unverified; nothing is published for standard)."""
        return _MEANINGS[self]

    @classmethod
    def known(cls, mode: object) -> ServiceMode | None:
        """Return the mode with this name, or None."""
        return cls(mode) if isinstance(mode, str) and mode in cls.__members__.values() else None

    @classmethod
    def of(cls, mode: str) -> ServiceMode:
        """Return the mode with this name.

        Raises:
            InvalidModeError: There is no such mode. The message lists the modes.
        """
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
    """A group of tasks. The name is unique: `projects.create` returns an existing project with the same name."""

    id: int
    name: str
    description: str | None = None
    created_at: datetime | None = None
    raw: Any = field(default=None, repr=False, compare=False)


@dataclass(frozen=True)
class Tag:
    """A level of expertise. `cost_multiplier` is a factor of the cost of a task."""

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
    """The credits of an account. An amount that is missing in the response is None.

    Attributes:
        available: Credits for new tasks.
        on_hold: Credits that are held by open tasks.
        total: Both together.
        at: The time of the response (its Date header), in UTC.
    """

    available: Decimal | None
    on_hold: Decimal | None
    total: Decimal | None
    at: datetime | None = None
    raw: Any = field(default=None, repr=False, compare=False)


@dataclass(frozen=True)
class TaskDeliverable:
    """A file of an answer. Its name and its address are not trusted."""

    file_name: str
    url: str
    uploaded_at: datetime | None = None
    mime_type: str | None = None


@dataclass(frozen=True)
class TaskResult:
    """The answer of an engineer: a text, and files to download. `more` has all other fields of the answer."""

    message: str | None
    deliverables: tuple[TaskDeliverable, ...] = ()
    more: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class TaskResponse:
    """A task, as the service returned it.

    Attributes:
        id: The id of the task.
        status: A `TaskStatus`, or the text that the service sent.
        mode: A `ServiceMode`, or the text that the service sent.
        max_credits: The limit of the request, in credits.
        tag_id_used: The id of the tag.
        expertise_multiplier: The factor of the tag.
        created_at: The time of creation, in UTC.
        credits_used: The cost, in credits. It may have decimals.
        result: None, a `TaskResult`, or the data for a response schema. The documentation says that AI generates this
            data.
        response_schema: The JSON Schema of the request.
        at: The time of the response, in UTC.
        retry_after: Seconds until the next retrieval, as the service suggests.
        raw: The parsed JSON of the response.
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
        """Whether the answer is data and not a text. For an open task: whether data was requested."""
        return self.response_schema is not None if self.result is None else not isinstance(self.result, TaskResult)

    @property
    def mismatches(self) -> list[str]:
        """The differences between the data and its schema, one line each. The data itself is not changed."""
        from codevf_nb.sdk.schemas import mismatches

        there = self.response_schema is not None and self.result is not None and self.is_structured
        return mismatches(self.result, self.response_schema) if there else []


def calculate_final_credit_cost(
    max_credits: int, mode: ServiceMode | str, tag_multiplier: Decimal | int | str = Decimal(1)
) -> int:
    """Return the highest cost of a task: credits × mode × tag, rounded up (published, unverified).

    Args:
        max_credits: The limit of the request, in credits.
        mode: The mode of the task.
        tag_multiplier: The `cost_multiplier` of the tag.

    Returns:
        Whole credits.

    Raises:
        BadRequestError: The credits are not a whole number, or are below 0.
        InvalidModeError: The mode does not exist.
        InvalidTagError: The multiplier is not a number, or is below 0.

    Example:
        >>> from decimal import Decimal
        >>> calculate_final_credit_cost(50, ServiceMode.FAST, Decimal("1.6"))
        120
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
    """Compare a task with its request and price.

    A value that is None on one side is not compared.

    Args:
        response: The task.
        mode: The mode of the request.
        max_credits: The limit of the request, in credits.
        multiplier: The factor of the tag for which the request was priced.
        cost_cap: The highest cost for which the request was priced, in credits.

    Returns:
        A sentence for each difference.

    Example:
        >>> differences(TaskResponse("task_1", mode="fast"), mode="standard")
        ['mode: standard was asked for, CodeVF answered with fast.']
    """
    sentences = []
    if None not in (mode, response.mode) and mode != response.mode:
        sentences.append(f"mode: {mode} was asked for, CodeVF answered with {response.mode}.")
    if None not in (max_credits, response.max_credits) and max_credits != response.max_credits:
        sentences.append(f"credits: {max_credits:,} were asked for, CodeVF answered with {response.max_credits:,}.")
    if multiplier is not None and response.expertise_multiplier not in (None, multiplier):
        tag = "" if response.tag_id_used is None else f" (tag {response.tag_id_used})"
        sentences.append(
            f"expertise: priced at {multiplier}×, CodeVF answered with {response.expertise_multiplier}×{tag}."
        )
    worst = worst_case(response, mode=mode, max_credits=max_credits, multiplier=multiplier)
    if worst is not None and cost_cap is not None and worst > cost_cap:
        sentences.append(f"cost: priced at {cost_cap:,} credits at most, by CodeVF's answer it may be {worst:,}.")
    return sentences + _charge_problems(response, cost_cap)


def worst_case(
    response: TaskResponse, *, mode: str | None, max_credits: int | None, multiplier: Decimal | None
) -> int | None:
    """Return the highest cost of a task, from the response, or from the request if a field is missing there.

    Returns:
        Whole credits, or None if the cost can't be computed.
    """
    credits = max_credits if response.max_credits is None else response.max_credits
    factor = multiplier if response.expertise_multiplier is None else response.expertise_multiplier
    known = ServiceMode.known(response.mode or mode)
    if known is None or credits is None or factor is None or credits < 0 or factor < 0:
        return None
    return calculate_final_credit_cost(credits, known, factor)


def _charge_problems(response: TaskResponse, cost_cap: int | None) -> list[str]:
    """Return a sentence if the used credits are below zero, above the highest cost, or not a number."""
    used, sent = response.credits_used, task_object_of(response.raw).get("creditsUsed")
    if used is None:
        return [] if sent is None else [f"charge: CodeVF says {one_line(repr(sent))}, which is no amount of credits."]
    if used < 0:
        return [f"charge: CodeVF says that {used:,f} credits were used; less than 0 can't be, so budgets count 0."]
    if cost_cap is not None and used > cost_cap:
        return [f"charge: CodeVF says that {used:,f} credits were used, and it was to cost {cost_cap:,} at most."]
    return []
