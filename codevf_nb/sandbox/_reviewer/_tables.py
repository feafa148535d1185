"""Findings in CSV files, with row and column. A row is a line of the file; the header is row 1."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from codevf_nb.sandbox._reviewer._documents import Document
from codevf_nb.sandbox._reviewer._finding import Finding
from codevf_nb.sandbox._reviewer._rulebook import counted, found, quoted

MOST_ROWS = 50_000
ALMOST_UNIQUE = 0.9
ALMOST_ALL = 0.8
MANY = 0.2
FEWEST_ROWS = 10  # with fewer rows, "constant" and "almost all" have no meaning

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|nan|inf|-inf", re.IGNORECASE)
_DATES = {
    "YYYY-MM-DD": re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d.*)?"),
    "D/M/YYYY": re.compile(r"\d{1,2}/\d{1,2}/\d{4}"),
    "D.M.YYYY": re.compile(r"\d{1,2}\.\d{1,2}\.\d{4}"),
}
_KEY = re.compile(r"(.*[_ \-])?(id|key|code|uuid)|.*[a-z](Id|ID|Key)", re.ASCII)


class Cell(NamedTuple):
    """A value, and its line in the file."""

    row: int
    text: str


@dataclass
class Table:
    """A CSV file that was read."""

    document: Document
    header: list[str]
    rows: list[tuple[int, list[str]]]
    whole: bool

    def column(self, name: str) -> list[Cell]:
        """Return the cells of a column. Shorter rows are left out."""
        index = self.header.index(name)
        return [Cell(row, cells[index]) for row, cells in self.rows if index < len(cells)]

    @property
    def keys(self) -> list[str]:
        """Return the columns with the name of a key."""
        return [name for name in self.header if _KEY.fullmatch(name)]


def read_table(document: Document) -> Table | Finding:
    """Read a table. Return a finding if it can't be read."""
    text = document.text
    first = text.partition("\n")[0]
    separator = max(",;\t|", key=first.count) if document.name.lower().endswith(("csv", "tsv")) else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    rows: list[tuple[int, list[str]]] = []
    whole = not document.cut
    try:
        header = next(reader, [])
        for cells in reader:
            if len(rows) == MOST_ROWS:
                whole = False
                break
            if cells:
                rows.append((reader.line_num, cells))
    except csv.Error as error:
        return found(document.name, reader.line_num, "csv", error=error)
    if not header:
        return found(document.name, None, "empty-file")
    return Table(document, header, rows, whole)


def inspect(table: Table) -> Iterator[Finding]:
    """Return all findings of a table."""
    yield from _header(table)
    yield from _ragged(table)
    yield from _repeated_rows(table)
    for name in dict.fromkeys(table.header):
        cells = table.column(name)
        for check in (_empty, _blanks, _mixed, _dates, _constant):
            yield from check(table, name, cells)
        if name in table.keys:
            yield from _repeated_keys(table, name, cells)


def _header(table: Table) -> Iterator[Finding]:
    for name, count in Counter(table.header).items():
        if name and count > 1:
            yield found(table.document.name, 1, "repeated-header", name, count=count)
    # If pandas wrote the index, the first column has no name.
    if "" in table.header[1:]:
        yield found(table.document.name, 1, "nameless-column")


def _ragged(table: Table) -> Iterator[Finding]:
    width = len(table.header)
    ragged = [(row, len(cells)) for row, cells in table.rows if len(cells) != width]
    if ragged:
        row, fields = ragged[0]
        count = counted(len(ragged), "row has", "rows have")
        yield found(table.document.name, row, "ragged-rows", count=count, width=width, fields=fields)


def _repeated_rows(table: Table) -> Iterator[Finding]:
    seen: dict[tuple[str, ...], int] = {}
    repeated = [(row, seen[tuple(cells)]) for row, cells in table.rows if seen.setdefault(tuple(cells), row) != row]
    if repeated:
        row, first = repeated[0]
        count = counted(len(repeated), "row repeats", "rows repeat")
        yield found(table.document.name, row, "repeated-rows", count=count, first=first)


def _empty(table: Table, name: str, cells: list[Cell]) -> Iterator[Finding]:
    empty = [cell.row for cell in cells if not cell.text.strip()]
    if empty:
        share = len(empty) / len(cells)
        rule = "many-empty-cells" if share > MANY else "empty-cells"
        words = {"count": f"{len(empty):,}", "total": f"{len(cells):,}", "share": f"{share:.0%}"}
        yield found(table.document.name, empty[0], rule, name, **words)


def _blanks(table: Table, name: str, cells: list[Cell]) -> Iterator[Finding]:
    padded = [cell for cell in cells if cell.text.strip() and cell.text != cell.text.strip()]
    if padded:
        count = counted(len(padded), "value begins or ends", "values begin or end")
        row, example = padded[0].row, quoted(padded[0].text)
        yield found(table.document.name, row, "blanks", name, count=count, example=example)


def _mixed(table: Table, name: str, cells: list[Cell]) -> Iterator[Finding]:
    odd = _odd(cells, _NUMBER)
    if odd:
        count = counted(len(odd), "value is", "values are")
        row, example = odd[0].row, quoted(odd[0].text)
        yield found(table.document.name, row, "mixed-types", name, count=count, example=example)


def _dates(table: Table, name: str, cells: list[Cell]) -> Iterator[Finding]:
    for pattern, form in _DATES.items():
        odd = _odd(cells, form)
        if odd:
            count = counted(len(odd), "value is", "values are")
            words = {"count": count, "pattern": pattern, "example": quoted(odd[0].text)}
            yield found(table.document.name, odd[0].row, "mixed-dates", name, **words)


def _constant(table: Table, name: str, cells: list[Cell]) -> Iterator[Finding]:
    if len(cells) >= FEWEST_ROWS and cells[0].text.strip() and len({cell.text for cell in cells}) == 1:
        words = {"count": f"{len(cells):,}", "example": quoted(cells[0].text)}
        yield found(table.document.name, cells[0].row, "constant-column", name, **words)


def _repeated_keys(table: Table, name: str, cells: list[Cell]) -> Iterator[Finding]:
    # Foreign keys repeat. A column is meant to be unique only if it almost is.
    counts = Counter(cell.text for cell in cells if cell.text.strip())
    repeated = {text for text, count in counts.items() if count > 1}
    if not repeated or len(counts) < ALMOST_UNIQUE * counts.total():
        return
    firsts = {text: row for row, text in reversed(cells)}
    first = next(cell for cell in cells if cell.text in repeated and cell.row != firsts[cell.text])
    count = counted(len(repeated), "value stands", "values stand")
    words = {"count": count, "example": quoted(first.text)}
    yield found(table.document.name, first.row, "repeated-keys", name, **words)


def _odd(cells: list[Cell], form: re.Pattern[str]) -> list[Cell]:
    """Return the cells that do not have a form which almost all other cells have."""
    filled = [cell for cell in cells if cell.text.strip()]
    odd = [cell for cell in filled if not form.fullmatch(cell.text.strip())]
    most = len(filled) >= FEWEST_ROWS and len(filled) - len(odd) >= ALMOST_ALL * len(filled)
    return odd if most else []
