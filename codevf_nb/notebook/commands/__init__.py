"""The line magic's subcommands. Each shows something and returns it, so that ``df = %codevf tasks`` works."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from codevf_nb.notebook.commands import _account, _spending, _tasks, _views
from codevf_nb.notebook.commands._output import say
from codevf_nb.notebook.commands._subcommand import Subcommand, subcommand
from codevf_nb.notebook.grammar import GrammarError, option_called
from codevf_nb.questions.options import LINE_OPTIONS
from codevf_nb.sdk.suggestions import did_you_mean


def run(name: str, rest: str) -> Any:
    """Run one subcommand with the rest of its line, and return what it shows."""
    command = _find(name)
    words = rest.split()
    before = words[: words.index("--")] if "--" in words else words
    if command is not help and {"-h", "--help"} & set(before):
        return say(help_line(name))
    return command(rest)


@subcommand("[SUBCOMMAND|OPTION]", "this page, or one line of it", raw=True)
def help(rest: str) -> None:
    """Print the help."""
    say("\n".join(help_line(name) for name in rest.split()) or help_text())


def help_line(name: str) -> str:
    """Return a subcommand, or an option of ``%%codevf``, with what may follow it and what it does."""
    found, option = [], option_called(name)
    if name in COMMANDS or option is None:
        command = _find(name, also=[each.name for each in LINE_OPTIONS])
        found.append(f"%codevf {name} {command.usage}".rstrip() + f"\n  {command.help}")
        found += [f"  {each.usage:26} {each.help}" for each in command.options]
    if option is not None:
        found.append(f"%%codevf {option.usage}\n  {option.help}")
    return "\n".join(found)


def help_text() -> str:
    """Return what ``%codevf help`` prints: every option and every subcommand."""
    lines = ["%%codevf [options] [PROMPT WORDS …] [options]", "  asks an engineer about the cell below it", ""]
    lines += [f"  {option.usage:26} {option.help}" for option in LINE_OPTIONS]
    lines += ["", "%codevf SUBCOMMAND"]
    lines += [f"  {name:10} {f'{command.usage}  {command.help}'.strip()}" for name, command in COMMANDS.items()]
    return "\n".join(lines)


def _find(name: str, also: Iterable[str] = ()) -> Subcommand:
    """Return a subcommand; what it may be mistaken for is one of the others or of ``also``."""
    if name in ("-h", "--help"):
        return help
    if name not in COMMANDS:
        raise GrammarError(
            f"there is no %codevf {name}{did_you_mean(name, [*COMMANDS, *also])}; %codevf help lists what there is. "
            "To ask about a cell, put %%codevf and the question above it; to ask without a cell, put the question on "
            "the line below %%codevf --text."
        )
    return COMMANDS[name]


_MODULES = (_tasks, _spending, _account, _views)
COMMANDS = {row.name: row for module in _MODULES for row in vars(module).values() if isinstance(row, Subcommand)} | {
    "help": help
}
