"""Reading the rest of a subcommand's line, and saying what it has to say."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from codevf_nb.notebook.grammar import GrammarError

REFRESH = "--refresh"


class CommandResult(list[Any]):
    """What a subcommand found: a list to keep, shown as the lines that told of it at that moment."""

    def __init__(self, found: Iterable[Any], lines: Iterable[str]) -> None:
        super().__init__(found)
        self._text = "\n".join(lines)

    def __repr__(self) -> str:
        return self._text


def say(text: str) -> None:
    """Print what a subcommand has to say."""
    print(text)  # noqa: T201 - a magic's output


def nothing(rest: str) -> None:
    """Refuse words where none can stand."""
    if rest:
        raise GrammarError(f"nothing can follow here, so {rest!r} can't be read.")


def split(rest: str) -> list[str]:
    """Split a line into words as a shell does, so that a quoted name with blanks is one."""
    try:
        return shlex.split(rest)
    except ValueError as error:
        raise GrammarError(f"{rest!r} can't be read: {str(error).lower()}.") from None


def refreshing(rest: str, *, words: bool = True) -> tuple[list[str], bool]:
    """Return a line's words, and whether ``--refresh`` was among them; without ``words`` nothing else may be."""
    given = split(rest)
    others = [word for word in given if word != REFRESH]
    for word in others:
        if word.startswith("-"):
            raise GrammarError(f"there is no option {word} here, but {REFRESH}.")
    if not words:
        nothing(" ".join(others))
    return others, len(others) < len(given)


def value_of(option: str, words: Iterator[str], reader: Callable[[str], Any] = str, kind: str = "a number") -> Any:
    """Return the next word as an option's value."""
    text = next(words, None)
    if text is None:
        raise GrammarError(f"{option} needs a value.")
    try:
        return reader(text)
    except ValueError:
        raise GrammarError(f"{option} needs {kind}, not {text!r}.") from None
