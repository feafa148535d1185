"""Read tables in text: CSV and similar formats, also with titles, comments, uneven rows, or without a header.

No row is skipped: a cell without a header gets the number of its column as a name, and lines that are no rows are
returned as text.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import zip_longest

from codevf_nb.privacy._columns import Columns

Row = list[str]

_SAMPLE = 100  # lines that are read to detect the delimiter
_LEAST_ROWS = 3  # the minimum for a text whose file name is not that of a table
_LEAST_SHARE = 0.8  # the minimum share of lines with the same number of cells
_MOST_LINES_IN_A_CELL = 20  # a longer cell probably has an unclosed quote
_RULE = re.compile(r"[\s|:=+-]*")  # the line below the header of a Markdown table
_GAP = re.compile(r" {2,}|\t+")


def table_of(name: str, text: str, *, is_table: bool) -> tuple[list[Columns], str]:
    """Return the tables in a text (empty for prose), and the lines that belong to none of them.

    Args:
        name: The name of the text.
        text: The text.
        is_table: Whether the file name is that of a table. Then the best guess is used.

    Returns:
        The tables, and the other lines.
    """
    split = _splitter(text, certain=is_table)
    if split is None:
        return [], text
    rows = split(text)
    if not is_table and len(rows) < _LEAST_ROWS:
        return [], text
    tables, outside = _with_header(name, rows)
    if len(rows) + _MOST_LINES_IN_A_CELL < text.count("\n") and _has_long_cell(rows):
        tables += _with_header(name, [line.split(",") for line in text.splitlines()])[0]
    return tables, outside


def _has_long_cell(rows: Sequence[Row]) -> bool:
    return any(cell.count("\n") > _MOST_LINES_IN_A_CELL for row in rows for cell in row)


def columns_of(rows: Sequence[Row], header: Sequence[str] | None = None) -> dict[str, list[str]]:
    """Group cells by column. Without a header, the first row is used as the header unless it looks like data."""
    if not rows:
        return {}
    names, body = (list(header), list(rows)) if header is not None else (list(rows[0]), list(rows[1:]))
    columns: dict[str, list[str]] = {}
    for number, cells in enumerate(zip_longest(*body, fillvalue="") if body else [() for _ in names]):
        name = names[number].strip() if number < len(names) else ""
        values = list(cells)
        if not name or _is_value(name):  # no header: the first row is data
            values += [name] if name else []
            name = f"number {number + 1}"
        columns.setdefault(name, []).extend(values)
    return columns


def _is_value(text: str) -> bool:
    return "@" in text or sum(char.isdigit() for char in text) >= 7


def _splitter(text: str, *, certain: bool) -> Callable[[str], list[Row]] | None:
    """Return the function that splits this text into rows, chosen by how evenly it splits the first lines."""
    lines = [line for line in text[: 1 << 16].splitlines() if line.strip()][:_SAMPLE]
    ways: list[Callable[[str], list[Row]]] = [_by_delimiter(mark) for mark in ",;\t|"]
    if not certain:
        ways.append(_by_gaps)
    best, best_share = None, 0.0
    for way in ways:
        widths = Counter(len(_trimmed(row)) for row in way("\n".join(lines)))
        width, count = max(widths.items(), key=lambda item: item[1] * (item[0] > 1), default=(0, 0))
        share = count / sum(widths.values()) if width > 1 else 0.0
        if share > best_share:
            best, best_share = way, share
    if certain:
        return best or ways[0]
    return best if best_share >= _LEAST_SHARE and len(lines) >= _LEAST_ROWS else None


def _by_delimiter(delimiter: str) -> Callable[[str], list[Row]]:
    def split(text: str) -> list[Row]:
        try:
            rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True))
        except csv.Error:  # a quote is not closed
            rows = [line.split(delimiter) for line in text.splitlines()]
        return [_without_borders(row) for row in rows] if delimiter == "|" else rows

    return split


def _by_gaps(text: str) -> list[Row]:
    return [_GAP.split(line.strip()) for line in text.splitlines()]


def _without_borders(row: Row) -> Row:
    """Remove the borders of a Markdown table."""
    cells = [cell.strip() for cell in row]
    return cells[1:-1] if len(cells) > 2 and not cells[0] and not cells[-1] else cells


def _trimmed(row: Row) -> Row:
    if row and row[-1].strip():
        return row
    end = len(row)
    while end and not row[end - 1].strip():
        end -= 1
    return row[:end]


def _with_header(name: str, rows: Iterable[Row]) -> tuple[list[Columns], str]:
    """Find the header, group the rows below it by column, and return the lines above it as text."""
    rows = [_trimmed(row) for row in rows]
    widths = Counter(len(row) for row in rows if row)
    if not widths:
        return [], ""
    usual = max(widths, key=lambda width: (widths[width], width))
    start = next((at for at, row in enumerate(rows) if _may_be_header(row, usual)), 0)
    outside = "\n".join(",".join(row) for row in rows[:start])
    header, *body = rows[start:] or [[]]
    if header:
        header = [header[0].lstrip("#").strip(), *header[1:]]
    if len(header) == usual - 1 and usual > 2:  # R and pandas omit the name of the row numbers
        header = ["", *header]
    if body and _RULE.fullmatch("".join(body[0])):
        del body[0]
    body = [row for row in body if row]
    return [Columns(name, columns_of([header, *body]))], outside


def _may_be_header(row: Row, usual: int) -> bool:
    if not row or (row[0].startswith("#") and len(row) == 1):
        return False
    return len(row) >= (usual - 1 if usual > 2 else usual)
