"""One attached file and its metadata."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Any

from codevf_nb.sdk.exceptions import CodeVFError

# Files made here stay below the documented limit of 1 MiB for text; a file of the user may be larger.
DEFAULT_MAX_BYTES = 1024 * 1024


class AttachmentError(CodeVFError):
    """A value or file can't be attached. The message names it, the reason, and an alternative."""


class Kind(StrEnum):
    """The kind of a file, which determines the files that it may be combined with."""

    CELL = "cell"
    TABLE = "table"
    NOTE = "note"  # text made here: a profile, a traceback, source code, JSON
    IMAGE = "image"
    FILE = "file"


@dataclass(frozen=True)
class Attachment:
    """One file to be sent.

    Attributes:
        rows: For a table, the number of rows sent and of all rows, so that a sample is never mistaken for the whole
            table; the latter is None if unknown.
        holds: The names of the files that were combined to this one.
        fingerprint: Identifies the content if masks make it different each time.
        positions: The packed row positions of each table's sample, by file name (see ``row_positions``).
        is_read: False for a preview of a table of which no rows were read.
    """

    file_name: str
    content: bytes = field(repr=False)
    rows: tuple[int, int | None] | None = None
    kind: Kind = Kind.FILE
    holds: tuple[str, ...] = ()
    fingerprint: str | None = None
    positions: tuple[tuple[str, str], ...] = ()
    is_read: bool = True

    @property
    def digest(self) -> str:
        """The SHA-256 (hex) of the content before masking."""
        return self.fingerprint or hashlib.sha256(self.content).hexdigest()

    @property
    def extent(self) -> str:
        """``, 10 of 1,204 rows`` for a table, else empty."""
        if self.rows is None:
            return ""
        sent, whole = self.rows
        if not self.is_read:
            return ", rows are drawn when it is sent"
        return f", {sent:,} rows of an unknown number" if whole is None else f", {sent:,} of {whole:,} rows"

    def record(self) -> dict[str, Any]:
        """Return the metadata that is stored after the content is deleted."""
        facts: dict[str, Any] = {
            "name": self.file_name,
            "size": len(self.content),
            "sha256": self.digest,
        }
        if self.rows:
            facts["rows"] = [count for count in self.rows if count is not None]
        if self.holds:
            facts["holds"] = list(self.holds)
        if self.positions:
            facts["positions"] = dict(self.positions)
        if not self.is_read:
            facts["unread"] = True
        return facts


@dataclass(frozen=True)
class Text:
    """A text made here that is attached like a variable.

    Attributes:
        file_name: The name of its file.
        text: Its content.
    """

    file_name: str
    text: str


@dataclass(frozen=True)
class Picture:
    """An image that is already a PNG."""

    png: bytes


def is_a(value: Any, library: str, name: str) -> bool:
    """Whether a value is an instance of a library's class; the library is not imported."""
    return _is_class(type(value), library, name)  # type: ignore[arg-type]


@lru_cache(maxsize=4096)
def _is_class(cls: type, library: str, name: str) -> bool:
    return any(kind.__name__ == name and kind.__module__.partition(".")[0] == library for kind in cls.__mro__)
