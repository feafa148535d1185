"""One file that goes along, and what its maker promises of it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Any

from codevf_nb.sdk.exceptions import CodeVFError

# What this project makes itself stays under the published 1 MiB for text; a file of the user's may be larger.
DEFAULT_MAX_BYTES = 1024 * 1024


class AttachmentError(CodeVFError):
    """Something named to be attached can't be; the message names it, says why, and what would do."""


class Kind(StrEnum):
    """What a file is to the packing: which files may be put together, and which never are."""

    CELL = "cell"
    TABLE = "table"
    NOTE = "note"  # text made here: a profile, a traceback, source code, JSON
    IMAGE = "image"
    FILE = "file"


@dataclass(frozen=True)
class Attachment:
    """One file to be sent.

    ``rows`` is (sent, whole) for a table, so that a sample never passes for the whole; whole is None where nobody
    knows. ``holds`` names the files that were put together in this one. ``fingerprint`` stands for the content where
    masks make that differ each time. ``positions`` are the rows of each table's sample in here, by its file's name (see
    ``row_positions``). ``is_read`` is False for a look at a table of which no rows were read.
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
        """The SHA-256 (hex) of what it holds, as it was before masks."""
        return self.fingerprint or hashlib.sha256(self.content).hexdigest()

    @property
    def extent(self) -> str:
        """``, 10 of 1,204 rows`` for a table, else nothing."""
        if self.rows is None:
            return ""
        sent, whole = self.rows
        if not self.is_read:
            return ", rows are drawn when it is sent"
        return f", {sent:,} rows of an unknown number" if whole is None else f", {sent:,} of {whole:,} rows"

    def record(self) -> dict[str, Any]:
        """Return what stays known of it when its bytes are gone."""
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
    """A text made here that is attached like a variable: its file name, and what it says."""

    file_name: str
    text: str


@dataclass(frozen=True)
class Picture:
    """A PNG that was drawn already."""

    png: bytes


def is_a(value: Any, library: str, name: str) -> bool:
    """Whether a value is of a library's class, asked without importing the library."""
    return _is_class(type(value), library, name)  # type: ignore[arg-type]


@lru_cache(maxsize=4096)
def _is_class(cls: type, library: str, name: str) -> bool:
    return any(kind.__name__ == name and kind.__module__.partition(".")[0] == library for kind in cls.__mro__)
