"""Suggestions for mistyped names."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(word: str, names: Iterable[str]) -> str | None:
    """Return the name that is most similar to a word, in upper or lower case, or None."""
    by_folded = {name.casefold(): name for name in names}
    found = get_close_matches(word.casefold(), by_folded, n=1, cutoff=0.7)
    return by_folded[found[0]] if found else None


def did_you_mean(word: str, names: Iterable[str]) -> str:
    """Return ` (did you mean NAME?)` for the end of a message, or an empty text if no name is similar."""
    found = nearest(word, names)
    return f" (did you mean {found}?)" if found else ""
