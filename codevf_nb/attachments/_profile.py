"""The profile of the tables in Markdown: the size of each table, the rows sent, and statistics of every column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from codevf_nb.attachments._cell_text import texts
from codevf_nb.attachments._column_figures import statistics_of
from codevf_nb.attachments._headers import counted
from codevf_nb.attachments._redaction import Mask
from codevf_nb.attachments._sampling import Sample, row_label
from codevf_nb.attachments._table import Table
from codevf_nb.attachments._unsupported import guarded

if TYPE_CHECKING:
    import pandas as pd

_EXAMPLES = 3
_LONGEST = 40  # characters of one example
_LONGEST_NAME = 200  # characters of a column's name
_MOST_COLUMNS = 500  # columns described; more are only counted
_LEAST_BYTES, _MOST_BYTES = 4096, 256 * 1024  # limits of a profile, independent of the budget of a file
_HEAD = (
    "| column | dtype | nulls | distinct | range | quartiles | examples |",
    "|---|---|---|---|---|---|---|",
)


def profile(samples: Mapping[str, Sample], mask: Mask, budget: int, relations: Sequence[str] = ()) -> str:
    """Describe samples in Markdown.

    Args:
        samples: The samples, by the names of their files.
        mask: The masks of the columns.
        budget: The size in bytes; at least 4 KB and at most 256 KB are used.
        relations: Sentences on how the tables are related.

    Returns:
        The profile.
    """
    left, blocks = min(max(budget, _LEAST_BYTES), _MOST_BYTES), []
    if relations:
        listed = _within([f"- {_cell(line)}" for line in relations], left // 2)
        blocks.append("\n".join(["# Between the tables", *listed]))
        left -= _size(listed) + 30
    for number, (name, sample) in enumerate(samples.items()):
        with guarded(sample.table.name, sample.table.what):
            block = "\n".join(_block(name, sample, mask, left // (len(samples) - number)))
        left -= len(block.encode(errors="backslashreplace")) + 2
        blocks.append(block)
    return "\n\n".join(blocks) + "\n"


def extent(sample: Sample) -> str:
    """Return how many rows are sent, of how many, and how they were sampled."""
    sent, whole = sample.rows
    if sample.is_whole:
        return f"all {counted(sent, 'row')}"
    of = f"{sent:,} of {whole:,} rows" if whole is not None else f"{counted(sent, 'row')} (of an unknown number)"
    return f"{of}, {sample.drawn}"


def _block(name: str, sample: Sample, mask: Mask, budget: int) -> list[str]:
    table = sample.table
    lines = [
        f"# {name}",
        f"`{table.name}`: {table.what}. Sent: {extent(sample)}, {counted(len(table.header), 'column')}.",
        *sample.notes,
        *table.facts,
    ]
    if sample.has_row_numbers:
        label, what = row_label(table), "label in the index" if table.row_label == "index" else "number, from 0"
        lines.append(f"The first column of the CSV, `{_cell(label)}`, is the row's {what}.")
    masked = [name for number, name in enumerate(table.header) if mask.covers(*table.names_of(number))]
    if masked:
        lines.append(f"Masked: {', '.join(masked)}. The same value has the same mask in every table of this question.")
    lines = _within(lines, budget)
    if not table.header:
        return [*lines, "It has no columns."]
    of = "all rows" if sample.is_whole else "the whole table; with * they are of the rows sent"
    ending = f"\nFigures are of {of}. Extremes and quartiles are values of the column{_between(table)}."
    return [*lines, "", *_HEAD, *_columns(name, sample, mask, budget - _size([*lines, *_HEAD, ending]) - 120), ending]


def _between(table: Table) -> str:
    return "; quartiles without * may lie between two" if table.part and table.part.figures else ""


def _columns(name: str, sample: Sample, mask: Mask, budget: int) -> list[str]:
    """Describe as many columns as fit the budget, and count the others."""
    table, lines, remarks = sample.table, [], []
    for number, column in enumerate(table.header):
        if number == _MOST_COLUMNS:
            remarks.append(_more(table, number, name))
            break
        values = sample.raw.column(number)
        figures = statistics_of(table, number, values, masked=mask.covers(*table.names_of(number)))
        shown = sample.sent.column(number)
        cells = (
            _shortened(column, _LONGEST_NAME),
            table.dtypes[number] + figures.types,
            figures.nulls,
            figures.distinct,
            figures.extremes,
            figures.quartiles,
            ", ".join(_examples(shown, nan_is_null=table.nan_is_null)),
        )
        line = f"| {' | '.join(_cell(cell) for cell in cells)} |"
        more = [f"- `{_cell(_shortened(column, _LONGEST_NAME))}`: {_cell(remark)}." for remark in figures.remarks]
        budget -= _size([line, *more])
        if budget < 0:
            remarks.append(_more(table, number, name))
            break
        lines.append(line)
        remarks += more
    return [*lines, *([""] if remarks else []), *remarks]


def _more(table: Table, described: int, name: str) -> str:
    rest = counted(len(table.header) - described, "more column")
    return f"- … and {rest}; the names are in the first line of {name}."


def _within(lines: list[str], budget: int) -> list[str]:
    """Shorten the longest sentences if they would take more than half the budget."""
    most = max(200, budget // (2 * len(lines)))
    return [_shortened(line, most) for line in lines] if _size(lines) > budget // 2 else lines


def _size(lines: list[str]) -> int:
    return sum(len(line.encode(errors="backslashreplace")) + 1 for line in lines)


def _examples(values: pd.Series[Any], *, nan_is_null: bool) -> list[str]:
    """Return the first distinct values, shortened."""
    found: list[str] = []
    for text in texts(values.iloc[:50].array, nan_is_null=nan_is_null):
        short = None if text is None else _shortened(text, _LONGEST) or '""'
        if short is not None and short not in found:
            found.append(short)
        if len(found) == _EXAMPLES:
            break
    return found


def _shortened(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _cell(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ").replace("\r", " ")
