"""Attached files: their kind, from name and type, and their text."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath

_KIB = 1024
MOST_BYTES = {"python": 256 * _KIB, "notebook": 2048 * _KIB, "table": 2048 * _KIB, "json": 2048 * _KIB}
"""The number of bytes that are read of a file, so that a review does not block the server."""

KINDS = {".py": "python", ".ipynb": "notebook", ".csv": "table", ".tsv": "table", ".json": "json"}
TYPES = {
    "text/x-python": "python",
    "text/x-python-code": "python",
    "application/x-python": "python",
    "application/x-python-code": "python",
    "application/x-ipynb+json": "notebook",
    "text/csv": "table",
    "application/csv": "table",
    "text/tab-separated-values": "table",
    "application/json": "json",
}


@dataclass(frozen=True)
class Document:
    """One attached file."""

    name: str
    mime_type: str
    content: bytes

    @property
    def kind(self) -> str | None:
        """`python`, `notebook`, `table`, `json`, or None for other files. The name has priority over the type."""
        suffix = PurePosixPath(self.name.lower()).suffix
        return KINDS.get(suffix) or TYPES.get(self.mime_type.partition(";")[0].strip().lower())

    @property
    def stem(self) -> str:
        """The name without folders and suffix: `orders` for `data/orders.csv`."""
        return PurePosixPath(self.name).stem

    @property
    def limit(self) -> int:
        """The number of bytes that are read."""
        return MOST_BYTES.get(self.kind or "", 0)

    @property
    def cut(self) -> bool:
        """Whether only a part of the file is read."""
        return len(self.content) > self.limit

    @property
    def text(self) -> str:
        """The text that is read, up to the last complete line. Bytes that are not UTF-8 become �."""
        content = self.content
        if self.cut:
            content = content[: self.limit].rpartition(b"\n")[0]
        return content.decode("utf-8-sig", errors="replace")
