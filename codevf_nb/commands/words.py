"""Reading the rest of a subcommand's line, and saying what it has to say."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from codevf_nb.grammar import GrammarError


def say(text: str) -> None:
    """Print what a subcommand has to say."""
    print(text)  # noqa: T201 - a magic's output


def nothing(rest: str) -> None:
    """Refuse words where none can stand."""
    if rest:
        raise GrammarError(f"nothing can follow here, so {rest!r} can't be read.")


def value_of(option: str, words: Iterator[str], reader: Callable[[str], Any] = str) -> Any:
    """Return the next word as an option's value."""
    text = next(words, None)
    if text is None:
        raise GrammarError(f"{option} needs a value.")
    try:
        return reader(text)
    except ValueError:
        raise GrammarError(f"{option} needs a number, not {text!r}.") from None
