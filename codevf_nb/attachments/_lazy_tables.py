"""Read a sample of a table in an engine.

By default, one query samples rows, and no other query runs. A dry run reads only the schema. Statistics of all rows are
computed only if the user asks for them, because the user pays for the engine.
"""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from typing import Any

from codevf_nb.attachments import _engines as engines
from codevf_nb.attachments._headers import counted
from codevf_nb.attachments._table import Part, Table
from codevf_nb.attachments._unsupported import guarded, type_name
from codevf_nb.attachments.registry import AttachableType, reader, type_of

_MOST_ROWS = 20_000  # sampled rows of one table
_LEAST_ROWS = 100
_CELL_BYTES = 6  # an approximate minimum size of a cell in a CSV


class Depth(StrEnum):
    """How much of a table in an engine is read."""

    SCHEMA = "schema"  # only columns and types; for a preview of a question
    SAMPLE = "sample"
    FULL = "full"  # a sample, and statistics of every column over all rows


def lazy_table_of(name: str, value: Any, budget: int, depth: Depth) -> Table | None:
    """Read rows of a table in an engine, or return None for any other value.

    Raises:
        AttachmentError: The engine fails, or narwhals is needed and not installed.
    """
    row = type_of(value)
    if row is None or not row.engine:
        return None
    with guarded(name, type_name(value), f"Attach {row.conversion.format(name)}"):
        engine: engines.Engine = getattr(engines, row.engine)(value)
        if depth is Depth.SCHEMA:
            return _schema_only(name, value, engine)
        table = _drawn(name, value, engine, budget)
        if depth is Depth.FULL and table.part is not None:
            from codevf_nb.attachments._engine_figures import counted_whole

            rows, figures, facts = counted_whole(value, table.header)
            part = replace(table.part, rows=rows, figures=figures)
            table = replace(table, part=part, facts=(*table.facts, *facts))
        return _with_size(table)


def schema_of(value: Any, row: AttachableType) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the columns and types of a table in an engine without running a query."""
    table = _schema_only("table", value, getattr(engines, row.engine)(value))
    return table.header, table.dtypes


def part_of(name: str, what: str, part: Part, frame: Any) -> Table:
    """Convert a frame from an engine to rows of a larger table."""
    row = type_of(frame)
    if row is None:
        raise TypeError(f"an engine returned a {type_name(frame)}")
    table: Table = reader(row)(name, frame)
    return replace(table, what=what, part=part, facts=tuple(fact for fact in table.facts if "0 … n-1" not in fact))


def _schema_only(name: str, value: Any, engine: engines.Engine) -> Table:
    part = Part(engine, drawn="none of them read yet: rows are drawn when the question is sent", is_read=False)
    return part_of(name, type_name(value), part, engine.empty())


def _drawn(name: str, value: Any, engine: engines.Engine, budget: int) -> Table:
    width = max(1, len(engine.empty().columns))
    rows = min(_MOST_ROWS, max(_LEAST_ROWS, budget // (width * _CELL_BYTES)))
    frame, numbers = engine.drawn(rows)
    table = part_of(name, type_name(value), Part(engine, numbers=numbers), frame)
    if table.rows < rows - _missing_rows(engine, rows):  # the table has no more rows
        return replace(table, part=None)
    return table


def _missing_rows(engine: engines.Engine, rows: int) -> int:
    """Return how many rows fewer than requested an engine may return although the table has more."""
    return rows // 4 if isinstance(engine, engines.Ibis) else 0


def _with_size(table: Table) -> Table:
    part = table.part
    if part is None:
        rows = counted(table.rows, "row")
    elif part.rows is None:
        rows = "an unknown number of rows (--profile full counts them)"
    else:
        rows = counted(part.rows, "row")
    return replace(table, what=f"{table.what} of {rows} × {counted(len(table.header), 'column')}")
