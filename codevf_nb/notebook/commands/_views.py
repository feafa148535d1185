"""Subcommands that open a view: the picker, the inbox and the dashboard."""

from __future__ import annotations

from typing import Any

from codevf_nb.notebook.commands._arguments import nothing, say
from codevf_nb.notebook.grammar import GrammarError, read


def picker(rest: str) -> Any:
    """[options] [PROMPT]  put a question together by hand, its price beside it; what stands here is filled in"""
    from IPython.core.getipython import get_ipython

    from codevf_nb import api

    line = read(rest, getattr(get_ipython(), "user_ns", {}))
    taken = {"mode", "tag", "max_credits", "project", "attach", "file", "figure", "traceback", "context", "schema"}
    if strange := sorted(set(line.options) - taken):
        raise GrammarError(f"the picker has no field for --{', --'.join(strange)}.".replace("_", "-"))
    preset = dict(line.options)
    preset["files"] = preset.pop("file", ())
    preset["attach"] = [name.strip() for text in preset.pop("attach", ()) for name in text.split(",")]
    return api.picker(line.prompt, **preset)


def inbox(rest: str) -> Any:
    """[read]  what was asked, a page at a time; unread answers are marked, and none is any more with read"""
    from codevf_nb import api, kernel

    if rest == "read":
        kernel.current().saw()
        say("no answer is unread any more.")
        return None
    if rest:
        raise GrammarError(f"%codevf inbox takes read, which marks every answer as read; not {rest!r}.")
    return api.inbox()


def dashboard(rest: str) -> Any:
    """what is left, and what was spent on what"""
    from codevf_nb import api

    nothing(rest)
    return api.dashboard()
