"""Subcommands that open a view: the picker, the inbox and the dashboard."""

from __future__ import annotations

from typing import Any

from codevf_nb.notebook.commands._arguments import nothing, say
from codevf_nb.notebook.grammar import GrammarError, read
from codevf_nb.questions.options import BY_NAME


def picker(rest: str) -> Any:
    """[options] [PROMPT]  put a question together by hand, its price beside it; what stands here is filled in"""
    from IPython.core.getipython import get_ipython

    from codevf_nb import api

    line = read(rest, getattr(get_ipython(), "user_ns", {}))
    without = [BY_NAME[name].long for name in sorted(line.options) if not BY_NAME[name].in_picker]
    if without:
        raise GrammarError(f"the picker has no field for {', '.join(without)}.")
    given = line.options
    attach = [name.strip() for text in given.value("attach") for name in text.split(",")]
    preset = {BY_NAME[name].argument or name: value for name, value in given.items()}
    return api.picker(line.prompt, **{**preset, "attach": attach})


def inbox(rest: str) -> Any:
    """[read]  what was asked, a page at a time; unread answers are marked, and none is any more with read"""
    from codevf_nb import api, kernel

    if rest == "read":
        kernel.current().mark_read()
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
