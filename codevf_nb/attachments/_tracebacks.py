"""The last exception as Markdown: the frames of the user's code, and the shapes of the tables in them.

Source lines and the exception's message are sent. Of the variables, only shapes and dtypes are sent, never a value.
Frames of installed packages are counted, but not shown.
"""

from __future__ import annotations

import linecache
import traceback
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any

from codevf_nb.attachments._failures import (
    is_timed,
    number_of,
    timed_line,
    typed_lines,
)
from codevf_nb.attachments._lazy_tables import schema_of
from codevf_nb.attachments._source_code import is_cell, is_own
from codevf_nb.attachments._unsupported import type_name
from codevf_nb.attachments.attachment import Text, is_a
from codevf_nb.attachments.registry import AttachableType, type_of

_AROUND = 3  # source lines before and after the failing line
_MOST_COLUMNS = 60
_MOST_FRAMES = 25
_MOST_MEMBERS = 5  # members shown of an exception group
_DEPTH = 3  # nesting depth of exception groups


def traceback_text(error: BaseException, shell: Any = None) -> Text:
    """Return an exception, its causes and its group members as a text attachment.

    Args:
        error: The exception.
        shell: The IPython shell, which names cells by their execution count.

    Returns:
        The traceback as Markdown.
    """
    blocks = ["# Traceback"]
    for one, relation in _chain(error):
        blocks.append(relation + "\n".join(_described(one, shell)))
    return Text("traceback.md", "\n\n".join(blocks) + "\n")


def _chain(error: BaseException) -> Iterator[tuple[BaseException, str]]:
    """Yield an exception and its causes, the last one first, three at most, each followed by its group members."""
    relation = ""
    for _ in range(3):
        yield error, relation
        yield from _members(error, _DEPTH)
        if error.__cause__ is not None:
            error, relation = error.__cause__, "It was raised from this one:\n\n"
        elif error.__context__ is not None and not error.__suppress_context__:
            error, relation = error.__context__, "It was raised while this one was handled:\n\n"
        else:
            return


def _members(error: BaseException, depth: int) -> Iterator[tuple[BaseException, str]]:
    """Yield the members of an exception group, including nested groups."""
    if not isinstance(error, BaseExceptionGroup) or not depth:
        return
    whole = len(error.exceptions)
    for number, member in enumerate(error.exceptions[:_MOST_MEMBERS], 1):
        yield member, f"Exception {number} of {whole} in the group {type(error).__name__}({error.message!r}):\n\n"
        yield from _members(member, depth - 1)


def _described(error: BaseException, shell: Any) -> list[str]:
    message = "".join(traceback.format_exception_only(type(error), error)).rstrip()
    if isinstance(error, BaseExceptionGroup):
        message = f"{type(error).__name__}: {error}"
    lines = [_fenced(_without_paths(message, error, shell))]
    skipped: list[str] = []
    frames = list(traceback.walk_tb(error.__traceback__))
    own = [frame for frame, _ in frames if _is_shown(frame, frames)][-_MOST_FRAMES:]
    holder = None
    for frame, number in frames:
        holder = (frame.f_code.co_filename, number) if is_cell(frame.f_code.co_filename) else holder
        if frame not in own:
            skipped.append(str(frame.f_globals.get("__name__", "?")).partition(".")[0])
            continue
        lines += _skipped_frames(skipped)
        skipped = []
        lines += _frame(frame, number or frame.f_lineno, shell, holder)
    return [*lines, *_skipped_frames(skipped)]


def _is_shown(frame: FrameType, frames: list[tuple[FrameType, int]]) -> bool:
    """Whether a frame runs the user's code. The frame of a ``%%time`` cell itself only calls the timed code."""
    name = frame.f_code.co_filename
    timed = any(is_timed(other.f_code.co_filename) for other, _ in frames)
    if is_cell(name) and timed and frame.f_code.co_name == "<module>":
        return False
    return is_timed(name) or is_own(name)


