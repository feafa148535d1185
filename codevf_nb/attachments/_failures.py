"""Find the exception that a question is about: the last one raised, its cell, and whether another cell ran since.

Cells are returned as the user typed them. IPython compiles ``%%time`` and ``!ls`` to function calls, which the user did
not write.
"""

from __future__ import annotations

import linecache
import re
import traceback
from dataclasses import dataclass
from types import FrameType
from typing import Any

from codevf_nb.attachments._cell_history import inputs_of, is_code_of, ran_before
from codevf_nb.attachments._source_code import is_cell, is_own
from codevf_nb.attachments.attachment import AttachmentError
from codevf_nb.ipython import exceptions

# The file name that IPython 7 gives to a cell's code.
_OLD_CELL = re.compile(r"<ipython-input-(\d+)-")
# The file names of timed code. Its line 1 is the line after `%%time` in the cell.
_TIMED = ("<timed exec>", "<timed eval>")
_TIMES = re.compile(r"\s*%%?time\b")


@dataclass(frozen=True)
class Failure:
    """An exception that was raised in a notebook.

    Attributes:
        error: The exception.
        where: The name of its cell or file.
        line: The line of the user's code that failed.
        cell: The code of the cell as the user typed it, or None if the code is not in a cell.
    """

    error: BaseException
    where: str
    line: str
    cell: str | None

    @property
    def identity(self) -> str:
        """The exception's type and the failing line, which distinguish it from other exceptions of the same cell."""
        return f"{type(self.error).__qualname__}: {' '.join(self.line.split())}"

    def __str__(self) -> str:
        line = f": {self.line}" if self.line else ""
        return f"{type(self.error).__name__} in {self.where}{line}"


def last_failure(shell: Any, *, allow_earlier: bool = False) -> Failure:
    """Return the exception that was raised last in a shell.

    An error of this extension is skipped: the exception before it, stored in its attribute ``before``, is used.

    Args:
        shell: The IPython shell.
        allow_earlier: Whether to accept an exception after which other cells ran.

    Returns:
        The exception and its location.

    Raises:
        AttachmentError: No exception has been raised yet; or other code ran or failed since, and ``allow_earlier`` is
            False.
    """
    error = exceptions.last()
    if error is None:
        raise AttachmentError("--traceback: no exception has been raised yet in this kernel.")
    failure = _failure(shell, error)
    if not allow_earlier:
        _refuse_earlier(shell, failure)
    return failure


def number_of(shell: Any, file_name: str) -> int | None:
    """Return the execution count of the cell with this code file name; None if it is unknown or the code is no cell."""
    if not is_cell(file_name):
        return None
    compiled = getattr(getattr(shell, "compile", None), "_filename_map", {})
    if file_name in compiled:
        return int(compiled[file_name])
    numbered = _OLD_CELL.match(file_name)
    return int(numbered[1]) if numbered else _number_by_text(shell, file_name)


def typed_lines(shell: Any, file_name: str) -> list[str] | None:
    """Return the lines of a cell as the user typed them, or None if IPython did not transform them."""
    number = number_of(shell, file_name)
    inputs = inputs_of(shell)
    if number is None or not 0 < number < len(inputs):
        return None
    raw, code = inputs[number], "".join(linecache.getlines(file_name))
    return raw.splitlines() if raw.rstrip() != code.rstrip() and is_code_of(shell, raw, file_name) else None


def is_timed(file_name: str) -> bool:
    """Whether the file name belongs to code that ``%time`` or ``%%time`` runs."""
    return file_name in _TIMED


def timed_line(lines: list[str], number: int, called: int) -> int:
    """Return the line number of timed code in its cell, as the user typed it.

    IPython removes the blank lines below ``%%time``.

    Args:
        lines: The lines of the cell.
        number: The line number in the timed code.
        called: The line of the cell that called the magic.

    Returns:
        The line number in the cell.
    """
    if not lines or not lines[0].startswith("%%"):
        return called
    blank = next((at for at, line in enumerate(lines[1:]) if line.strip()), 0)
    return number + 1 + blank


