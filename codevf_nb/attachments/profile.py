"""The profile beside the tables, in Markdown: what the whole is, what is sent of it, and what stands in that.

Shape and types are of the whole. Nulls, ranges and examples are of what is sent: a table of millions is never read for
them, and nothing stands here that isn't in the rows beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .redaction import Mask
from .sampling import Sample

if TYPE_CHECKING:
    import pandas as pd

_MOST_COLUMNS = 500  # described one by one; a wider table's others are counted
_EXAMPLES = 3
_LONGEST = 40  # characters of one example


def profile(samples: Mapping[str, Sample], mask: Mask) -> str:
    """Describe samples by the names of their files."""
    return "\n\n".join("\n".join(_block(name, sample, mask)) for name, sample in samples.items()) + "\n"


def extent(sample: Sample) -> str:
    """Say how many rows go, of how many, and how they were drawn."""
    sent, whole = sample.rows
    return f"all {whole:,} rows" if sample.is_whole else f"{sent:,} of {whole:,} rows, {sample.drawn}"


def _block(name: str, sample: Sample, mask: Mask) -> list[str]:
    table = sample.table
    lines = [
        f"# {name}",
        f"`{table.name}`: {table.what}. Sent: {extent(sample)}, {len(table.header)} columns.",
        *sample.notes,
    ]
    masked = [column for column in table.header if mask.covers(column)]
    if masked:
        lines.append(f"Masked: {', '.join(masked)}. The same value has the same mask in every table of this question.")
    if not table.header:
        return [*lines, "It has no columns."]
    lines += ["", "| column | dtype | nulls | range | examples |", "|---|---|---|---|---|"]
    for number, (column, dtype) in enumerate(zip(table.header[:_MOST_COLUMNS], table.dtypes, strict=False)):
        values = sample.frame.iloc[:, number]
        nulls = int(values.isna().sum())
        cells = (column, dtype, f"{nulls:,}", _range(values), ", ".join(_examples(values)))
        lines.append(f"| {' | '.join(_cell(cell) for cell in cells)} |")
    if len(table.header) > _MOST_COLUMNS:
        more = len(table.header) - _MOST_COLUMNS
        lines.append(f"\n… and {more:,} more columns; their names are in the first line of {name}.")
    lines.append("\nNulls, ranges and examples are of the rows sent.")
    return lines


def _range(values: pd.Series[Any]) -> str:
    """Return the least and the greatest, or of text how many different values there are."""
    from pandas.api import types

    there = values.dropna()
    if there.empty:
        return ""
    ordered = types.is_numeric_dtype(there.dtype) or types.is_datetime64_any_dtype(there.dtype)
    if ordered and not types.is_bool_dtype(there.dtype) and not types.is_complex_dtype(there.dtype):
        return f"{there.min()} … {there.max()}"
    try:
        return f"{there.nunique():,} different"
    except TypeError:  # nested values can't be compared
        return ""


def _examples(values: pd.Series[Any]) -> list[str]:
    """Return the first values that differ from each other, cut short."""
    found: list[str] = []
    for value in values.dropna().head(50):
        text = str(value)
        text = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
        if text not in found:
            found.append(text)
        if len(found) == _EXAMPLES:
            break
    return found


def _cell(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ").replace("\r", " ")
