"""The value of an option, made of its text: the one conversion for ``%%codevf`` and the subcommands of ``%codevf``."""

from __future__ import annotations

import threading
from keyword import iskeyword
from typing import Any

from codevf_nb.notebook.grammar._options import GrammarError
from codevf_nb.questions.options import Kind, Option


def convert(option: Option, spelling: str, text: str) -> Any:
    """Return the value of an option.

    Args:
        option: The option.
        spelling: How it was typed, for the message.
        text: The text of its value.

    Raises:
        GrammarError: The text is empty, or no value of the option's kind.
    """
    if not text.strip(" ,"):
        raise GrammarError(f"{spelling} needs a value: {spelling} {option.metavar}.")
    if option.kind is Kind.INTEGER:
        return _number(int, "a whole number", spelling, text)
    if option.kind is Kind.NUMBER:
        return _number(float, "a number", spelling, text)
    if option.kind is Kind.SECONDS:
        seconds = _number(float, "a number", spelling, text)
        if not 0 <= seconds <= threading.TIMEOUT_MAX:
            raise GrammarError(f"{spelling} takes seconds, 0 or more, not {text!r}; without it the wait has no end.")
        return seconds
    if option.kind is Kind.VARIABLE and (not text.isidentifier() or iskeyword(text)):
        raise GrammarError(f"{spelling} {text}: no variable can have that name.")
    return text


def _number(number: type[int] | type[float], kind: str, spelling: str, text: str) -> Any:
    try:
        return number(text.replace(",", ""))
    except ValueError:
        raise GrammarError(f"{spelling} needs {kind}, not {text!r}.") from None
