"""Find the joins in the code of a cell: pandas, polars, and SQL in strings."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

INDEX = "<index>"  # a placeholder for the columns of a table's index

_METHODS = {"merge", "join", "merge_asof", "merge_ordered", "join_asof"}
_KINDS = {"inner", "left", "right", "outer", "cross", "full", "semi", "anti", "left_semi", "left_anti"}
_ALIAS = r"(?:\s+(?:as\s+)?(?!(?:on|using|where|join|left|right|inner|outer|full|cross|group|order|natural)\b)(\w+))?"
_TABLE = re.compile(r"\b(?:from|join)\s+[\"`]?(\w+)[\"`]?" + _ALIAS, re.IGNORECASE)
_EQUAL = re.compile(r"[\"`]?(\w+)[\"`]?\.[\"`]?(\w+)[\"`]?\s*=\s*[\"`]?(\w+)[\"`]?\.[\"`]?(\w+)[\"`]?")
_USING = re.compile(r"\bjoin\s+[\"`]?(\w+)[\"`]?" + _ALIAS + r"\s+using\s*\(([^)]*)\)", re.IGNORECASE)


@dataclass(frozen=True)
class Join:
    """A join of two tables: their variable names (None for an expression without a variable) and their key columns."""

    left: str | None
    right: str | None
    left_on: tuple[str, ...]
    right_on: tuple[str, ...]


def joins_in(code: str | None) -> list[Join]:
    """Return the joins in a cell, in their order; empty if the cell can't be parsed."""
    if not code:
        return []
    plain = "\n".join("" if line.lstrip().startswith(("%", "!")) else line for line in code.splitlines())
    try:
        tree = ast.parse(plain)
    except (SyntaxError, ValueError, RecursionError):
        return list(_sql(code))
    origins = _origins(tree)
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            join = _call(node, origins)
            found += [join] if join else []
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found += _sql(node.value)
    return found


def _origins(tree: ast.AST) -> dict[str, str]:
    """Map each assigned variable to the variable that it derives from: ``merged`` to ``orders``."""
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            name = _root(node.value)
            if name and name != node.targets[0].id:
                found.setdefault(node.targets[0].id, name)
    return found


def _root(node: ast.AST) -> str | None:
    """Return the variable that an expression starts with; for ``pd.merge(a, b)`` it is ``a``."""
    while True:
        if isinstance(node, ast.Name):
            return node.id
        if isinstance(node, ast.Call):
            is_function = isinstance(node.func, ast.Attribute) and _is_pandas(node.func.value)
            node = node.args[0] if is_function and node.args else node.func
        elif isinstance(node, ast.Attribute | ast.Subscript):
            node = node.value
        else:
            return None


def _is_pandas(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and node.id in {"pd", "pandas", "pl", "polars"}


def _call(node: ast.Call, origins: dict[str, str]) -> Join | None:
    if not isinstance(node.func, ast.Attribute) or node.func.attr not in _METHODS:
        return None
    options = {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg}
    operands = list(node.args) if _is_pandas(node.func.value) else [node.func.value, *node.args]
    operands += [options[name] for name in ("left", "right", "other") if name in options]
    if len(operands) < 2 or isinstance(operands[0], ast.Constant) or _root(operands[0]) == "os":
        return None
    left, right, *further = operands
    keys = _keys(options, further, node.func.attr, right)
    if keys is None:
        return None
    return Join(_variable(left, origins), _variable(right, origins), *keys)


def _variable(node: ast.AST, origins: dict[str, str]) -> str | None:
    name = _root(node)
    seen = set()
    while name in origins and name not in seen:
        seen.add(name)
        name = origins[name]
    return name


def _keys(
    options: dict[str, ast.expr], further: list[ast.expr], method: str, right: ast.expr
) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    both = _columns(options.get("on")) or next((names for part in further if (names := _columns(part))), ())
    left, right_keys = _columns(options.get("left_on")), _columns(options.get("right_on"))
    left = (INDEX,) if _is_true(options.get("left_index")) else left or both
    right_keys = (INDEX,) if _is_true(options.get("right_index")) else right_keys or both
    by = _columns(options.get("by"))
    if method == "join" and not left and not right_keys:
        left = right_keys = (INDEX,)
    indexed = _set_index(right)
    if indexed and right_keys in {(INDEX,), both}:
        right_keys = indexed
    return (by + left, by + right_keys) if left and len(left) == len(right_keys) else None


def _set_index(node: ast.AST) -> tuple[str, ...]:
    for part in ast.walk(node):
        if isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute) and part.func.attr == "set_index":
            return _columns(part.args[0]) if part.args else ()
    return ()


def _columns(node: ast.AST | None) -> tuple[str, ...]:
    """Return the column names in an argument: a string, a list of strings, or ``pl.col("a")``."""
    if node is None:
        return ()
    names = [part.value for part in ast.walk(node) if isinstance(part, ast.Constant) and isinstance(part.value, str)]
    return tuple(name for name in names if name not in _KINDS)


def _is_true(node: ast.AST | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is True


def _sql(text: str) -> Iterator[Join]:
    if "join" not in text.lower():
        return
    names: dict[str, str] = {}
    order: list[str] = []
    for table, alias in _TABLE.findall(text):
        order.append(table)
        names[table.lower()] = table
        if alias:
            names[alias.lower()] = table
    pairs: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for one, column, two, other in _EQUAL.findall(text):
        tables = (names.get(one.lower(), one), names.get(two.lower(), two))
        pairs.setdefault(tables, []).append((column, other))
    for (left, right), columns in pairs.items():
        yield Join(left, right, tuple(one for one, _ in columns), tuple(two for _, two in columns))
    for table, _, listed in _USING.findall(text):
        keys = tuple(name.strip(' "`') for name in listed.split(","))
        for earlier in order[: order.index(table)]:
            yield Join(earlier, table, keys, keys)
