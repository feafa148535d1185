"""Findings between files: keys that are missing in another table, and the effect of joins in the code."""

from __future__ import annotations

import ast
import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from codevf_nb.sandbox._reviewer._finding import Finding
from codevf_nb.sandbox._reviewer._rulebook import counted, found
from codevf_nb.sandbox._reviewer._source import Source
from codevf_nb.sandbox._reviewer._tables import Table


@dataclass(frozen=True)
class Join:
    """A `.merge(` in the code: the joined names, the key and `how`."""

    line: int
    left: str
    right: str
    on: str | None
    how: str | None


def keys_between(tables: list[Table]) -> Iterator[Finding]:
    """Return findings for pairs of tables with a common key: keys of one table that are missing in the other."""
    for first, second in combinations(tables, 2):
        for name in first.keys:
            if name in second.keys and first.rows and second.rows:
                # The table in which the key repeats refers to the other one.
                referring, referred = (
                    (first, second) if _repeats(first, name) >= _repeats(second, name) else (second, first)
                )
                yield from _missing(referring, referred, name)


def joins_in(source: Source, tables: list[Table]) -> Iterator[Finding]:
    """Return findings for each join: its effect on the attached tables, or its possible effect on others."""
    by_name = {table.document.stem.lower(): table for table in tables}
    for join in filter(None, map(_join, ast.walk(source.tree))):
        file, line = source.place(join.line)
        left, right = by_name.get(join.left.lower()), by_name.get(join.right.lower())
        if left and right and join.on in left.header and join.on in right.header:
            yield from _effect(file, line, join, left, right)
        elif join.how is None:
            yield found(file, line, "merge-without-how")


def _effect(file: str, line: int, join: Join, left: Table, right: Table) -> Iterator[Finding]:
    key, names = str(join.on), {"left": left.document.stem, "right": right.document.stem}
    held = Counter(_value(cell.text) for cell in right.column(key))
    cells = left.column(key)
    dropped = [cell for cell in cells if _value(cell.text) not in held]
    if dropped and join.how in {None, "inner"}:
        count, total = f"{len(dropped):,}", f"{len(cells):,}"
        row = dropped[0].row
        yield found(file, line, "join-drops-rows", key=key, count=count, total=total, row=row, **names)
    repeated = sum(count > 1 for count in held.values())
    if repeated and _repeats(left, key):
        values = counted(repeated, "value", "values")
        yield found(file, line, "join-multiplies-rows", key=key, values=values, **names)


def _missing(referring: Table, referred: Table, name: str) -> Iterator[Finding]:
    held = {_value(cell.text) for cell in referred.column(name)}
    cells = [cell for cell in referring.column(name) if cell.text.strip()]
    missing = [cell for cell in cells if _value(cell.text) not in held]
    if not missing:
        return
    keys, lost = {_value(cell.text) for cell in cells}, {_value(cell.text) for cell in missing}
    loose = {text.strip().casefold() for text in held}
    nearly = sum(text.strip().casefold() in loose for text in lost)
    back = len(held - keys - {""})
    other = referred.document.name
    words = {
        "lost": len(lost),
        "keys": len(keys),
        "count": f"{len(missing):,}",
        "total": f"{len(cells):,}",
        "be": "is" if len(lost) == 1 else "are",
        "other": other,
        "nearly": f"; {nearly} would be, but for blanks or upper case" if nearly else "",
        "back": f" The other way round: {counted(back, 'key', 'keys')} of {other} without a row here." if back else "",
    }
    yield found(referring.document.name, missing[0].row, "missing-keys", name, **words)


def _join(node: ast.AST) -> Join | None:
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or node.func.attr != "merge":
        return None
    words = {word.arg: word.value for word in node.keywords}
    module = isinstance(node.func.value, ast.Name) and node.func.value.id in {"pd", "pandas"}
    operands = list(node.args) if module else [node.func.value, *node.args]
    # `repository.merge(branch)` is not a join: a join of DataFrames names its key.
    if not module and not {"on", "left_on", "right_on", "left_index", "right_index"} & set(words):
        return None
    names = [operand.id if isinstance(operand, ast.Name) else "" for operand in (*operands, ast.Pass(), ast.Pass())]
    return Join(
        node.lineno,
        names[0],
        names[1],
        _text(words.get("on")),
        _text(words.get("how")) if "how" in words else None,
    )


def _text(node: ast.AST | None) -> str | None:
    if isinstance(node, ast.List | ast.Tuple) and len(node.elts) == 1:
        node = node.elts[0]
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return None if node is None else "?"


def _value(text: str) -> str:
    """Return a key as pandas compares it: 7 and 7.0 are equal."""
    try:
        number = float(text) if "_" not in text else math.nan
    except ValueError:
        return text
    return str(int(number)) if number.is_integer() and abs(number) < 2**53 else text


def _repeats(table: Table, name: str) -> int:
    cells = table.column(name)
    return len(cells) - len({cell.text for cell in cells})
