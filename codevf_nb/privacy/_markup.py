"""Read HTML and XML without tags: the text, the tables by column, and values by the names of their elements.

One regular expression reads the markup instead of a parser. Nothing is resolved, fetched or expanded, and broken markup
is read as far as possible.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field

from codevf_nb.privacy._delimited import Row

_PIECE = re.compile(
    r"<!\[CDATA\[(?P<raw>.*?)(?:\]\]>|\Z)|<!--(?P<comment>.*?)(?:-->|\Z)|<(?P<close>/?)(?P<tag>[A-Za-z][\w:.-]*+)"
    r"(?P<inside>(?:[^<>\"']|\"[^\"]*\"|'[^']*')*+)>|(?P<text>[^<]+|<)",
    re.DOTALL,
)
_ATTRIBUTE = re.compile(r"([\w:.-]+)\s*=\s*(\"[^\"]*\"|'[^']*'|[^\s\"'>/]+)")
_ROWS, _CELLS = {"tr", "row", "table-row"}, {"td", "th", "tc", "c", "table-cell"}
_TABLES = {"table", "tbl", "worksheet"}
# Inline elements; all other elements end a line. In Office files, only the elements in _OFFICE_LINES end one.
_INLINE_TAGS = (
    "a abbr b bdi big cite code color del em family font i ins kbd mark q r rfont rpr s samp scheme small span strike "
    "strong sub sup sz t tt u var vertalign wbr"
)
_INLINE = frozenset(_INLINE_TAGS.split())
_OFFICE, _OFFICE_LINES = {"w", "a", "text"}, {"p", "tr", "tc", "tab", "br", "h", "s", "line-break", "list-item"}
_MOST_REPEATED = 100
_MOST_NESTED = 20  # nested tables; a deeper table is read as part of the innermost of these
HTML_TAGS = {"html", "body", "table", "div", "p", "span", "head", "!doctype"}


@dataclass
class Page:
    """The content of a page: text, tables as rows, values by the names of elements and attributes, and data URLs."""

    text: str = ""
    tables: list[list[Row]] = field(default_factory=list)
    named: dict[str, list[str]] = field(default_factory=dict)


@dataclass
class _Table:
    rows: list[Row] = field(default_factory=list)
    cell: list[str] | None = None
    repeated: int = 1

    def start_row(self) -> None:
        self.end_cell()
        self.rows.append([])

    def start_cell(self, repeated: int) -> None:
        self.end_cell()
        self.cell, self.repeated = [], repeated
        if not self.rows:
            self.rows.append([])

    def end_cell(self) -> None:
        if self.cell is not None:
            self.rows[-1] += [" ".join("".join(self.cell).split())] * self.repeated
            self.cell = None


class _Reader:
    """Reads a page tag by tag."""

    def __init__(self) -> None:
        self.read = Page()
        self._text: list[str] = []
        self._tables = [_Table()]
        self._open: str | None = None  # the element that the text belongs to
        self._own: list[str] = []

    def go(self, text: str) -> Page:
        for piece in _PIECE.finditer(text):
            if piece["tag"] is None:
                raw = piece["raw"] or piece["comment"]
                self._add_text(raw if raw is not None else html.unescape(piece["text"] or ""))
            elif piece["close"]:
                self._end(piece["tag"])
            else:
                self._start(piece["tag"], piece["inside"])
        self._end_table()
        while self._tables:
            self._end_table()
        self.read.text = "".join(self._text)
        return self.read

    def _add_text(self, text: str) -> None:
        self._text.append(text)
        self._own.append(text)
        for table in self._tables:
            if table.cell is not None:
                table.cell.append(text)

    def _start(self, tag: str, inside: str) -> None:
        prefix, name = _split_prefix(tag)
        found = _ATTRIBUTE.findall(inside) if "=" in inside else ()
        attributes = {key.lower(): html.unescape(value.strip("\"'")) for key, value in found}
        for key, value in attributes.items():
            self.read.named.setdefault(_split_prefix(key)[1], []).append(value)
        self._break(prefix, name)
        self._open, self._own = (None if inside.endswith("/") else name), []
        if name in _TABLES and len(self._tables) < _MOST_NESTED:
            self._tables.append(_Table())
        elif name in _ROWS and self._tables:
            self._tables[-1].start_row()
        elif name in _CELLS and self._tables:
            self._tables[-1].start_cell(_repeated(attributes))

    def _end(self, tag: str) -> None:
        prefix, name = _split_prefix(tag)
        if self._open == name and name not in HTML_TAGS:
            value = "".join(self._own).strip()
            if value:
                self.read.named.setdefault(name, []).append(value)
        self._open = None
        self._break(prefix, name)
        if name in _CELLS and self._tables:
            self._tables[-1].end_cell()
        elif name in _TABLES:
            self._end_table()

    def _end_table(self) -> None:
        if self._tables:
            table = self._tables.pop()
            table.end_cell()
            if any(table.rows):
                self.read.tables.append([row for row in table.rows if row])

    def _break(self, prefix: str, name: str) -> None:
        within = name not in _OFFICE_LINES if prefix in _OFFICE else name in _INLINE
        if not within:
            self._text.append("\n")
            for table in self._tables:
                if table.cell is not None:
                    table.cell.append(" ")


def read(text: str) -> Page:
    """Read a page."""
    return _Reader().go(text)


def _split_prefix(tag: str) -> tuple[str, str]:
    prefix, _, name = tag.lower().rpartition(":")
    return prefix, name


def _repeated(attributes: dict[str, str]) -> int:
    times = attributes.get("table:number-columns-repeated", attributes.get("colspan", "1"))
    return min(int(times), _MOST_REPEATED) if times.isdigit() else 1


# -- spreadsheets

_SHARED = re.compile(r"<(?:\w+:)?si\b[^>]*>(.*?)(?:</(?:\w+:)?si>|\Z)", re.DOTALL)
_SHEET_ROW = re.compile(r"<(?:\w+:)?row\b[^>]*>(.*?)(?:</(?:\w+:)?row>|\Z)", re.DOTALL)
_SHEET_CELL = re.compile(r"<(?:\w+:)?c\b([^>]*?)(?:/>|>(.*?)(?:</(?:\w+:)?c>|\Z))", re.DOTALL)
_PLACE = re.compile(r"\br=\"([A-Z]{1,3})\d+\"")
_VALUE = re.compile(r"<(?:\w+:)?(?:v|t)\b[^>]*>(.*?)(?:</(?:\w+:)?(?:v|t)>|\Z)", re.DOTALL)
_MOST_COLUMNS = 16384


def shared_strings(text: str) -> list[str]:
    """Return the texts that the cells of a workbook reference by number."""
    return [_text_of(found) for found in _SHARED.findall(text)]


def sheet_rows(text: str, shared: list[str]) -> list[Row]:
    """Return the rows of a worksheet; a missing cell is empty."""
    rows = []
    for inside in _SHEET_ROW.findall(text):
        row: Row = []
        for attributes, content in _SHEET_CELL.findall(inside):
            place = _PLACE.search(attributes)
            number = min(_column_number(place[1]), _MOST_COLUMNS) if place else len(row)
            row += [""] * (number - len(row))
            row.append(_cell_of(attributes, content, shared))
        rows.append(row)
    return rows


def _cell_of(attributes: str, content: str, shared: list[str]) -> str:
    value = _text_of(content)
    if 't="s"' in attributes and value.isdigit():
        return shared[int(value)] if int(value) < len(shared) else ""
    return value


def _text_of(content: str) -> str:
    return html.unescape("".join(_VALUE.findall(content)))


def _column_number(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1
