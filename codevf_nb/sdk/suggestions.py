"""Which known name a mistyped one was most likely meant to be."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(word: str, names: Iterable[str]) -> str | None:
    """Return the name that most resembles a word, without regard to case; None where none does."""
    by_folded = {name.casefold(): name for name in names}
    found = get_close_matches(word.casefold(), by_folded, n=1, cutoff=0.7)
    return by_folded[found[0]] if found else None


def did_you_mean(word: str, names: Iterable[str]) -> str:
    """Return `` (did you mean NAME?)`` to put behind a message, empty where no name resembles the word."""
    found = nearest(word, names)
    return f" (did you mean {found}?)" if found else ""
