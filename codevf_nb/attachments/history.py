"""The cells that were run before this one."""

from __future__ import annotations

import re
from typing import Any

from .attachment import AttachmentError, Text

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
    ran = [(number, executed) for number, raw in _inputs(shell) if (executed := _executed(raw))]
    if not ran:
        raise AttachmentError("--context: no cell has been executed before this one.")
    cells = [f"# In[{number}]\n{executed}" for number, executed in ran[-count:]]
    return Text("context.py", "\n\n".join(cells) + "\n")


def _inputs(shell: Any) -> list[tuple[int, str]]:
    """Return the number and the text of every input but the one that asks, which is the newest if it was kept."""
    inputs = list(enumerate(shell.history_manager.input_hist_raw))[1:]
    return inputs[:-1] if inputs and _ASKING.match(inputs[-1][1].lstrip()) else inputs


def _executed(raw: str) -> str:
    """Return what of an input was executed as code; nothing where it only spoke to this extension."""
    raw = raw.strip("\n")
    asking = _ASKING.match(raw)
    if asking:
        return asking["body"].strip("\n") if re.search(r"(^|\s)--run(\s|$)", asking["line"]) else ""
    return "" if _LOOKING.fullmatch(raw) else raw if raw.strip() else ""
