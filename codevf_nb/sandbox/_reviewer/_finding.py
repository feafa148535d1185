"""A finding of the reviewer."""

from __future__ import annotations

from dataclasses import dataclass

SEVERITIES = ("high", "medium", "low")


@dataclass(frozen=True)
class Finding:
    """A defect, its position and advice. In a table, `line` is the row; the header is row 1."""

    file: str
    line: int | None
    rule: str
    severity: str
    message: str
    advice: str = ""
    column: str | None = None

    @property
    def where(self) -> str:
        """The position as text: `cell.py:3`, `orders.csv:17 [amount]`."""
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return place if self.column is None else f"{place} [{self.column}]"
