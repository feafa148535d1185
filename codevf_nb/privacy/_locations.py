"""The locations of content to send, with names for messages."""

from __future__ import annotations

import bisect
import csv
import io
import re
from functools import cached_property
from pathlib import PurePath

from codevf_nb.privacy._labels import shown_column


class Place:
    """Bytes to send, with a name such as a file name or ``the prompt``."""

    def __init__(self, name: str, content: bytes) -> None:
        self.name = name
        self.content = content

    def locate(self, offset: int) -> str:
        """Describe an offset: file and line, or column and row of a table. A text of one line has only its name."""
        if PurePath(self.name).suffix.lower() in {".csv", ".tsv"}:
            cell = self._cell(offset)
            if cell is not None:
                return cell
        line = bisect.bisect_right(self._starts, offset)
        return self.name if len(self._starts) == 1 else f"{self.name} line {line}"

    @cached_property
    def _starts(self) -> list[int]:
        return [0, *(found.end() for found in re.finditer(rb"\n", self.content))]

    def _cell(self, offset: int) -> str | None:
        """Read the table up to an offset, and return the column and the row at the offset; the header is row 0."""
        before = self.content[:offset].decode(errors="replace")
        try:
            rows = list(csv.reader(io.StringIO(before + "|", newline=""), delimiter=_delimiter(self.name)))
            header = next(csv.reader(io.StringIO(self.content[:65536].decode(errors="replace"), newline="")))
        except (csv.Error, StopIteration):
            return None
        if not rows or not rows[-1] or len(rows[-1]) > len(header):
            return None
        if len(rows) == 1:
            return f"the header of {self.name}"
        return f"{self.name} column {shown_column(header, header[len(rows[-1]) - 1])}, row {len(rows) - 1:,}"


def _delimiter(name: str) -> str:
    return "\t" if name.lower().endswith(".tsv") else ","
