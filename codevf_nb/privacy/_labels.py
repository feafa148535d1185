"""What a message calls a column or another place: its name, unless that is private itself, or too long to read."""

from __future__ import annotations

import re
from collections.abc import Sequence

_LONGEST = 80
_NUMBER = re.compile(r"number \d+|.*…")


def shown_column(columns: Sequence[str], column: str) -> str:
    """Return a column's name; where the first line of a table is no header but data, its number, from 1."""
    if is_data(columns) or not column.strip():
        return f"number {list(columns).index(column) + 1}"
    return shown(column)


def is_data(columns: Sequence[str]) -> bool:
    """Whether what stands for the names of columns holds something private: then the table has no header."""
    from codevf_nb.privacy._personal_columns import is_private_text
    from codevf_nb.privacy._scanner import holds_secret

    return any(is_private_text(column) or holds_secret(column) for column in columns)


def is_number_of_column(name: str) -> bool:
    """Whether a message called a column by something that ``--redact`` can't take."""
    return bool(_NUMBER.fullmatch(name))


def shown(name: str) -> str:
    """Return a name, cut where it is longer than a line."""
    return name if len(name) <= _LONGEST else f"{name[:_LONGEST]}…"
