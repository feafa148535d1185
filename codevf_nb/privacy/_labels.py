"""How messages name a column or another location: by its name, unless the name is private itself or too long."""

from __future__ import annotations

import re
from collections.abc import Sequence

_LONGEST = 80
_NUMBER = re.compile(r"number \d+|.*…")


def shown_column(columns: Sequence[str], column: str) -> str:
    """Return a column's name, or its number from 1 if the first line of the table is data and not a header."""
    if is_data(columns) or not column.strip():
        return f"number {list(columns).index(column) + 1}"
    return shown(column)


def is_data(columns: Sequence[str]) -> bool:
    """Whether the column names contain private data: then the first line is data and not a header."""
    from codevf_nb.privacy._personal_columns import is_private_text
    from codevf_nb.privacy._scanner import holds_secret

    return any(is_private_text(column) or holds_secret(column) for column in columns)


def is_number_of_column(name: str) -> bool:
    """Whether a message named a column in a way that ``--redact`` does not accept."""
    return bool(_NUMBER.fullmatch(name))


def shown(name: str) -> str:
    """Return a name, cut to the length of a line."""
    return name if len(name) <= _LONGEST else f"{name[:_LONGEST]}…"
