"""Find columns with secrets: by the name of a column, and by pairs of columns such as ``name`` and ``value``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from codevf_nb.privacy._assignments import is_strong
from codevf_nb.privacy._columns import Columns
from codevf_nb.privacy._name_words import (
    NameMeaning,
    is_placeholder,
    meaning,
    words_of,
)
from codevf_nb.privacy._randomness import is_random, is_uuid

_HASH = re.compile(
    r"(?i)[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}|[0-9a-f]{40}|[0-9a-f]{64}|\$2[aby]?\$.*|\$argon2.*|pbkdf2.*"
)
_MASKED = re.compile(r"masked-[0-9a-f]{12}")
_NO_PASSWORD = re.compile(
    r"(?i)yes|no|set|unset|true|false|n/?a|weak|strong|medium|pass|fail(?:ed)?|passed|[\d.]{1,3}|\d+\.\d+|\d{4}-\d\d-\d\d.*"
)
_SHORT = frozenset(
    {"pass", "passe", "clave", "parola", "pw", "pin", "key"}
)  # words that are also names of other columns
_OF_NAMES = frozenset({"name", "key", "variable", "field", "setting", "parameter", "option", "property", "attribute"})
_OF_VALUES = frozenset({"value", "val", "content", "setting_value"})


def secret_columns(table: Columns) -> Iterator[tuple[str, str, int]]:
    """Yield each column with secrets: the kind, the name of the column, and the first row with a secret, from 1."""
    for column, values in table.columns.items():
        named = meaning(column)
        if named is None:
            continue
        row = _first_secret(named, column, values)
        if row:
            yield _called(named), column, row
    yield from _in_pairs(table)


def _first_secret(named: NameMeaning, column: str, values: Sequence[str]) -> int:
    """Return the first row with a secret, or 0. Under an ambiguous name, at least half of the cells must be secrets."""
    last = [word for word in words_of(column) if not word.isdigit()][-1:]
    common = named in {NameMeaning.KEY, NameMeaning.TOKEN} or last[0] in _SHORT
    first = there = secrets = 0
    for row, value in enumerate(values, 1):
        if not value.strip() or _MASKED.fullmatch(value):
            continue
        there += 1
        if is_secret_cell(named, column, value):
            secrets += 1
            first = first or row
            if not common:
                return first
    return first if common and secrets * 2 >= there else 0


def is_secret_cell(named: NameMeaning, column: str, value: str) -> bool:
    """Whether a cell holds a secret, in a column whose name announces one."""
    value = value.strip()
    raw = value.encode(errors="replace")
    if not value or _MASKED.fullmatch(value) or is_placeholder(value):
        return False
    if named is NameMeaning.PASSWORD:
        if _HASH.fullmatch(value) or _NO_PASSWORD.fullmatch(value):
            return False
        return is_strong(raw) if words_of(column)[-1] in _SHORT else len(value) >= 4
    words = words_of(column)
    if (words[-1:] in (["token"], ["secret"], ["key"]) and len(words) == 1) or named is NameMeaning.KEY:
        return is_random(raw) and not _HASH.fullmatch(value)
    if is_uuid(raw) and named is NameMeaning.TOKEN:
        return False
    return is_random(raw, 12) or (
        named is NameMeaning.SECRET and len(value) >= 8 and " " not in value and not value.isdigit()
    )


def _called(named: NameMeaning) -> str:
    return NameMeaning.SECRET.value if named is NameMeaning.KEY else named.value


def _in_pairs(table: Columns) -> Iterator[tuple[str, str, int]]:
    """Yield secrets in tables where one column names the value in another column, as in the result of ``melt``."""
    names = next((column for column in table.columns if column.strip().lower() in _OF_NAMES), None)
    held = next((column for column in table.columns if column.strip().lower() in _OF_VALUES), None)
    if names is None or held is None:
        return
    for row, (name, value) in enumerate(zip(table.columns[names], table.columns[held], strict=False), 1):
        named = meaning(name) if len(name) <= 80 else None
        if named is not None and is_secret_cell(named, name, value):
            yield _called(named), held, row
            return
