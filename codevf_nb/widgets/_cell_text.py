"""A question as the ``%%codevf`` cell that asks the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from codevf_nb.questions.options import BY_NAME, Kind


def cell(prompt: str, values: Mapping[str, Any]) -> str:
    """Return the cell: the options on its first line, and the prompt as its text.

    Args:
        prompt: The prompt.
        values: The values by the names of their options; an empty one is left out.

    Raises:
        KeyError: There is no option of that name.
    """
    words = ["%%codevf --text"]
    for name, value in values.items():
        option = BY_NAME[name]
        if value and option.kind is Kind.FLAG:
            words.append(option.long)
        elif value:
            several = value if option.many else [value]
            given = [",".join(map(str, several))] if option.is_list else map(str, several)
            words += [f"{option.long} {_quoted(text)}" for text in given]
    return f"{' '.join(words)}\n{prompt.strip()}\n"


def _quoted(value: str) -> str:
    """Quote a value as the magic's line takes it: only where it needs it."""
    if not any(char.isspace() or char in "\"'()[]{};" for char in value):
        return value
    return f"'{value}'" if '"' in value else f'"{value}"'
