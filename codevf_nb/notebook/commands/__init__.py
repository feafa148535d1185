"""The line magic's subcommands. Each shows something and returns it, so that ``df = %codevf tasks`` works.

A subcommand takes the rest of its line. Its docstring is its line in the help: what may follow, two blanks, and
what it does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from codevf_nb.notebook.commands import (
    _account as account,
)
from codevf_nb.notebook.commands import (
    _spending as spending,
)
from codevf_nb.notebook.commands import (
    _tasks as tasks,
)
from codevf_nb.notebook.commands import (
    _views as views,
)
from codevf_nb.notebook.commands._arguments import say
from codevf_nb.notebook.grammar import GrammarError, option_called
from codevf_nb.questions.options import LINE_OPTIONS
from codevf_nb.sdk.suggestions import did_you_mean


def run(name: str, rest: str) -> Any:
    """Run one subcommand with the rest of its line, and return what it shows."""
    command = _find(name)
    words = rest.split()
    before = words[: words.index("--")] if "--" in words else words
    if command is not show_help and {"-h", "--help"} & set(before):
        return say(help_line(name))
    return command(rest)


def show_help(rest: str) -> None:
    """[SUBCOMMAND|OPTION]  this page, or one line of it"""
    say("\n".join(help_line(name) for name in rest.split()) or help_text())


def help_line(name: str) -> str:
    """Return a subcommand, or an option of ``%%codevf``, with what may follow it and what it does."""
    found, option = [], option_called(name)
    if name in COMMANDS or option is None:
        takes, _, does = (
            (_find(name, also=[option.name for option in LINE_OPTIONS]).__doc__ or "").strip().rpartition("  ")
        )
        found.append(f"%codevf {name} {takes}".rstrip() + f"\n  {does}")
    if option is not None:
        found.append(f"%%codevf {option.usage}\n  {option.help}")
    return "\n".join(found)


def help_text() -> str:
    """Return what ``%codevf help`` prints: every option and every subcommand."""
    lines = ["%%codevf [options] [PROMPT WORDS …] [options]", "  asks an engineer about the cell below it", ""]
    lines += [f"  {option.usage:26} {option.help}" for option in LINE_OPTIONS]
    lines += ["", "%codevf SUBCOMMAND"]
    lines += [f"  {name:10} {(command.__doc__ or '').strip()}" for name, command in COMMANDS.items()]
    return "\n".join(lines)


def _find(name: str, also: Iterable[str] = ()) -> Callable[[str], Any]:
    """Return a subcommand; what it may be mistaken for is one of the others or of ``also``."""
    if name in ("-h", "--help"):
        return show_help
    if name not in COMMANDS:
        raise GrammarError(
            f"there is no %codevf {name}{did_you_mean(name, [*COMMANDS, *also])}; %codevf help lists what there is. "
            "To ask about a cell, put %%codevf and the question above it; to ask without a cell, put the question on "
            "the line below %%codevf --text."
        )
    return COMMANDS[name]


COMMANDS: dict[str, Callable[[str], Any]] = {
    "status": tasks.status,
    "show": tasks.show,
    "wait": tasks.wait,
    "cancel": tasks.cancel,
    "track": tasks.track,
    "debug": tasks.debug,
    "settle": tasks.settle,
    "tasks": spending.tasks,
    "credits": spending.credits,
    "spend": spending.spend,
    "balance": spending.balance,
    "tags": spending.tags,
    "estimate": spending.estimate,
    "budget": spending.budget,
    "forget": spending.forget,
    "sandbox": account.sandbox,
    "login": account.login,
    "logout": account.logout,
    "account": account.account,
    "config": account.config,
    "picker": views.picker,
    "inbox": views.inbox,
    "dashboard": views.dashboard,
    "help": show_help,
}