def _failure(shell: Any, error: BaseException) -> Failure:
    if isinstance(error, SyntaxError) and error.filename:
        return _of_syntax(shell, error)
    frames = list(traceback.walk_tb(error.__traceback__))
    cells = [frame.f_code.co_filename for frame, _ in frames if is_cell(frame.f_code.co_filename)]
    if not cells and any(is_timed(frame.f_code.co_filename) for frame, _ in frames):
        return _of_timed(shell, error, frames)
    own = [(frame.f_code.co_filename, number or frame.f_lineno) for frame, number in frames if _is_users(frame)]
    file_name, number = own[-1] if own else ("", 0)
    holder = cells[-1] if cells else None
    called = next((at for name, at in reversed(own) if name == holder), 0)
    where = _named(shell, cells[0]) if cells else file_name.rsplit("/", 1)[-1] or "no code of your own"
    lines = [] if holder is None else typed_lines(shell, holder)
    if is_timed(file_name):
        line = _line(lines or [], timed_line(lines or [], number, called))
    else:
        line = linecache.getline(file_name, number) if file_name else ""
        line = _line(lines, number) if lines and file_name == holder else line
    return Failure(error, where, line.strip(), None if holder is None else _cell_text(shell, holder))


def _of_timed(shell: Any, error: BaseException, frames: list[tuple[FrameType, int]]) -> Failure:
    """Find the cell of timed code in the history: in IPython 7 the traceback ends in the magic that ran it."""
    number, text = _newest_timed(shell)
    at = next(at for frame, at in reversed(frames) if is_timed(frame.f_code.co_filename))
    lines = text.splitlines()
    line = _line(lines, timed_line(lines, at, 1)).strip()
    return Failure(error, "a cell" if number is None else f"cell In[{number}]", line, text or None)


def _newest_timed(shell: Any) -> tuple[int | None, str]:
    """Return the execution count and the text of the newest input that uses ``%time`` or ``%%time``."""
    inputs = reversed(list(enumerate(inputs_of(shell))))
    return next(((at, text) for at, text in inputs if _TIMES.match(text)), (None, ""))


def _of_syntax(shell: Any, error: SyntaxError) -> Failure:
    """Read the location of a syntax error from the exception itself: the code never ran, so it has no frame."""
    name = str(error.filename)
    if not is_cell(name):
        return Failure(error, name.rsplit("/", 1)[-1], (error.text or "").strip(), _newest_input(shell))
    lines = typed_lines(shell, name) or []
    line = _line(lines, error.lineno or 0) or error.text or ""
    return Failure(error, _named(shell, name), line.strip(), _cell_text(shell, name))


def _refuse_earlier(shell: Any, failure: Failure) -> None:
    thread = exceptions.threads.since(failure.error)
    if thread is not None:
        raise AttachmentError(
            f"the last exception of a cell is {failure}, and a thread has raised {thread} since, which can't be asked "
            "about. Use --last to ask about the cell's exception anyway."
        )
    number = _number_of_failure(shell, failure)
    since = [] if number is None else [at for at, _ in ran_before(shell) if at > number]
    if since:
        cells = "one cell has" if len(since) == 1 else f"{len(since)} cells have"
        raise AttachmentError(
            f"the last exception is {failure}, and {cells} run without one since. Use --last to ask about it anyway."
        )


def _number_of_failure(shell: Any, failure: Failure) -> int | None:
    """Return the execution count of the cell that raised an exception."""
    error = failure.error
    if isinstance(error, SyntaxError) and is_cell(str(error.filename)):
        return number_of(shell, str(error.filename))
    for frame, _ in traceback.walk_tb(error.__traceback__):
        number = number_of(shell, frame.f_code.co_filename)
        if number is not None:
            return number
        if is_timed(frame.f_code.co_filename):
            return _newest_timed(shell)[0]
    return None


def _is_users(frame: Any) -> bool:
    name = frame.f_code.co_filename
    return is_timed(name) or is_own(name)


def _cell_text(shell: Any, file_name: str) -> str:
    lines = typed_lines(shell, file_name)
    return ("\n".join(lines) if lines is not None else "".join(linecache.getlines(file_name))).rstrip("\n")


def _named(shell: Any, file_name: str) -> str:
    number = number_of(shell, file_name)
    return "a cell" if number is None else f"cell In[{number}]"


def _line(lines: list[str], number: int) -> str:
    return lines[number - 1] if 0 < number <= len(lines) else ""


def _newest_input(shell: Any) -> str | None:
    """Return the newest executed cell. It is the failed cell if IPython can't name one."""
    return next((text for _, text in reversed(ran_before(shell))), None)


def _number_by_text(shell: Any, file_name: str) -> int | None:
    """Find a cell by its code, the newest first: ipykernel 6 with IPython 7 names code only by a hash."""
    inputs = list(enumerate(inputs_of(shell)))
    return next((at for at, text in reversed(inputs) if is_code_of(shell, text, file_name)), None)
