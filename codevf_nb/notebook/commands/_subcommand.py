"""What a subcommand of ``%codevf`` is: its arguments, options and help, and the one parser of their lines.

To add a subcommand: a function with ``@subcommand`` in one of the modules of this package, and its name in
docs/options.md.
"""

from __future__ import annotations

import inspect
import re
import shlex
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from codevf_nb.notebook.grammar import GrammarError, convert
from codevf_nb.questions.options import Kind, Option
from codevf_nb.sdk.suggestions import did_you_mean

REFRESH = Option("refresh", "ask the service first")
# More options than these are listed by the help of the subcommand alone.
MOST_IN_USAGE = 2


@dataclass(frozen=True)
class Subcommand:
    """One subcommand: a row of the table of subcommands.

    Args:
        run: The function; called with the list of words if there can be any, and with each option by its name.
        words: What help calls the words that it takes; empty where it takes none.
        help: What it does.
        options: Its options.
        required: The names of those options without which it can't run.
        raw: Whether it reads its line itself, as text: what follows is a question, a key, or a help topic.
    """

    run: Callable[..., Any]
    words: str
    help: str
    options: tuple[Option, ...] = ()
    required: tuple[str, ...] = ()
    raw: bool = False

    def __post_init__(self) -> None:
        parameters = inspect.signature(self.run).parameters.values()
        named = {each.name for each in parameters if each.kind is each.KEYWORD_ONLY}
        options = {option.name for option in self.options}
        takes_others = any(each.kind is each.VAR_KEYWORD for each in parameters)
        takes_words = any(each.kind is each.POSITIONAL_OR_KEYWORD for each in parameters)
        if named - options or (options - named and not takes_others) or takes_words != bool(self.words or self.raw):
            raise TypeError(f"the function of %codevf {self.name} doesn't take the words and options of its row")

    @property
    def name(self) -> str:
        """What is typed after ``%codevf``."""
        return self.run.__name__

    @property
    def usage(self) -> str:
        """What may follow its name, as help writes it."""
        parts = [self.words] if self.words else []
        if len(self.options) > MOST_IN_USAGE:
            return " ".join([*parts, "[options]"])
        for option in self.options:
            text = option.long if option.metavar is None else f"{option.long} {option.metavar}"
            parts.append(text if option.name in self.required else f"[{text}]")
        return " ".join(parts)

    def __call__(self, rest: str) -> Any:
        """Run it with the rest of its line, and return what it shows."""
        if self.raw:
            return self.run(rest)
        words, options = parse(self, rest)
        if not any(each.kind is each.VAR_KEYWORD for each in inspect.signature(self.run).parameters.values()):
            options = {option.name: option.empty for option in self.options} | options
        if self.words:
            return self.run(words, **options)
        if words:
            instead = f" Write %codevf {self.name} {self.usage}." if self.required else ""
            raise GrammarError(f"nothing can follow here, so {' '.join(words)!r} can't be read.{instead}")
        return self.run(**options)


def subcommand(
    words: str, help: str, *, options: Iterable[Option] = (), required: tuple[str, ...] = (), raw: bool = False
) -> Callable[[Callable[..., Any]], Subcommand]:
    """Make a subcommand of a function; see ``Subcommand`` for the arguments."""
    return lambda run: Subcommand(run, words, help, tuple(options), required, raw)


def parse(command: Subcommand, rest: str) -> tuple[list[str], dict[str, Any]]:
    """Split the rest of a subcommand's line into words, as a shell does, and the options that were given.

    ``--x=y`` and ``--x y`` are the same, and after ``--`` everything is a word.

    Raises:
        GrammarError: An option is unknown, given twice or without its value, or a quote is not closed.
    """
    words: list[str] = []
    options: dict[str, Any] = {}
    given = iter(_split(rest))
    for word in given:
        if word == "--":
            words += given
        elif not re.match(r"--?[^\W\d]", word):
            words.append(word)
        else:
            option, value = _option(command, word, given)
            if option.many:
                options.setdefault(option.name, []).append(value)
            elif option.name in options:
                raise GrammarError(f"{option.long} is given twice.")
            else:
                options[option.name] = value
    return words, options


def _option(command: Subcommand, word: str, following: Iterator[str]) -> tuple[Option, Any]:
    """Return the option that a word is, and its value, which may be the word that follows."""
    spelling, equals, text = word.partition("=")
    by_spelling = {spelling: option for option in command.options for spelling in option.spellings}
    option = by_spelling.get(spelling)
    if option is None:
        takes = ", ".join(option.usage for option in command.options) or "none"
        likely = did_you_mean(spelling.replace("_", "-"), by_spelling)
        raise GrammarError(f"%codevf {command.name} has no option {spelling}{likely}; it takes {takes}.")
    if option.kind is Kind.FLAG:
        if equals:
            raise GrammarError(f"{spelling} takes no value, so {word!r} can't be read.")
        return option, True
    value = text if equals else next(following, "")
    if re.match(r"--?[^\W\d]", value) and not equals:
        raise GrammarError(f"{spelling} needs a value, and {value} looks like an option.")
    return option, convert(option, spelling, value)


def _split(rest: str) -> list[str]:
    try:
        return shlex.split(rest)
    except ValueError as error:
        raise GrammarError(f"{rest!r} can't be read: {str(error).lower()}.") from None
