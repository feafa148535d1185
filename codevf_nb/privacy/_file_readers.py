"""Open files to check their content. The content determines the type of a file, not its name.

Archives, compressed files, Office files, HTML pages, notebooks and the files that this extension packs are opened, up
to a depth and a size. Text is read as JSON, CSV or markup if it is in that format, and as plain text otherwise.
``Opener.unread`` lists what could not be read, so that "nothing found" is not mistaken for "nothing there".
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from pathlib import PurePath
from urllib.parse import unquote_to_bytes

from codevf_nb.privacy import (
    _archives as archives,
)
from codevf_nb.privacy import (
    _delimited as delimited,
)
from codevf_nb.privacy import (
    _documents as documents,
)
from codevf_nb.privacy import (
    _json_data as json_data,
)
from codevf_nb.privacy import (
    _markup as markup,
)
from codevf_nb.privacy._columns import Columns
from codevf_nb.privacy._parts import Part, Unread

MAX_DEPTH = 8
MAX_UNPACKED = 200 * 1024 * 1024  # bytes of all unpacked content of one file

_TABLES = {".csv", ".tsv", ".tab", ".psv"}
_CODE_SUFFIXES = (
    "py ipy r sql js jsx ts tsx sh bash zsh ps1 java c h cc cpp hpp cs go rs rb php jl scala m do sas lua pl kt swift "
    "css tex yaml yml toml ini cfg"
)
_CODE = {f".{suffix}" for suffix in _CODE_SUFFIXES.split()}
_FENCE = re.compile(r"^ {0,3}(?P<fence>`{3,}|~{3,})(?P<language>[\w+-]*)[^\n]*$", re.MULTILINE)
_NAMED = re.compile(r"# File: ([^\n]+)\n\n\Z")  # the line that this extension writes above a file in a page
_MOST_BLOCKS = 1000
_DATA_URL = re.compile(r"data:(?:[\w.+-]+/[\w.+-]+)?(?:;[\w-]+=[^;,\"']*)*(?P<base64>;base64)?,(?P<data>[^\"'\s)<>]+)")
_MARKS = (
    (b"\xff\xfe\0\0", "utf-32"),
    (b"\0\0\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
    (b"\xef\xbb\xbf", "utf-8-sig"),
)
_CONTROL = bytes(byte for byte in range(32) if byte not in b"\t\n\r\x0c\x1b\x08")


class Opener:
    """Opens one file or text, and everything that it contains. ``unread`` is complete after ``parts`` is exhausted."""

    def __init__(self) -> None:
        self.unread: list[Unread] = []
        self._budget = archives.ByteBudget(MAX_UNPACKED)

    def parts(self, name: str, content: bytes, depth: int = 0) -> Iterator[Part]:
        """Yield the bytes themselves, then their content: texts, tables, and packed files."""
        container = archives.opener_for(content)
        if container is None:
            yield from self._text_or_bytes(name, content, depth)
            return
        yield Part(name, content, is_prose=False)
        if depth >= MAX_DEPTH:
            self.unread.append(Unread(name, f"packed more than {MAX_DEPTH} deep"))
            return
        names: list[str] = []
        shared: list[str] = []
        sheets: list[tuple[str, bytes]] = []
        for member in container(name, content, self._budget):
            inner = f"{name} › {member.name}"
            names.append(member.name)
            if member.name.endswith("sharedStrings.xml"):
                shared = markup.shared_strings(member.content.decode(errors="replace"))
            yield from self.parts(inner, member.content, depth + 1)
            if documents.is_sheet(member.name):  # read last: a sheet may refer to texts that come later
                sheets.append((inner, member.content))
            if member.trouble:
                self.unread.append(Unread(inner, member.trouble))
        for inner, sheet in sheets:
            yield from self._sheet(inner, sheet, shared)
        yield Part(f"the names in {name}", "\n".join(names).encode(errors="replace"), is_prose=True)

    def _sheet(self, name: str, content: bytes, shared: list[str]) -> Iterator[Part]:
        rows = markup.sheet_rows(content.decode(errors="replace"), shared)
        text = "\n".join("\t".join(row) for row in rows)
        tables, outside = delimited.table_of(name, text, is_table=True)
        yield Part(name, outside.encode(errors="replace"), tables, is_prose=True)

    def _text_or_bytes(self, name: str, content: bytes, depth: int) -> Iterator[Part]:
        text = text_of(content)
        known = next((what for start, what in archives.CLOSED.items() if content.startswith(start)), None)
        if text is None or known == "PDF":
            yield Part(name, content, is_prose=False)
            if content:
                self.unread.append(Unread(name, known or "binary"))
        else:
            encoded = text.encode(errors="replace")
            if encoded != content:
                yield Part(name, content, is_prose=False)
            yield from self._text(name, text, encoded, depth)

    def _text(self, name: str, text: str, encoded: bytes, depth: int) -> Iterator[Part]:
        """Read a text in its own format; the text itself is always checked as well."""
        suffix = PurePath(name).suffix.lower()
        found = json_data.documents(text)
        if found is not None and documents.is_notebook(found):
            yield Part(name, encoded, is_prose=False)
            yield from self._notebook(name, found[0], depth)
        elif found is not None:
            tables = [Columns(name, json_data.named_values(found))]
            yield Part(name, encoded, tables, is_prose=False)
            if b"\\" in encoded:
                unescaped = "\n".join(json_data.strings(found))
                yield Part(name, unescaped.encode(errors="replace"), is_prose=True, is_echo=True)
        elif suffix in _CODE:
            yield Part(name, encoded, is_prose=True)
        elif suffix in {".json", ".jsonl", ".ndjson", ".ipynb"} or text.lstrip()[:1] in {"{", "["}:
            yield Part(name, encoded, [Columns(name, json_data.named_in_broken(text))], is_prose=True)
        elif text.lstrip()[:1] == "<" or suffix in {".html", ".htm", ".xml", ".svg"}:
            yield from self._markup(name, text, encoded)
        else:
            yield from self._plain(name, text, encoded, suffix)
        yield from self._inside(name, text, depth)

    def _plain(self, name: str, text: str, encoded: bytes, suffix: str) -> Iterator[Part]:
        is_table = suffix in _TABLES
        tables, outside = delimited.table_of(name, text, is_table=is_table)
        if '":' in text or "':" in text:  # for example, a log with JSON or dicts
            tables.append(Columns(name, json_data.named_in_broken(text.replace("'", '"')), is_from_text=True))
        yield Part(name, encoded, tables, is_prose=not is_table)
        if is_table and outside:
            yield Part(name, outside.encode(errors="replace"), is_prose=True, is_echo=True)

    def _markup(self, name: str, text: str, encoded: bytes) -> Iterator[Part]:
        page = markup.read(text)
        tables = [Columns(name, delimited.columns_of(rows)) for rows in page.tables]
        yield Part(name, encoded, [*tables, Columns(name, page.named)], is_prose=False)
        yield Part(name, page.text.encode(errors="replace"), is_prose=True, is_echo=True)

    def _notebook(self, name: str, notebook: dict[str, object], depth: int) -> Iterator[Part]:
        for piece in documents.pieces(notebook):
            inner = f"{name} › {piece.name}"
            for part in self.parts(inner, piece.content, depth + 1):
                part.is_echo = True
                yield part

    def _inside(self, name: str, text: str, depth: int) -> Iterator[Part]:
        """Open content embedded in a text: fenced blocks of Markdown, and data URLs."""
        if depth >= MAX_DEPTH:
            if "data:" in text and _DATA_URL.search(text):
                self.unread.append(Unread(name, f"packed more than {MAX_DEPTH} deep"))
            return
        if "```" in text or "~~~" in text:
            yield from self._blocks(name, text, depth)
        for number, url in enumerate(_DATA_URL.finditer(text) if "data:" in text else (), 1):
            if number > _MOST_BLOCKS:
                self.unread.append(Unread(name, f"more than {_MOST_BLOCKS:,} data URLs"))
                return
            content = _content_of(url)
            if content:
                yield from self.parts(f"{name} › data {number}", content, depth + 1)

    def _blocks(self, name: str, text: str, depth: int) -> Iterator[Part]:
        for number, (called, body) in enumerate(_fenced(text), 1):
            if number > _MOST_BLOCKS:
                self.unread.append(Unread(name, f"more than {_MOST_BLOCKS:,} blocks"))
                return
            inner = f"{name} › block {number}{called}" if called.startswith(".") else called
            for part in self.parts(inner, body.encode(errors="replace"), depth + 1):
                part.is_echo = True
                yield part


def _fenced(text: str) -> Iterator[tuple[str, str]]:
    """Yield the fenced blocks of Markdown: the file name of each (or else a suffix), and its content."""
    opened: re.Match[str] | None = None
    for line in _FENCE.finditer(text):
        if opened is None:
            opened = line
        elif line["fence"].startswith(opened["fence"]) and line[0].strip() == line["fence"]:
            yield _block(text, opened, line.start())
            opened = None
    if opened is not None:
        yield _block(text, opened, len(text))


def _block(text: str, opened: re.Match[str], end: int) -> tuple[str, str]:
    named = _NAMED.search(text[max(0, opened.start() - 400) : opened.start()])
    called = named[1] if named else f".{opened['language'] or 'txt'}"
    return called, text[opened.end() + 1 : end].removesuffix("\n")


def text_of(content: bytes) -> str | None:
    """Return bytes as text in their encoding; None for bytes that are not text."""
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return content.decode(encoding, errors="replace")
    wide = _wide(content)
    if wide:
        return content.decode(wide, errors="replace")
    sample = content[: 1 << 16]
    controls = len(sample) - len(sample.translate(None, _CONTROL))
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return content.decode("latin-1") if controls * 50 <= len(sample) else None
    return text if controls * 10 <= len(sample) else None


def _wide(content: bytes) -> str | None:
    """Recognize UTF-16 and UTF-32 without a byte order mark: all bytes of a character except one are mostly zero."""
    sample = content[: 1 << 12]
    if sample.count(0) * 4 < len(sample):
        return None
    zeros = "".join("0" if sample[start::4].count(0) * 8 > len(sample) else "x" for start in range(4))
    return {"x0x0": "utf-16-le", "0x0x": "utf-16-be", "x000": "utf-32-le", "000x": "utf-32-be"}.get(zeros)


def _content_of(url: re.Match[str]) -> bytes:
    raw = unquote_to_bytes(url["data"])
    if not url["base64"]:
        return raw
    try:
        return base64.b64decode(raw + b"==")
    except (binascii.Error, ValueError):
        return b""
