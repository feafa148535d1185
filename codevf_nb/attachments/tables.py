"""Which values are tables, and what reads each.

The libraries are recognised by their classes' names and never imported. A table is never copied or read as a whole:
what is taken from it are rows at given positions, or one column, a stretch at a time.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from .attachment import is_a
from .table import Table

# Library, class, and the module and function here that read it.
_READERS = (
    ("pandas", "DataFrame", "pandas_tables", "from_frame"),
    ("pandas", "Series", "pandas_tables", "from_series"),
    ("pandas", "Index", "pandas_tables", "from_index"),
    ("pandas", "ExtensionArray", "pandas_tables", "from_extension_array"),
    ("polars", "DataFrame", "polars_tables", "from_polars"),
    ("polars", "Series", "polars_tables", "from_polars"),
    ("pyarrow", "Table", "arrow_tables", "from_arrow"),
    ("pyarrow", "RecordBatch", "arrow_tables", "from_arrow"),
    ("pyarrow", "ChunkedArray", "arrow_tables", "from_arrow_array"),
    ("pyarrow", "Array", "arrow_tables", "from_arrow_array"),
    ("numpy", "ndarray", "array_tables", "from_array"),
)


def table_of(name: str, value: Any) -> Table | None:
    """Return a value as a table, or None where it is none.

    Raises:
        AttachmentError: it is an array without a shape.
    """
    for library, kind, module, function in _READERS:
        if is_a(value, library, kind):
            read: Callable[[str, Any], Table] = getattr(import_module(f"{__package__}.{module}"), function)
            return read(name, value)
    return None
