"""The cells that ran before the current one."""

from __future__ import annotations

import inspect
import linecache
import re
from typing import Any

from codevf_nb.attachments._source_code import is_cell
from codevf_nb.attachments.attachment import AttachmentError, Text

_ASKING = re.compile(r"%%codevf\b(?P<line>[^\n]*)\n?(?P<body>.*)", re.DOTALL)
_LOOKING = re.compile(r"(\s*(%codevf\b|%load_ext\s+codevf_nb)[^\n]*)+\s*")


def context_of(shell: Any, count: int) -> Text:
    """Return the last executed cells of a shell as a text attachment, oldest first.

    The current cell is not included. Cells that only sent or displayed questions are not included either. Of a
    ``%%codevf`` cell, only the code that it executed is included (``--run``).

    Args:
        shell: The IPython shell.
        count: How many cells to return, at most.

    Returns:
        The cells as one text, each under its execution count.

    Raises:
        AttachmentError: ``count`` is less than 1, or no cell has been executed yet.
    """
    if count < 1:
        raise AttachmentError(f"--context {count}: the number of cells must be 1 or more.")
    ran = ran_before(shell)
    if not ran:
        raise AttachmentError("--context: no cell has been executed before this one.")
    cells = [f"# In[{number}]\n{executed}" for number, executed in ran[-count:]]
    return Text("context.py", "\n\n".join(cells) + "\n")


def ran_before(shell: Any) -> list[tuple[int, str]]:
    """Return the execution count and the code of every cell executed before the current one.

    A cell that only sent or displayed questions executed no code.
    """
    inputs = list(enumerate(inputs_of(shell)))[1:]
    if inputs and (_ASKING.match(inputs[-1][1].lstrip()) or is_code_of(shell, inputs[-1][1], _running())):
        inputs = inputs[:-1]
    return [(number, executed) for number, raw in inputs if (executed := _executed(raw))]


def inputs_of(shell: Any) -> list[str]:
    """Return the inputs of a shell as the user typed them; the index is the execution count."""
    return list(getattr(getattr(shell, "history_manager", None), "input_hist_raw", ()))


def is_code_of(shell: Any, text: str, file_name: str | None) -> bool:
    """Whether the code with this file name is the code that IPython compiles from a text."""
    if file_name is None or not text:
        return False
    try:
        return bool(shell.transform_cell(text) == "".join(linecache.getlines(file_name)))
    except Exception:  # noqa: BLE001 - a user's input transformer can raise any error; then no comparison is possible
        return False


def _running() -> str | None:
    """Return the file name of the running cell, or None if no cell is running.

    If a magic runs another cell, this is the outer cell. The execution count can't be used: it differs between versions
    of IPython, and the cell may not be in the history.
    """
    frame, found = inspect.currentframe(), None
    while frame is not None:
        found = frame.f_code.co_filename if is_cell(frame.f_code.co_filename) else found
        frame = frame.f_back
    return found


def _executed(raw: str) -> str:
    """Return the part of an input that was executed as code; empty if the input only used this extension."""
    raw = raw.strip("\n")
    asking = _ASKING.match(raw)
    if asking:
        return asking["body"].strip("\n") if re.search(r"(^|\s)--run(\s|$)", asking["line"]) else ""
    return "" if _LOOKING.fullmatch(raw) else raw if raw.strip() else ""