def _skipped_frames(skipped: list[str]) -> list[str]:
    """Count the frames that are not the user's. The IPython frames that run the cell are omitted."""
    listed = [name for name in skipped if name not in {"IPython", "codevf_nb"}]
    return [f"\n… {len(listed)} frames in {', '.join(dict.fromkeys(listed))}"] if listed else []


def _frame(frame: FrameType, number: int, shell: Any, holder: tuple[str, int] | None) -> list[str]:
    file_name = frame.f_code.co_filename
    if is_timed(file_name) and holder is not None:  # line numbers refer to the cell that contains the timed code
        file_name, number = holder[0], timed_line(typed_lines(shell, holder[0]) or [], number, holder[1])
    linecache.checkcache(file_name)
    typed = typed_lines(shell, file_name)
    source = linecache.getlines(file_name, frame.f_globals) if typed is None else typed
    first = max(1, number - _AROUND)
    shown = [
        f"{'-->' if at == number else '   '} {at:4} {line.rstrip()}"
        for at, line in enumerate(source[first - 1 : number + _AROUND], first)
    ]
    lines = [f"\n## {_name(shell, file_name)}, line {number}, in {frame.f_code.co_name}"]
    if shown:
        lines.append(_fenced("\n".join(shown)))
    return lines + [f"- {line}" for line in _tables(frame)]


def _tables(frame: FrameType) -> Iterator[str]:
    """Yield the shapes and dtypes of the tables and arrays that a frame's code names, never their values."""
    named = {*frame.f_code.co_names, *frame.f_code.co_varnames, *frame.f_code.co_freevars}
    for name, value in list(frame.f_locals.items()):
        if name not in named or name.startswith("_"):
            continue
        row = type_of(value)
        if row is not None and (row.read or row.engine):
            with suppress(Exception):  # skip a table whose types can't be read
                yield f"`{name}`: {_shape(value, row)}"


def _shape(value: Any, row: AttachableType) -> str:
    if row.engine:
        header, dtypes = schema_of(value, row)
        return f"{type_name(value)} ({_columns(header, dtypes)})"
    if is_a(value, row.library, "DataFrame"):
        listed = _columns(value.columns, value.dtypes)
        return f"{type(value).__name__} {value.shape[0]:,} × {value.shape[1]:,} ({listed})"
    if hasattr(value, "schema") and hasattr(value, "num_rows"):
        listed = _columns(value.schema.names, value.schema.types)
        return f"{type(value).__name__} {value.num_rows:,} × {value.num_columns:,} ({listed})"
    shape = getattr(value, "shape", None) or (len(value),)
    return f"{type(value).__name__} of shape {shape}, {value.dtype if hasattr(value, 'dtype') else value.type}"


def _columns(names: Iterable[Any], dtypes: Iterable[Any]) -> str:
    columns = [f"{column} {dtype}" for column, dtype in zip(names, dtypes, strict=True)]
    more = f", … {len(columns) - _MOST_COLUMNS} more" if len(columns) > _MOST_COLUMNS else ""
    return ", ".join(columns[:_MOST_COLUMNS]) + more


def _name(shell: Any, file_name: str) -> str:
    """Return a cell's execution count, or a file's path relative to the working folder or its last two parts."""
    if is_cell(file_name):
        number = number_of(shell, file_name)
        return "a cell" if number is None else f"Cell In[{number}]"
    path = Path(file_name)
    try:
        return path.resolve().relative_to(Path.cwd()).as_posix()
    except ValueError:
        return "/".join(path.parts[-2:])


def _without_paths(message: str, error: BaseException, shell: Any) -> str:
    """Shorten the path in the message of a SyntaxError to the file name: the whole path may contain the user's name."""
    file_name = getattr(error, "filename", None) if isinstance(error, SyntaxError) else None
    return message.replace(file_name, _name(shell, file_name)) if file_name else message


def _fenced(text: str) -> str:
    fence = "`" * 3
    while fence in text:
        fence += "`"
    return f"{fence}text\n{text}\n{fence}"
