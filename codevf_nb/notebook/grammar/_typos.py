"""Words that look like options and can't be read as one: the line is refused, since sending them would cost money.

``--`` before the prompt is the way to send such a word on purpose.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any

from codevf_nb.notebook.grammar._options import (
    BY_LETTERS,
    BY_SPELLING,
    GrammarError,
    letters_of,
)
from codevf_nb.questions.options import LINE_OPTIONS, Kind, Option
from codevf_nb.sdk.models import ServiceMode
from codevf_nb.sdk.suggestions import nearest

# Hyphen-minus, and what keyboards, word processors and web pages make of it: hyphens, – and —, bars and minus signs.
# In a set of a regular expression - is itself at the end only.
DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2043\u2212\u2796-"
# IPython's own names among a notebook's variables; no one attaches them.
SHELL_NAMES = frozenset({"In", "Out", "exit", "quit", "open", "get_ipython"})
LITERALLY = "If it is the prompt's, put -- before the prompt."


def _letters(*kinds: Kind) -> str:
    """Return the letters of the short options of these kinds; -h, which other programs join too, is none of them."""
    return "".join(option.short[1] for option in LINE_OPTIONS if option.short and option.kind in kinds).replace("h", "")


_SHORT = {option.short[1]: option.short for option in LINE_OPTIONS if option.short}
# The first part of each long name, dry of --dry-run; two letters (no) would be too common a word.
_FIRST_PARTS = {part for option in LINE_OPTIONS if len(part := option.long.split("-")[2]) > 2}
# Dashes and a name, at the start of a word or behind punctuation; a bracket right behind it makes it an expression.
_LONG = re.compile(rf"(?:(?<![\w{DASHES}])|(?<=_))([{DASHES}]+)([^\W\d][\w{DASHES}]*)([(\[]?)")
_GLUED = re.compile(rf"\w(--[^\W\d][\w{DASHES}]*)")
_LETTER = re.compile(rf"[{DASHES}]+([a-z])(?=[=:,;\"']|[\W_]*$)", re.IGNORECASE)
# A short option with its value right behind it, as other programs take it: -c240, -mfast, -wm fast.
_JOINED = re.compile(
    rf"[{DASHES}]+(?:([{_letters(Kind.INTEGER)}])(\d[\d,._]*)|([{_letters(Kind.MODE)}])({'|'.join(ServiceMode)})"
    rf"|([{_letters(Kind.FLAG)}])([{''.join(_SHORT)}]))[\W_]*$",
    re.IGNORECASE,
)
# Any other value right behind a short option that takes one, as the last word of the line, where options are typed:
# -tengineer, -a[df], -fdata.csv.
_VALUED = "".join(option.short[1] for option in LINE_OPTIONS if option.short and option.metavar)
_JOINED_VALUE = re.compile(rf"[{DASHES}]([{_VALUED}])([^\W_].*|[\[{{\"'].+)")
_JOINED_NAME = re.compile(rf"[{DASHES}]+([{_letters(Kind.EXPRESSIONS, Kind.SCHEMA)}])([^\W\d]\w*)")


def refuse_prompt(prompt: str, names: Mapping[str, Any]) -> None:
    """Refuse a prompt with a word that looks like an option, in any position.

    Raises:
        GrammarError: it names the word, and the option that was most likely meant.
    """
    words = prompt.split()
    for at, word in enumerate(words):
        if word.partition("=")[0] in BY_SPELLING:
            raise GrammarError(_inside(words[at:]))
        found = (_short_option(word, names), _long_option(word), _glued_option(word))
        meant = next((each for each in found if each is not None), None)
        if meant is None and at == len(words) - 1:
            meant = _joined_value(word)
        if meant is None and at == 0 and re.match(rf"[{DASHES}]+[^\W\d_]", _plain(word)):
            meant = ""
        if meant is not None:
            spelled = word.partition("=")[0]
            shown = spelled if re.fullmatch(rf"[\w{DASHES}]+", spelled) else repr(spelled)
            likely = f"did you mean {meant}?" if meant else "%codevf help lists those there are."
            raise GrammarError(f"there is no option {shown}: {likely} {LITERALLY}")


def refuse_value(option: Option, spelling: str, value: str) -> None:
    """Refuse a value in which an option would go unread, since the value has swallowed it.

    Raises:
        GrammarError: the value is an option or holds one, is nothing but dashes, or ends in a semicolon.
    """
    bare = value.strip("\"'")
    letter = _LETTER.fullmatch(_plain(bare))
    if value and not bare.strip(DASHES):
        raise GrammarError(f"{spelling} needs a value, not {value}: {spelling} {option.metavar}.")
    if value.endswith(";"):
        raise GrammarError(f"{spelling} {value}: leave the semicolon out, or put the value in quotes.")
    for word in bare.split():
        # In a Python expression one dash is a minus.
        if (letter and letter[1].lower() in _SHORT) or _long_option(
            word, only_two_dashes=option.kind is Kind.EXPRESSIONS
        ):
            raise GrammarError(f"{spelling} needs a value, and {word} looks like an option.")


def refuse_second_value(option: Option, value: str, rest: str, names: Mapping[str, Any]) -> None:
    """Refuse ``-a orders customers`` before the prompt: the second one was to be attached too, and would not be.

    Raises:
        GrammarError: what follows ``--attach`` is another variable's name, or what follows ``--file`` another file.
    """
    word = rest.split(maxsplit=1)[0] if rest else ""
    name = re.match(r"\w+", word)
    is_variable = (
        option.kind is Kind.EXPRESSIONS and name is not None and name[0] in names and name[0] not in SHELL_NAMES
    )
    if is_variable or (option.kind is Kind.PATH and Path(word).expanduser().is_file()):
        raise GrammarError(f"{_several(option, option.short or option.long, [value, word])} {LITERALLY}")


def refuse_cell(cell: str) -> None:
    """Refuse a cell that begins with options: options are read on the line above.

    Raises:
        GrammarError: the first line with text begins with an option, or is another line of ``%%codevf``.
    """
    begins = re.match(rf"\s*(--[^\W\d][\w{DASHES}]*|%%codevf\b|-[{_VALUED}](?=[ \t]+[\w\"'$]))", cell)
    if begins and (begins[1] in {"%%codevf", *BY_SPELLING} or letters_of(begins[1]) in BY_LETTERS):
        raise GrammarError(
            f"the cell begins with {begins[1]}, and options are read on the line of %%codevf: end that line with a "
            "backslash to go on in the next one. If it is the cell's, put another line above it, such as a comment."
        )


def _inside(words: Sequence[str]) -> str:
    """Say what to do about an option of ours inside the prompt; it is the first of these words."""
    spelling, equals, value = words[0].partition("=")
    option = BY_SPELLING[spelling]
    values = [value] if equals else []
    values += takewhile(lambda word: word[0] not in DASHES, words[1:])
    ways = f" {_several(option, spelling, values)}" if option.metavar and 2 <= len(values) <= 5 else ""
    return f"{spelling} is inside the prompt: options go before it or after it.{ways} {LITERALLY}"


def _several(option: Option, spelling: str, values: Sequence[str]) -> str:
    """Say how an option takes several values, or one with blanks in it."""
    if option.is_list:
        return f"{spelling} takes a list with commas: {spelling} {','.join(value.strip(',') for value in values)}."
    if option.many:
        return f"{spelling} takes one value and can be given again: {' '.join(f'{spelling} {one}' for one in values)}."
    return f'A value with blanks takes quotes: {spelling} "{" ".join(values)}".'


def _short_option(word: str, names: Mapping[str, Any]) -> str | None:
    """Return the short option, with a value right behind it, that a word looks like; None where it looks like none."""
    core = re.sub(rf"^(?:[^\w{DASHES}]|_)+", "", _plain(word))
    if (letter := _LETTER.match(core)) and letter[1].lower() in _SHORT:
        return _SHORT[letter[1].lower()]
    if joined := _JOINED.match(core):
        letter, value = filter(None, joined.groups())
        return f"-{letter.lower()} {value}" if value.lower() not in _SHORT else f"-{letter.lower()} -{value.lower()}"
    if (named := _JOINED_NAME.match(core)) and named[2] in names:
        return f"-{named[1]} {named[2]}"
    return None


def _joined_value(word: str) -> str | None:
    """Return the short option with the value right behind it that a word looks like."""
    glued = _JOINED_VALUE.fullmatch(_plain(word))
    return f"-{glued[1]} {glued[2]}" if glued else None


def _long_option(word: str, *, only_two_dashes: bool = False) -> str | None:
    """Return the long option that a word looks like, empty for none of ours; None where it looks like no option.

    Two dashes and two letters are always an option. One dash, which also begins much else, needs a name like ours.
    """
    plain = _plain(word)
    for dashes, name, bracket in _LONG.findall(plain):
        letters = letters_of(name).rstrip("0123456789")
        if len(dashes) > 1 and len(letters) > 1:
            return _meant(letters) or ""
        if not (only_two_dashes or bracket) and _resembles(dashes, name, letters):
            return _meant(letters) or ""
    return None


def _glued_option(word: str) -> str | None:
    """Return the long option that follows another word without a blank between."""
    glued = _GLUED.search(_plain(word))
    return BY_LETTERS[letters_of(glued[1])].long if glued and letters_of(glued[1]) in BY_LETTERS else None


def _resembles(dash: str, name: str, letters: str) -> bool:
    """Whether a name behind one dash is like one of ours; –mod was most likely typed with two dashes, -mod not."""
    first = re.split(rf"[_{DASHES}]", name.casefold())[0]
    if letters in BY_LETTERS or first in _FIRST_PARTS:
        return True
    least = 4 if dash == "-" else 3
    return len(letters) >= least and any(ours.startswith(letters) or _one_edit(letters, ours) for ours in BY_LETTERS)


def _meant(letters: str) -> str | None:
    """Return the long option that was most likely meant: itself, an abbreviated or a misspelt one."""
    near = [ours for ours in BY_LETTERS if ours.startswith(letters)] or [
        ours for ours in BY_LETTERS if _one_edit(letters, ours)
    ]
    found = letters if letters in BY_LETTERS else near[0] if near else nearest(letters, BY_LETTERS)
    return BY_LETTERS[found].long if found else None


def _one_edit(one: str, other: str) -> bool:
    """Whether two words differ by one letter that is missing, added or another, or by two that are swapped."""
    pairs = enumerate(zip(one, other, strict=False))
    at = next((at for at, (mine, its) in pairs if mine != its), min(len(one), len(other)))
    one, other = one[at:], other[at:]
    return one[1:] == other[1:] or one[1:] == other or one == other[1:] or one[:2][::-1] + one[2:] == other


def _plain(word: str) -> str:
    """Write a word with the characters it looks like: no invisible ones, full-width letters as usual ones."""
    visible = "".join(char for char in word if unicodedata.category(char) != "Cf")
    return unicodedata.normalize("NFKC", visible)
