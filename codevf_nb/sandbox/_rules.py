"""The limits, prices and assumptions of the API.

Sources: [D] the API documentation, [S] the Python SDK's README, [P] published elsewhere,
unverified, [A] an assumption of this project.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal

API_PREFIX = "/api/v1/"

PROMPT_CHARACTERS = (10, 10_000)  # [D]
MAX_CREDITS = (60, 115_200)  # [D]
DEFAULT_MODE = "standard"  # [D]
ATTACHMENTS = 5  # [D]
ATTACHMENT_BYTES = 50 * 1024 * 1024  # [D] says 50 MB, [A] binary megabytes
BODY_BYTES = 100 * 1024 * 1024  # [A] enough for the largest attachment in base64 (70 MB), but not for five of them
NAME_CHARACTERS = (1, 200)  # [A] a project's name
DESCRIPTION_CHARACTERS = 2_000  # [A]
FILE_NAME_CHARACTERS = (1, 255)  # [A]
IDEMPOTENCY_SECONDS = 24 * 3600  # [P]
PROCESSING_AFTER = 0.25  # [A] the share of the time to the answer for which a task is pending; then it is processing
OUTSIDE_HOURS_FACTOR = 4  # [A] with --slow-outside-hours: [D] only says that answers "may be slower"
HINT_SECONDS = 30  # [A] Retry-After announces an answer in this time
SERVICE_HOURS = (8, 20, "America/New_York")  # [D] "8am-8pm EST", [A] which follows daylight saving time

BASE_SHARE = Decimal("0.4")  # [A] the share of the hold that every answer uses
CREDITS_PER_FINDING = 2  # [A]
CREDITS_PER_KIBIBYTE = 1  # [A] of attached text that the reviewer read


@dataclass(frozen=True)
class Mode:
    """A service mode: its multiplier [P] and its range of `maxCredits` [P]."""

    multiplier: Decimal
    least: int
    most: int


MODES = {
    "realtime_answer": Mode(Decimal(2), 60, 600),
    "fast": Mode(Decimal("1.5"), 240, 115_200),
    "standard": Mode(Decimal(1), 240, 115_200),
}


@dataclass(frozen=True)
class Tag:
    """A level of expertise: its multiplier is a factor of the cost of a task [P]."""

    id: int
    name: str
    display_name: str
    description: str
    multiplier: Decimal
    sort_order: int
    active: bool = True


TAGS = {
    tag.id: tag
    for tag in (
        Tag(1, "engineer", "Engineer", "Software engineers for production code.", Decimal("1.7"), 1),
        Tag(4, "vibe_coder", "Vibe Coder", "Builders who work with AI tools.", Decimal("1.5"), 2),
        Tag(5, "general_purpose", "General Purpose", "Reviewers for any question.", Decimal("1.0"), 3),
        Tag(9, "legacy", "Legacy", "Retired: new tasks can't use it.", Decimal("1.2"), 9, active=False),  # [A]
    )
}
DEFAULT_TAG = 1  # [D] its example answers an untagged task with `tagIdUsed: 1`; [P] says General Purpose


def hold_for(max_credits: Decimal, mode: str, tag: int) -> Decimal:
    """Return the highest cost of a task, in whole credits. It is put on hold at the creation [S P]."""
    return Decimal(math.ceil(max_credits * MODES[mode].multiplier * TAGS[tag].multiplier))


def used_by(hold: Decimal, findings: int, bytes_read: int) -> Decimal:
    """Return the cost of an automated answer: a base share and a part for its work, at most the hold [A]."""
    work = CREDITS_PER_FINDING * findings + CREDITS_PER_KIBIBYTE * (bytes_read // 1024)
    return min(hold, Decimal(math.ceil(BASE_SHARE * hold)) + work)
