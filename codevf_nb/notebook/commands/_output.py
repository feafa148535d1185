"""What a subcommand shows and gives back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


class CommandResult(list[Any]):
    """What a subcommand found: a list to keep, shown as the lines that reported it at that moment."""

    def __init__(self, found: Iterable[Any], lines: Iterable[str]) -> None:
        super().__init__(found)
        self._text = "\n".join(lines)

    def __repr__(self) -> str:
        return self._text


def say(text: str) -> None:
    """Print a subcommand's message."""
    print(text)  # noqa: T201 - a magic's output
