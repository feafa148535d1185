"""Tables that live in an engine, read as rows that are drawn of them.

By default one query draws rows, and nothing else is asked. A dry run asks for nothing but the schema. All that the
profile says of the whole is counted only where that was asked for, since that is the user's engine's bill.
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

_MOST_ROWS = 20_000  # collected of one table
_LEAST_ROWS = 100
_CELL_BYTES = 6  # at least about so many a cell takes in a CSV


class Depth(StrEnum):
    """How much is read of a table that lives in an engine."""

    SCHEMA = "schema"  # its columns and their types; for a look at what would be sent
    SAMPLE = "sample"
    FULL = "full"  # and figures of every column, over all rows


def lazy_table_of(name: str, value: Any, budget: int, depth: Depth) -> Table | None:
    """Return rows of a table that lives in an engine as a table, or None where a value is no such table.

    Raises:
        AttachmentError: its engine fails, or narwhals is needed and isn't there.
    """
    row = type_of(value)
    if row is None or not row.engine:
        return None
    with guarded(name, type_name(value), f"Attach {row.way.format(name)}"):
        engine: engines.Engine = getattr(engines, row.engine)(value)
        if depth is Depth.SCHEMA:
            return _unread(name, value, engine)
        table = _drawn(name, value, engine, budget)
        if depth is Depth.FULL and table.part is not None:
            from codevf_nb.attachments._engine_figures import counted_whole

            rows, figures, facts = counted_whole(value, table.header)
            part = replace(table.part, rows=rows, figures=figures)
            table = replace(table, part=part, facts=(*table.facts, *facts))
        return _said(table)


def schema_of(value: Any, row: AttachableType) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the columns and types of a table that lives in an engine, without running a query."""
    table = _unread("table", value, getattr(engines, row.engine)(value))
    return table.header, table.dtypes


def part_of(name: str, what: str, part: Part, frame: Any) -> Table:
    """Read a frame that an engine has handed over, as rows of a larger table."""
    row = type_of(frame)
    if row is None:
        raise TypeError(f"an engine handed over a {type_name(frame)}")
    table: Table = reader(row)(name, frame)
    return replace(table, what=what, part=part, facts=tuple(fact for fact in table.facts if "0 … n-1" not in fact))


def _unread(name: str, value: Any, engine: engines.Engine) -> Table:
    part = Part(engine, drawn="none of them read yet: rows are drawn when the question is sent", is_read=False)
    return part_of(name, type_name(value), part, engine.empty())


def _drawn(name: str, value: Any, engine: engines.Engine, budget: int) -> Table:
    width = max(1, len(engine.empty().columns))
    rows = min(_MOST_ROWS, max(_LEAST_ROWS, budget // (width * _CELL_BYTES)))
    frame, numbers = engine.drawn(rows)
    table = part_of(name, type_name(value), Part(engine, numbers=numbers), frame)
    if table.rows < rows - _is_cut_short(engine, rows):  # that is all there is
        return replace(table, part=None)
    return table


def _is_cut_short(engine: engines.Engine, rows: int) -> int:
    """Return by how much fewer rows than asked for an engine may draw of a table that has more."""
    return rows // 4 if isinstance(engine, engines.Ibis) else 0


def _said(table: Table) -> Table:
    part = table.part
    if part is None:
        rows = counted(table.rows, "row")
    elif part.rows is None:
        rows = "rows that nobody counted (--profile full does)"
    else:
        rows = counted(part.rows, "row")
    return replace(table, what=f"{table.what} of {rows} × {counted(len(table.header), 'column')}")
