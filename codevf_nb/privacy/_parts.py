"""What a file consists of, as the check sees it: texts with the tables in them, and what could not be read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from codevf_nb.privacy._columns import Columns
from codevf_nb.privacy._locations import Place


@dataclass(frozen=True)
class Unread:
    """A file, or a part of one, that could not be looked into, and why."""

    name: str
    why: str

    def __str__(self) -> str:
        return f"{self.name} ({self.why})"


class Part(Place):
    """A text that leaves, or bytes, with the tables that are in it.

    ``is_prose``: it is looked at as running text as well, not only by the columns of its tables. ``is_echo``: it is
    another reading of the part before it (unescaped, without markup), so a finding of the same kind is the same one.
    """

    def __init__(
        self, name: str, content: bytes, tables: Iterable[Columns] = (), *, is_prose: bool, is_echo: bool = False
    ) -> None:
        super().__init__(name, content)
        self.tables = list(tables)
        self.is_prose = is_prose
        self.is_echo = is_echo
