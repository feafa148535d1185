"""Whether a text looks random. Keys look random; names, paths and prose don't."""

from __future__ import annotations

import re
from itertools import pairwise

_ALLOWED = re.compile(rb"[A-Za-z0-9+/=_~.:!@#$%^&*-]+")
_UUID = re.compile(rb"(?i)[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}")
_CLASSES = bytes(
    1 if 48 <= byte <= 57 else 2 if 65 <= byte <= 90 else 3 if 97 <= byte <= 122 else 0 for byte in range(256)
)
_LONG_WORD = re.compile(rb"[a-z]{7}|[A-Z]{8}")
_PIECE_OF_PATH = re.compile(rb"[./_-]")


def changes(value: bytes) -> float:
    """Return how often the class of characters (digit, capital, small letter) changes, as a share of the length.

    Random letters and digits give about 0.6, hexadecimal digits 0.5, and words joined by ``_`` less than 0.1.
    """
    classes = value.translate(_CLASSES)
    there = sum(1 for one, next_one in pairwise(classes) if one and next_one and one != next_one)
    return there / len(value) if value else 0.0


def is_random(value: bytes, least: int = 16) -> bool:
    """Whether a text is as long and mixed as keys are: not a name, path, number, date or sentence."""
    if len(value) < least or not _ALLOWED.fullmatch(value):
        return False
    digits = sum(48 <= byte <= 57 for byte in value)
    if not digits or digits == len(value) or len(set(value)) < 8:
        return False
    return changes(value) >= 0.25 or (changes(value) >= 0.18 and not _LONG_WORD.search(value))


def is_uuid(value: bytes) -> bool:
    """Whether a text is a UUID with hyphens. Without hyphens, it may be a key."""
    return b"-" in value and bool(_UUID.fullmatch(value))


def is_varied(value: bytes) -> bool:
    """Whether a text has more than one or two distinct characters, unlike examples (``xxxx``, ``0000``)."""
    return len(set(value[-12:])) > 2
