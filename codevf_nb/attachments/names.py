"""Evaluate the expressions that a user types, and make file names that are valid on every system and unique."""

from __future__ import annotations

import ast
import re
import unicodedata
from collections.abc import Iterable, Mapping
from pathlib import PurePath
from typing import Any

from codevf_nb.attachments.attachment import AttachmentError
from codevf_nb.sdk.suggestions import did_you_mean

_LONGEST = 80  # characters of a name made from an expression
_RESERVED = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|com[\d¹²³]|lpt[\d¹²³]) *(\.|$)", re.IGNORECASE)
_LEAST_ID = 10**7  # a larger number may identify a person
_LABEL = re.compile(r"[\w .-]+")


def resolve(text: str, namespace: Mapping[str, Any]) -> dict[str, Any]:
    """Evaluate a list of Python expressions, such as ``orders[['id', 'total']],customers``.

    Args:
        text: The expressions, separated by commas.
        namespace: The variables.

    Returns:
        Each value, by the text of its expression.

    Raises:
        AttachmentError: The text is not valid Python, a variable does not exist, or an expression fails.
    """
    return {ast.unparse(node): _value(node, namespace) for node in expressions(text)}


def named(text: str) -> list[str]:
    """Return the names of a list of expressions without evaluating them.

    Raises:
        AttachmentError: The text is not valid Python.
    """
    return [ast.unparse(node) for node in expressions(text)]


def expressions(text: str) -> list[ast.expr]:
    """Split a list of Python expressions; commas inside brackets and quotes don't split.

    Raises:
        AttachmentError: The text is not valid Python.
    """
    try:
        parsed = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError):
        raise AttachmentError(
            f"--attach {text}: not a valid list of Python expressions. Separate names or expressions by commas."
        ) from None
    return parsed.elts if isinstance(parsed, ast.Tuple) else [parsed]


def _value(node: ast.expr, namespace: Mapping[str, Any]) -> Any:
    if isinstance(node, ast.Name) and node.id not in namespace:
        likely = did_you_mean(node.id, [name for name in namespace if not name.startswith("_")])
        raise AttachmentError(f"there is no variable {node.id!r} to attach{likely}.")
    try:
        code = compile(ast.Expression(node), "--attach", "eval")
        return eval(code, dict(namespace))  # noqa: S307 - the user's own expression, in their own namespace
    except Exception as error:  # noqa: BLE001 - the user's code can raise any error
        raise AttachmentError(f"--attach {ast.unparse(node)}: {type(error).__name__}: {error}.") from None


def shown(names: Iterable[str]) -> dict[str, str]:
    """Return the displayed name of each value; an expression that may hold a password is never displayed.

    A name with attributes and with subscripts of plain words and numbers is displayed unchanged, and so is a label of
    words. Every other expression becomes ``attachment_1``, ``attachment_2`` and so on.
    """
    names = list(names)
    number, found = 0, {}
    for name in names:
        found[name] = name
        while not is_plain(name) and (found[name] == name or found[name] in names):
            number += 1
            found[name] = f"attachment_{number}"
    return found


def is_plain(name: str) -> bool:
    """Whether a name contains no string and no call that could reveal a secret."""
    if _LABEL.fullmatch(name):
        return True
    try:
        return _is_path(ast.parse(name.strip(), mode="eval").body)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False


def _is_path(node: ast.expr) -> bool:
    """Whether an expression is a name, or an attribute or subscript of one."""
    while not isinstance(node, ast.Name):
        if (isinstance(node, ast.Subscript) and _is_word(node.slice)) or isinstance(node, ast.Attribute):
            node = node.value
        else:
            return False
    return True


def _is_word(node: ast.expr | None) -> bool:
    """Whether a subscript is an identifier, a small number, a slice of numbers, or a list of these."""
    if node is None:
        return True
    if isinstance(node, ast.List | ast.Tuple):
        return all(_is_word(one) for one in node.elts)
    if isinstance(node, ast.Slice):
        return all(_is_word(one) for one in (node.lower, node.upper, node.step))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        node = node.operand
    value = node.value if isinstance(node, ast.Constant) else None
    if isinstance(value, str):
        return value.isidentifier()
    return isinstance(value, int) and abs(value) < _LEAST_ID


def stem(expression: str) -> str:
    """Convert an expression to the stem of a file name: ``orders[['id', 'total']]`` becomes ``orders_id_total``."""
    name = re.sub(r"\W+", "_", expression).strip("_")[:_LONGEST] or "value"
    return f"_{name}" if _RESERVED.match(name) else name


def safe(file_name: str) -> str:
    """Replace characters of a file name that some systems can't store, or that could hide its type."""
    clean = "".join(
        "_" if char in '/\\:*?"<>|' or unicodedata.category(char) in {"Cc", "Cf", "Cs"} else char for char in file_name
    ).strip(" .")
    if len(clean) > 200:
        clean = PurePath(clean).stem[:150] + PurePath(clean).suffix[:20]
    return clean if clean.strip() and not _RESERVED.match(clean) else f"_{clean}"


class Names:
    """The file names in use, compared without case, as on Windows and macOS."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def unique(self, file_name: str) -> str:
        """Return this name, or the first unused one of ``name-2.csv``, ``name-3.csv`` …, and mark it as used."""
        path, found, number = PurePath(file_name), file_name, 1
        while found.casefold() in self._taken:
            number += 1
            found = f"{path.stem}-{number}{path.suffix}"
        self._taken.add(found.casefold())
        return found
