"""Find the reader for a table.

The module ``registry`` lists the types of tables; ``_lazy_tables`` reads those in an engine. A table is never copied or
read completely: a reader takes rows at given positions, or a range of one column.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from codevf_nb.attachments._table import Table
from codevf_nb.attachments.registry import reader, type_of


def table_of(name: str, value: Any) -> Table | None:
    """Return a value as a table, or None if it is not a table.

    Raises:
        AttachmentError: The value is an array without an axis.
    """
    row = type_of(value)
    if row is None or row.read is None:
        return None
    read: Callable[[str, Any], Table] = reader(row)
    return read(name, value)
