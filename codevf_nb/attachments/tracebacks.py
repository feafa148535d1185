"""The last exception as Markdown: the frames of the user's own code, and the shapes of the tables in them.

Source lines and the exception's own message are sent, and of what the frames hold only shapes and dtypes: never a
value. Frames of installed packages are counted, not shown.
"""

from __future__ import annotations

import linecache
import re
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

from .attachment import AttachmentError, Text, is_a
from .sources import is_cell, is_own

# How IPython 7 names a cell's code.
_OLD_CELL = re.compile(r"<ipython-input-(\d+)-")
_AROUND = 3  # source lines before and after the one that failed
_MOST_COLUMNS = 60
_MOST_FRAMES = 25

NameOf = Callable[[str], str]


def traceback_of(shell: Any) -> Text:
    """Return the last exception of a shell as a text to attach.

    An error of this extension's own is passed over for the one before it, which it carries in ``before``.

    Raises:
        AttachmentError: nothing has failed yet.
    """
    return traceback_text(_last_error(), lambda file_name: _name(shell, file_name))


def failing_cell() -> str:
    """Return the code of the cell in which the last exception was raised.

    Raises:
        AttachmentError: nothing has failed yet, or not in a cell.
    """
    for frame, _ in reversed(list(traceback.walk_tb(_last_error().__traceback__))):
        if is_cell(frame.f_code.co_filename):
            return "".join(linecache.getlines(frame.f_code.co_filename)).rstrip("\n")
    raise AttachmentError("the last exception was raised in no cell; ask with %%codevf --traceback.")


def _last_error() -> BaseException:
    error: Any = getattr(sys, "last_value", None)
    while hasattr(error, "before"):
        error = error.before
    if not isinstance(error, BaseException):
        raise AttachmentError("--traceback: no exception has been raised yet in this kernel.")
    return error


def traceback_text(error: BaseException, name_of: NameOf | None = None) -> Text:
    """Return an exception, and those it came from, as a text to attach; ``name_of`` names a file for people."""
    name_of = name_of or (lambda file_name: _name(None, file_name))
    blocks = ["# Traceback"]
    for one, relation in _chain(error):
        blocks.append(relation + "\n".join(_described(one, name_of)))
    return Text("traceback.md", "\n\n".join(blocks) + "\n")


def _chain(error: BaseException) -> Iterator[tuple[BaseException, str]]:
    """Yield an exception and what it came from, the last one first, three at most."""
    relation = ""
    for _ in range(3):
        yield error, relation
        if error.__cause__ is not None:
            error, relation = error.__cause__, "It was raised from this one:\n\n"
        elif error.__context__ is not None and not error.__suppress_context__:
            error, relation = error.__context__, "It was raised while this one was handled:\n\n"
        else:
            return


def _described(error: BaseException, name_of: NameOf) -> list[str]:
    said = "".join(traceback.format_exception_only(type(error), error)).rstrip()
    lines = [_fenced(_without_paths(said, error, name_of))]
    skipped: list[str] = []
    frames = list(traceback.walk_tb(error.__traceback__))
    own = [frame for frame, _ in frames if is_own(frame.f_code.co_filename)][-_MOST_FRAMES:]
    for frame, number in frames:
        if frame not in own:
            skipped.append(str(frame.f_globals.get("__name__", "?")).partition(".")[0])
            continue
        lines += _passed(skipped)
        skipped = []
        lines += _frame(frame, number or frame.f_lineno, name_of)
    return [*lines, *_passed(skipped)]


def _passed(skipped: list[str]) -> list[str]:
    """Count the frames that are not the user's; those of IPython that run the cell go without saying."""
    told = [name for name in skipped if name not in {"IPython", "codevf_nb"}]
    return [f"\n… {len(told)} frames in {', '.join(dict.fromkeys(told))}"] if told else []


def _frame(frame: FrameType, number: int, name_of: NameOf) -> list[str]:
    file_name = frame.f_code.co_filename
    linecache.checkcache(file_name)
    source = linecache.getlines(file_name, frame.f_globals)
    first = max(1, number - _AROUND)
    shown = [
        f"{'-->' if at == number else '   '} {at:4} {line.rstrip()}"
        for at, line in enumerate(source[first - 1 : number + _AROUND], first)
    ]
    lines = [f"\n## {name_of(file_name)}, line {number}, in {frame.f_code.co_name}"]
    if shown:
        lines.append(_fenced("\n".join(shown)))
    return lines + [f"- {line}" for line in _tables(frame)]


def _tables(frame: FrameType) -> Iterator[str]:
    """Say the shapes and dtypes of the tables and arrays that a frame's code names; never a value of theirs."""
    named = {*frame.f_code.co_names, *frame.f_code.co_varnames, *frame.f_code.co_freevars}
    for name, value in list(frame.f_locals.items()):
        if name not in named or name.startswith("_"):
            continue
        if any(is_a(value, library, "DataFrame") for library in ("pandas", "polars")):
            columns = [f"{column} {dtype}" for column, dtype in zip(value.columns, value.dtypes, strict=True)]
            more = f", … {len(columns) - _MOST_COLUMNS} more" if len(columns) > _MOST_COLUMNS else ""
            listed = ", ".join(columns[:_MOST_COLUMNS]) + more
            yield f"`{name}`: {type(value).__name__} {value.shape[0]:,} × {value.shape[1]:,} ({listed})"
        elif any(is_a(value, *kind) for kind in (("pandas", "Series"), ("polars", "Series"), ("numpy", "ndarray"))):
            yield f"`{name}`: {type(value).__name__} of shape {value.shape}, {value.dtype}"


def _name(shell: Any, file_name: str) -> str:
    """Name a cell by its number; a file by its place under the working folder, else by its last two parts."""
    if is_cell(file_name):
        format_name = getattr(getattr(shell, "compile", None), "format_code_name", None)
        known = format_name(file_name) if format_name is not None else None
        if known:
            return " ".join(known)
        numbered = _OLD_CELL.match(file_name)
        return f"Cell In[{numbered[1]}]" if numbered else "a cell"
    path = Path(file_name)
    try:
        return path.resolve().relative_to(Path.cwd()).as_posix()
    except ValueError:
        return "/".join(path.parts[-2:])


def _without_paths(said: str, error: BaseException, name_of: NameOf) -> str:
    """A SyntaxError's text begins with the file's whole path, which names the user's home: keep its name."""
    file_name = getattr(error, "filename", None) if isinstance(error, SyntaxError) else None
    return said.replace(file_name, name_of(file_name)) if file_name else said


def _fenced(text: str) -> str:
    fence = "`" * 3
    while fence in text:
        fence += "`"
    return f"{fence}text\n{text}\n{fence}"
