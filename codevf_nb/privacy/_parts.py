"""The parts of a file: texts with their tables, and what could not be read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from codevf_nb.privacy._columns import Columns
from codevf_nb.privacy._locations import Place


@dataclass(frozen=True)
class Unread:
    """A file or a part of one that could not be checked, and the reason."""

    name: str
    why: str

    def __str__(self) -> str:
        return f"{self.name} ({self.why})"


class Part(Place):
    """A text or bytes to send, with the tables in it.

    Attributes:
        is_prose: Whether it is also checked as running text, not only by the columns of its tables.
        is_echo: Whether it is another reading of the part before it (unescaped, without markup). Then a finding of the
            same kind is the same finding.
    """

    def __init__(
        self, name: str, content: bytes, tables: Iterable[Columns] = (), *, is_prose: bool, is_echo: bool = False
    ) -> None:
        super().__init__(name, content)
        self.tables = list(tables)
        self.is_prose = is_prose
        self.is_echo = is_echo
