"""Defects that the syntax tree shows and pyflakes does not report."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any, NamedTuple

from codevf_nb.sandbox._reviewer._finding import Finding
from codevf_nb.sandbox._reviewer._rulebook import found
from codevf_nb.sandbox._reviewer._source import Source

_HIDDEN = "list dict set str int float bool tuple sum max min len id input filter map type range all any sorted"
SHADOWED = frozenset(_HIDDEN.split()) & frozenset(dir(builtins))
# torch.nn.ReLU(inplace=True) is not a defect: only methods with a name of pandas are checked.
_PANDAS = "sort_values sort_index dropna drop rename reset_index set_index drop_duplicates query eval rename_axis"
INPLACE = frozenset(_PANDAS.split())

MUTABLE = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
OWN_SCOPE = (*FUNCTIONS, ast.ClassDef, ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
ENDS = (ast.Return, ast.Raise, ast.Break, ast.Continue)


class Hit(NamedTuple):
    """A defect in the tree: the line, the rule, and the fields of its message."""

    line: int
    rule: str
    words: tuple[tuple[str, Any], ...] = ()


def check_syntax_tree(source: Source) -> Iterator[Finding]:
    """Run all checks on all nodes, in the order of the lines."""
    try:
        hits = {hit for node in ast.walk(source.tree) for check in CHECKS for hit in check(node)}
    except RecursionError:
        return
    for hit in sorted(hits):
        file, line = source.place(hit.line)
        yield found(file, line, hit.rule, **dict(hit.words))


def _hit(line: int, rule: str, **words: Any) -> Hit:
    return Hit(line, rule, tuple(words.items()))


def _mutable_default(node: ast.AST) -> Iterator[Hit]:
    if not isinstance(node, (*FUNCTIONS, ast.Lambda)):
        return
    for default in [*node.args.defaults, *node.args.kw_defaults]:
        empty_call = isinstance(default, ast.Call) and _name(default.func) in {"list", "dict", "set"}
        if default is not None and (isinstance(default, MUTABLE) or empty_call):
            yield _hit(default.lineno, "mutable-default")


def _bare_except(node: ast.AST) -> Iterator[Hit]:
    if not isinstance(node, ast.ExceptHandler):
        return
    # A bare except that raises the error again is correct for cleaning up.
    raises = any(isinstance(inner, ast.Raise) and inner.exc is None for inner in ast.walk(node))
    if node.type is None and not raises:
        yield _hit(node.lineno, "bare-except")
    elif (
        node.type is not None
        and _name(node.type) in {"Exception", "BaseException"}
        and all(isinstance(step, ast.Pass) for step in node.body)
    ):
        yield _hit(node.lineno, "silent-except", name=_name(node.type))


def _comparison(node: ast.AST) -> Iterator[Hit]:
    if not isinstance(node, ast.Compare):
        return
    for operator, pair in zip(node.ops, pairwise([node.left, *node.comparators]), strict=True):
        if not isinstance(operator, ast.Eq | ast.NotEq):
            continue
        if any(_is_nan(side) for side in pair):
            yield _hit(node.lineno, "compare-nan")
        elif any(isinstance(side, ast.Constant) and side.value is None for side in pair):
            yield _hit(node.lineno, "compare-none")
        elif any(_is_fraction(side) for side in pair):
            yield _hit(node.lineno, "compare-float")


def _chained_assignment(node: ast.AST) -> Iterator[Hit]:
    targets: list[ast.expr] = []
    if isinstance(node, ast.Assign):
        targets = node.targets
    elif isinstance(node, ast.AugAssign):
        targets = [node.target]
    for target in targets:
        if not isinstance(target, ast.Subscript) or not isinstance(target.value, ast.Subscript):
            continue
        # d["a"]["b"] = 1 is correct for dicts, and m[0][1] = 1 for lists. Only a mask shows that it is a DataFrame.
        if _is_mask(target.value.slice):
            yield _hit(target.lineno, "chained-assignment")
        elif _is_mask(target.slice) and _is_text(target.value.slice):
            yield _hit(target.lineno, "column-then-mask")


def _inplace_assigned(node: ast.AST) -> Iterator[Hit]:
    value = node.value if isinstance(node, ast.Assign | ast.Return | ast.AnnAssign) else None
    if not isinstance(value, ast.Call) or not isinstance(value.func, ast.Attribute):
        return
    inplace = any(word.arg == "inplace" and _is_true(word.value) for word in value.keywords)
    if inplace and value.func.attr in INPLACE:
        yield _hit(value.lineno, "inplace-result", name=value.func.attr)


def _append_assigned(node: ast.AST) -> Iterator[Hit]:
    if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Call):
        return
    function = node.value.func
    if isinstance(function, ast.Attribute) and function.attr == "append":
        owner = _name(function.value) if isinstance(function.value, ast.Name) else ""
        if owner and owner in {target.id for target in node.targets if isinstance(target, ast.Name)}:
            yield _hit(node.lineno, "append-result", name=owner)


def _unreachable(node: ast.AST) -> Iterator[Hit]:
    for block in ("body", "orelse", "finalbody"):
        steps = getattr(node, block, None)
        for step, after in pairwise(steps) if isinstance(steps, list) else ():
            # `return` before `yield` makes an empty generator.
            if isinstance(step, ENDS) and not _is_yield(after):
                yield _hit(after.lineno, "unreachable", name=type(step).__name__.lower())
                break


def _shadowed(node: ast.AST) -> Iterator[Hit]:
    # Not in a class: its attributes do not hide builtins.
    if not isinstance(node, (ast.Module, *FUNCTIONS)):
        return
    for inner in _same_scope(node):
        if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store) and inner.id in SHADOWED:
            yield _hit(inner.lineno, "shadowed-builtin", name=inner.id)
        elif isinstance(inner, FUNCTIONS) and inner.name in SHADOWED:
            yield _hit(inner.lineno, "shadowed-builtin", name=inner.name)


def _divides_by_len(node: ast.AST) -> Iterator[Hit]:
    if not isinstance(node, FUNCTIONS):
        return
    unsure = {argument.arg for argument in [*node.args.args, *node.args.kwonlyargs]} - _tested(node) - {"self"}
    # In a loop over the value, the value is not empty.
    looped = {inner for loop in ast.walk(node) if isinstance(loop, ast.For) for inner in ast.walk(loop)}
    for inner in ast.walk(node):
        if isinstance(inner, ast.BinOp) and isinstance(inner.op, ast.Div | ast.FloorDiv):
            measured = _measured(inner.right)
            if measured in unsure and inner not in looped:
                yield _hit(inner.lineno, "divide-by-len", name=measured)


def _changed_while_read(node: ast.AST) -> Iterator[Hit]:
    if not isinstance(node, ast.For) or not isinstance(node.iter, ast.Name):
        return
    inside = [inner for step in node.body for inner in ast.walk(step)]
    if any(isinstance(inner, ast.Break | ast.Return) for inner in inside):
        return  # one change before the end of the loop is correct
    for inner in inside:
        if isinstance(inner, ast.Call) and isinstance(inner.func, ast.Attribute):
            changes = inner.func.attr in {"remove", "pop", "insert"}
            if changes and isinstance(inner.func.value, ast.Name) and inner.func.value.id == node.iter.id:
                yield _hit(inner.lineno, "changed-while-read", name=node.iter.id)


def _fitted_on_test(node: ast.AST) -> Iterator[Hit]:
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or not node.args:
        return
    name = _name(node.args[0])
    if node.func.attr in {"fit", "fit_transform"} and "test" in name.lower().split("_"):
        yield _hit(node.lineno, "fit-on-test", method=node.func.attr, name=name)


CHECKS: tuple[Callable[[ast.AST], Iterator[Hit]], ...] = (
    _mutable_default,
    _bare_except,
    _comparison,
    _chained_assignment,
    _inplace_assigned,
    _append_assigned,
    _unreachable,
    _shadowed,
    _divides_by_len,
    _changed_while_read,
    _fitted_on_test,
)


def _same_scope(node: ast.AST) -> Iterator[ast.AST]:
    """Return the nodes below a node, without those in other scopes."""
    for child in ast.iter_child_nodes(node):
        yield child
        if not isinstance(child, OWN_SCOPE):
            yield from _same_scope(child)


def _tested(node: ast.AST) -> set[str]:
    """Return the names in the conditions of a node."""
    tests: list[ast.AST] = []
    for inner in ast.walk(node):
        if isinstance(inner, ast.If | ast.IfExp | ast.While | ast.Assert):
            tests.append(inner.test)
        elif isinstance(inner, ast.BoolOp | ast.Try):
            tests.append(inner)
    return {inner.id for test in tests for inner in ast.walk(test) if isinstance(inner, ast.Name)}


def _name(node: ast.AST) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _is_true(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value is True


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _is_yield(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Yield | ast.YieldFrom)


def _is_nan(node: ast.AST) -> bool:
    if isinstance(node, ast.Attribute):
        return node.attr.lower() == "nan" and _name(node.value) in {"np", "numpy", "math"}
    if isinstance(node, ast.Call) and _name(node.func) == "float" and len(node.args) == 1:
        argument = node.args[0]
        return isinstance(argument, ast.Constant) and str(argument.value).lower() == "nan"
    return False


def _is_fraction(node: ast.AST) -> bool:
    # 0.5 and 0.25 are exact in binary; so are all multiples of 1/1024.
    return isinstance(node, ast.Constant) and isinstance(node.value, float) and not (node.value * 1024).is_integer()


def _is_mask(node: ast.AST) -> bool:
    if isinstance(node, ast.BinOp):
        return isinstance(node.op, ast.BitAnd | ast.BitOr) and (_is_mask(node.left) or _is_mask(node.right))
    if isinstance(node, ast.UnaryOp):
        return isinstance(node.op, ast.Invert)
    return isinstance(node, ast.Compare)


def _measured(node: ast.AST) -> str:
    """Return the name in `len(name)`."""
    if isinstance(node, ast.Call) and _name(node.func) == "len" and len(node.args) == 1:
        return node.args[0].id if isinstance(node.args[0], ast.Name) else ""
    return ""
