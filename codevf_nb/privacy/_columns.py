"""A table in what would be sent, read as columns of text."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Columns:
    """A table's text by columns; ``name`` is what the table is called to a person.

    ``is_from_text``: what running text gives to names, whose secrets are looked for in the text itself.
    """

    name: str
    columns: dict[str, list[str]]
    is_from_text: bool = False
