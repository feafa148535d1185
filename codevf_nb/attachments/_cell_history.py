"""The cells that were run before this one."""

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
    """Return the last ``count`` cells that a shell has executed, oldest first, as a text to attach.

    The cell that asks is not among them, nor are cells that only asked or looked after questions: of a ``%%codevf``
    cell, what it executed counts (``--run``).

    Raises:
        AttachmentError: ``count`` is no number of cells, or nothing has been executed yet.
    """
    if count < 1:
        raise AttachmentError(f"--context {count}: say how many cells, 1 or more.")
    ran = ran_before(shell)
    if not ran:
        raise AttachmentError("--context: no cell has been executed before this one.")
    cells = [f"# In[{number}]\n{executed}" for number, executed in ran[-count:]]
    return Text("context.py", "\n\n".join(cells) + "\n")


def ran_before(shell: Any) -> list[tuple[int, str]]:
    """Return the number and the code of every cell that was executed before the running one.

    Of a cell that only asked or looked after questions, nothing was executed.
    """
    inputs = list(enumerate(inputs_of(shell)))[1:]
    if inputs and (_ASKING.match(inputs[-1][1].lstrip()) or is_code_of(shell, inputs[-1][1], _running())):
        inputs = inputs[:-1]
    return [(number, executed) for number, raw in inputs if (executed := _executed(raw))]


def inputs_of(shell: Any) -> list[str]:
    """Return the inputs of a shell as they were typed, by their execution count."""
    return list(getattr(getattr(shell, "history_manager", None), "input_hist_raw", ()))


def is_code_of(shell: Any, text: str, file_name: str | None) -> bool:
    """Whether the code that has this file name is what IPython makes of a text."""
    if file_name is None or not text:
        return False
    try:
        return bool(shell.transform_cell(text) == "".join(linecache.getlines(file_name)))
    except Exception:  # noqa: BLE001 - whatever a transformer of the user's raises: then it can't be compared
        return False


def _running() -> str | None:
    """Return the file name of the cell that is running, the outermost one where a magic runs another; None if none is.

    Which execution count it has differs between versions of IPython, and it may not be in the history.
    """
    frame, found = inspect.currentframe(), None
    while frame is not None:
        found = frame.f_code.co_filename if is_cell(frame.f_code.co_filename) else found
        frame = frame.f_back
    return found


def _executed(raw: str) -> str:
    """Return what of an input was executed as code; nothing where it only spoke to this extension."""
    raw = raw.strip("\n")
    asking = _ASKING.match(raw)
    if asking:
        return asking["body"].strip("\n") if re.search(r"(^|\s)--run(\s|$)", asking["line"]) else ""
    return "" if _LOOKING.fullmatch(raw) else raw if raw.strip() else ""
