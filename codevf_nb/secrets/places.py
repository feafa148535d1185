"""Everything that would leave, as places that can be named to a person."""

from __future__ import annotations

import bisect
import csv
import gzip
import io
import json
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePath
from typing import Any

from .naming import shown_column

_MOST_UNPACKED = 32 * 1024 * 1024  # bytes of packed files that are looked into
_FENCED = re.compile(
    r"^# File: (?P<name>[^\n]+)\n\n(?P<fence>`{3,})csv\n(?P<body>.*?)\n(?P=fence)$", re.DOTALL | re.MULTILINE
)


@dataclass(frozen=True)
class Columns:
    """A table's text by columns; ``name`` is what the table is called to a person."""

    name: str
    columns: dict[str, list[str]]


class Place:
    """Bytes that would leave under a name, such as a file's or ``the prompt``."""

    def __init__(self, name: str, content: bytes) -> None:
        self.name = name
        self.content = content

    def locate(self, offset: int) -> str:
        """Say where an offset stands: file and line, or of a table its column and row; a text of one line has none."""
        if PurePath(self.name).suffix.lower() in {".csv", ".tsv"}:
            cell = self._cell(offset)
            if cell is not None:
                return cell
        line = bisect.bisect_right(self._starts, offset)
        return self.name if len(self._starts) == 1 else f"{self.name} line {line}"

    @cached_property
    def tables(self) -> list[Columns]:
        """The tables in it by columns: CSV and TSV, CSV in a page that was put together, JSON by its names."""
        suffix = PurePath(self.name).suffix.lower()
        if suffix not in {".csv", ".tsv", ".md", ".json", ".jsonl"}:
            return []
        text = self.content.decode(errors="replace").removeprefix("\ufeff")
        if suffix == ".md":
            return [Columns(found["name"], _columns(found["body"], ",")) for found in _FENCED.finditer(text)]
        if suffix in {".json", ".jsonl"}:
            return [Columns(self.name, _named_values(text, by_line=suffix == ".jsonl"))]
        return [Columns(self.name, _columns(text, _delimiter(self.name)))]

    @cached_property
    def _starts(self) -> list[int]:
        return [0, *(found.end() for found in re.finditer(rb"\n", self.content))]

    def _cell(self, offset: int) -> str | None:
        """Read the table up to an offset, and tell the column and the row that stands there; the header is row 0."""
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


def unpacked(name: str, content: bytes) -> Iterator[Place]:
    """Yield a file, and what is packed in it: the members of a zip (xlsx, docx, npz), gzip, text that is UTF-16."""
    yield Place(name, content)
    if content[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        yield Place(name, content.decode("utf-16", errors="replace").encode(errors="replace"))
    elif content.startswith(b"\x1f\x8b"):
        try:
            with gzip.GzipFile(fileobj=io.BytesIO(content)) as packed:
                yield Place(name, packed.read(_MOST_UNPACKED))
        except (OSError, EOFError, zlib.error):
            return
    elif content.startswith(b"PK\x03\x04"):
        yield from _members(name, content)


def _members(name: str, content: bytes) -> Iterator[Place]:
    room = _MOST_UNPACKED
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for member in archive.infolist():
                with archive.open(member) as packed:
                    data = packed.read(room)
                room -= len(data)
                yield Place(f"{name} › {member.filename}", data)
                if room <= 0:
                    return
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, OSError, EOFError, zlib.error):
        return


def _delimiter(name: str) -> str:
    return "\t" if name.lower().endswith(".tsv") else ","


def _columns(text: str, delimiter: str) -> dict[str, list[str]]:
    first = text[: text.find("\n")]
    if delimiter == "," and "," not in first and ";" in first:
        delimiter = ";"
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error:
        return {}
    if not rows:
        return {}
    header, *body = rows
    width = len(header)
    whole = [row for row in body if len(row) == width]
    return {name: list(column) for name, column in zip(header, zip(*whole, strict=True), strict=True)} if whole else {}


def _named_values(text: str, *, by_line: bool) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    try:
        documents = [json.loads(line) for line in text.splitlines() if line.strip()] if by_line else [json.loads(text)]
        for document in documents:
            _collect(document, "", found)
    except (ValueError, RecursionError):
        pass
    return found


def _collect(value: Any, name: str, found: dict[str, list[str]]) -> None:
    if isinstance(value, dict):
        for key, inner in value.items():
            _collect(inner, key, found)
    elif isinstance(value, list):
        for inner in value:
            _collect(inner, name, found)
    elif value is not None and not isinstance(value, bool):
        found.setdefault(name, []).append(str(value))
