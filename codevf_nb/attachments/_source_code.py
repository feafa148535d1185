"""The source of the user's own functions, classes and modules, including those defined in notebook cells."""

from __future__ import annotations

import ast
import inspect
import linecache
import site
import sys
import sysconfig
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

from codevf_nb.attachments.attachment import AttachmentError


def source_of(name: str, value: Any) -> str | None:
    """Return the source of a function, class or module, or None for any other value.

    Args:
        name: The name of the value, for messages.
        value: The value.

    Returns:
        The source code.

    Raises:
        AttachmentError: The value has no Python source, or is a module that the user did not write.
    """
    if isinstance(value, ModuleType):
        return _module(name, value)
    if inspect.isclass(value):
        return _class(name, value)
    if not (inspect.isroutine(value) or inspect.isfunction(inspect.unwrap(value) if callable(value) else value)):
        return None
    try:
        return inspect.getsource(value)
    except (OSError, TypeError):
        raise AttachmentError(f"{name} has no Python source code to attach.") from None


def is_own(file_name: str) -> bool:
    """Whether code in this file is the user's: a notebook cell, or a file outside the installed packages."""
    if is_cell(file_name):
        return True
    if file_name.startswith("<"):
        return False
    path = Path(file_name).resolve()
    if not path.is_file():  # compiled code names a file of the machine that built it
        return False
    return not any(path.is_relative_to(folder) for folder in _installed()) and not (
        {"site-packages", "dist-packages"} & set(path.parts)
    )


def is_cell(file_name: str) -> bool:
    """Whether a kernel or IPython gives this file name to a cell."""
    return file_name.startswith("<ipython-input-") or "ipykernel_" in Path(file_name).parent.name


@lru_cache(maxsize=1)
def _installed() -> tuple[Path, ...]:
    """Return the folders of code that is not the user's: the standard library, installed packages, this package."""
    library = [str(sysconfig.get_path(key)) for key in ("stdlib", "platstdlib", "purelib", "platlib")]
    return tuple(
        Path(folder).resolve() for folder in (*library, *site.getsitepackages(), str(Path(__file__).parents[1]))
    )


def _module(name: str, module: ModuleType) -> str:
    file = getattr(module, "__file__", None)
    if not file or not file.endswith(".py") or not is_own(file):
        raise AttachmentError(f"{name} is an installed module: only your own modules can be attached.")
    return Path(file).read_text(encoding="utf-8", errors="replace")


def _class(name: str, kind: type) -> str:
    try:
        return inspect.getsource(kind)
    except (OSError, TypeError):
        found = _class_in_cells(kind)
    if found is None:
        raise AttachmentError(f"{name} has no Python source code to attach.")
    return found


def _class_in_cells(kind: type) -> str | None:
    """Find a class in the executed cells, the newest first: ``inspect`` needs a file, and cells have none."""
    if not isinstance(sys.modules.get(kind.__module__), ModuleType):
        return None
    for file_name in reversed([name for name in linecache.cache if is_cell(name)]):
        text = "".join(linecache.getlines(file_name))
        try:
            tree = ast.parse(text)
        except SyntaxError:
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef) and node.name == kind.__name__:
                return _segment(text, node)
    return None


def _segment(text: str, node: ast.ClassDef) -> str:
    first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
    return "".join(text.splitlines(keepends=True)[first - 1 : node.end_lineno])
