"""A question as the ``%%codevf`` cell that asks the same."""

from __future__ import annotations

from collections.abc import Iterable


def cell(prompt: str, options: Iterable[tuple[str, str]], flags: Iterable[str] = ()) -> str:
    """Return the cell: the options, of which empty ones are left out, and the prompt as the cell's text."""
    words = ["%%codevf --text", *flags, *(f"{option} {_quoted(value)}" for option, value in options if value)]
    return f"{' '.join(words)}\n{prompt.strip()}\n"


def _quoted(value: str) -> str:
    """Quote a value as the magic's line takes it: only where it needs it."""
    if not any(char.isspace() or char in "\"'()[]{};" for char in value):
        return value
    return f"'{value}'" if '"' in value else f'"{value}"'
