"""What the reader of the line needs of the table of options: each by its spellings, and by the letters of its name."""

from __future__ import annotations

import re

from codevf_nb.questions.options import LINE_OPTIONS, Option
from codevf_nb.sdk.exceptions import CodeVFError


class GrammarError(CodeVFError):
    """The line after the magic can't be read; the message names the word and what to write."""


BY_SPELLING = {spelling: option for option in LINE_OPTIONS for spelling in option.spellings}


def letters_of(name: str) -> str:
    """Return what is compared when a name is typed in another way: its letters and digits, in lower case."""
    return re.sub(r"[\W_]+", "", name).casefold()


BY_LETTERS = {letters_of(option.long): option for option in LINE_OPTIONS}


def option_called(name: str) -> Option | None:
    """Return the option of this name, with or without dashes: ``dry_run``, ``--Dry-Run`` and ``-m`` find theirs."""
    return BY_SPELLING.get(name) or BY_SPELLING.get(f"-{name}") or BY_LETTERS.get(letters_of(name))
