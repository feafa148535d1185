"""A table in the content to send, read as columns of text."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Columns:
    """The text of a table, by column.

    Attributes:
        name: The name of the table in messages.
        is_from_text: Whether the columns are names and values of running text. Secrets of these are found in the text
            itself.
    """

    name: str
    columns: dict[str, list[str]]
    is_from_text: bool = False
