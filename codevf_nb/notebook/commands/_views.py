"""Subcommands that open a view: the picker, the inbox and the dashboard."""

from __future__ import annotations

from typing import Any

from codevf_nb.notebook.commands._output import say
from codevf_nb.notebook.commands._subcommand import subcommand
from codevf_nb.notebook.grammar import GrammarError, read
from codevf_nb.questions.options import BY_NAME


@subcommand("[options] [PROMPT]", "a form for a question, with its price; filled in with what is given here", raw=True)
def picker(rest: str) -> Any:
    """Return the picker, filled in with the options and the prompt of the line."""
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


@subcommand("[read]", "what was asked, a page at a time, unread answers marked; read: mark all of them as read")
def inbox(words: list[str]) -> Any:
    """Return the inbox, or mark every answer as read."""
    from codevf_nb import api, kernel

    if words == ["read"]:
        kernel.current().mark_read()
        say("no answer is unread any more.")
        return None
    if words:
        raise GrammarError(f"%codevf inbox takes read, which marks every answer as read; not {' '.join(words)!r}.")
    return api.inbox()


@subcommand("", "what is left, and what was spent on what")
def dashboard() -> Any:
    """Return the dashboard."""
    from codevf_nb import api

    return api.dashboard()
