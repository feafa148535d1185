"""Which values are tables, and what reads each.

They are listed in ``registry``; those that live in an engine are read by ``lazy_tables``. A table is never copied or
read as a whole: what is taken from it are rows at given positions, or one column, a stretch at a time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from codevf_nb.attachments._table import Table
from codevf_nb.attachments.registry import reader, type_of


def table_of(name: str, value: Any) -> Table | None:
    """Return a value as a table, or None where it is none.

    Raises:
        AttachmentError: it is an array without a shape.
    """
    row = type_of(value)
    if row is None or row.read is None:
        return None
    read: Callable[[str, Any], Table] = reader(row)
    return read(name, value)
