"""The line magic's subcommands. Each shows something and returns it, so that ``df = %codevf tasks`` works.

A subcommand takes the rest of its line. Its docstring is its line in the help: what may follow, two blanks, and
what it does.
"""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from typing import Any

from codevf_nb.commands import account, money, tasks, views
from codevf_nb.commands.words import say
from codevf_nb.grammar import OPTIONS, GrammarError


def run(name: str, rest: str) -> Any:
    """Run one subcommand with the rest of its line, and return what it shows."""
    return _find(name)(rest)


def show_help(rest: str) -> None:
    """[SUBCOMMAND|--OPTION]  this page, or one line of it"""
    say(help_line(rest) if rest else help_text())


def help_line(name: str) -> str:
    """Return a subcommand, or an option of ``%%codevf``, with what may follow it and what it does."""
    for option in OPTIONS:
        if name in (option.long, option.short):
            return f"%%codevf {option.spelled}\n  {option.help}"
    takes, _, does = (_find(name).__doc__ or "").strip().rpartition("  ")
    return f"%codevf {name} {takes}".rstrip() + f"\n  {does}"


def help_text() -> str:
    """Return what ``%codevf help`` prints: every option and every subcommand."""
    lines = ["%%codevf [options] [PROMPT WORDS …] [options]", "  asks an engineer about the cell below it", ""]
    lines += [f"  {option.spelled:26} {option.help}" for option in OPTIONS]
    lines += ["", "%codevf SUBCOMMAND"]
    lines += [f"  {name:10} {(command.__doc__ or '').strip()}" for name, command in COMMANDS.items()]
    return "\n".join(lines)


def _find(name: str) -> Callable[[str], Any]:
    if name in ("-h", "--help"):
        return show_help
    if name not in COMMANDS:
        near = get_close_matches(name.lower(), COMMANDS, n=1)
        there_is = f", but {near[0]}; %codevf help lists all" if near else f"; there are {', '.join(sorted(COMMANDS))}"
        raise GrammarError(f"there is no %codevf {name}{there_is}. To ask about a cell, two percent signs: %%codevf.")
    return COMMANDS[name]


COMMANDS: dict[str, Callable[[str], Any]] = {
    "status": tasks.status,
    "show": tasks.show,
    "wait": tasks.wait,
    "cancel": tasks.cancel,
    "track": tasks.track,
    "debug": tasks.debug,
    "settle": tasks.settle,
    "tasks": money.tasks,
    "credits": money.credits,
    "spend": money.spend,
    "balance": money.balance,
    "tags": money.tags,
    "estimate": money.estimate,
    "budget": money.budget,
    "forget": money.forget,
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
