"""The line after ``%%codevf``: free words as the prompt, options in one run before it, or after it, or both.

Shell rules would eat ``C:\\tmp`` and die on ``what's wrong``; argparse would take ``--mod`` for ``--mode``. So the line
is read from its ends: options at its start, or the longest run of whole options at its end, and everything between them
is the prompt, as typed. ``--`` ends the options. This one table of options also feeds help and completion.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from keyword import iskeyword
from typing import Any

from codevf_nb.sdk.exceptions import CodeVFError


class GrammarError(CodeVFError):
    """The line after the magic can't be read; the message names the word and what would do."""


@dataclass(frozen=True)
class Option:
    """One option: how it is spelled, the name of its value (None for a flag), whether it may be given again."""

    long: str
    short: str | None
    value: str | None
    help: str
    many: bool = False
    number: type = str

    @property
    def name(self) -> str:
        """The key of the option's value."""
        return self.long.removeprefix("--").replace("-", "_")

    @property
    def spelled(self) -> str:
        """The option as help writes it: its spellings, and the name of its value."""
        spellings = ", ".join(part for part in (self.short, self.long) if part)
        return spellings if self.value is None else f"{spellings} {self.value}"

    @property
    def is_list(self) -> bool:
        """Whether its value is a list with commas, after which blanks may stand."""
        return self.value is not None and self.value.endswith("…")


OPTIONS = (
    Option("--mode", "-m", "MODE", "realtime_answer, fast or standard"),
    Option("--tag", "-t", "TAG", "expertise, by name or id; the cheapest active one unless said"),
    Option("--max-credits", "-c", "N", "credits this may use, before multipliers", number=int),
    Option("--project", "-p", "NAME", "project; the working folder's name unless said"),
    Option(
        "--attach", "-a", "EXPR,…", "variables or expressions to attach: tables, data, figures, code, paths", many=True
    ),
    Option("--file", "-f", "PATH", "a file to attach", many=True),
    Option("--figure", None, None, "attach the open figure, or with --run the one that it drew"),
    Option("--traceback", None, None, "attach the last exception: your own frames, and the shapes of tables in them"),
    Option("--last", None, None, "with --traceback: the last exception, although cells have run without one since"),
    Option("--context", None, "N", "attach the last N cells that were executed", number=int),
    Option("--schema", "-s", "NAME", "ask for data after this schema; AI generates such answers"),
    Option("--metadata", None, "K=V", "a note of your own that goes along", many=True),
    Option("--text", None, None, "the cell is the prompt, not code"),
    Option("--run", None, None, "execute the cell first, and attach how its run ended; -a is looked up after it"),
    Option("--out", "-o", "NAME", "the variable for the task; _codevf unless said"),
    Option("--wait", "-w", None, "wait for the answer"),
    Option("--timeout", None, "S", "seconds to wait at most", number=float),
    Option("--again", None, "N", "the Nth asking of the same question", number=int),
    Option("--max-bytes", None, "N", "bytes that one file made here may take; a larger table is sampled", number=int),
    Option("--redact", None, "COL,…", "columns to mask; the same value has the same mask", many=True),
    Option("--allow-secrets", None, None, "send although something looks like a key, a token or a password"),
    Option("--allow-personal", None, None, "send although something looks like data about people"),
    Option("--no-ledger", None, None, "ask although the ledger can't be opened; only this kernel will remember it"),
    Option("--dry-run", None, None, "show what would be sent and its cost; send nothing (--run still runs the cell)"),
)
_BY_SPELLING = {spelling: option for option in OPTIONS for spelling in (option.long, option.short) if spelling}


@dataclass(frozen=True)
class Line:
    """A line that was read: the prompt as typed (None without one) and the options that were given."""

    prompt: str | None
    options: dict[str, Any]


def read(text: str, names: Mapping[str, Any] | None = None) -> Line:
    """Read the line after the magic. An option's value that is ``$name`` is looked up in ``names``.

    Raises:
        GrammarError: an option that there isn't, or one without its value.
    """
    text = text.strip()
    leading = _run(text, 0)
    rest, given = text[leading.end :].strip(), leading.given
    if not leading.closed:
        _refuse_option(rest)
        for start in _words_with_dash(rest):
            trailing = _run(rest, start)
            if trailing.end == len(rest) and trailing.given:
                rest, given = rest[:start].strip(), given + trailing.given
                break
        _refuse_slip(rest)
    return Line(rest or None, _values(given, names or {}))


@dataclass(frozen=True)
class _Given:
    """An option as it was given: its value is still text, None for a flag."""

    option: Option
    spelling: str
    value: str | None


@dataclass(frozen=True)
class _Run:
    """Whole options in a row, up to ``end``; ``closed`` where -- ended them."""

    given: list[_Given]
    end: int
    closed: bool = False


def _run(text: str, start: int) -> _Run:
    """Read as many whole options as stand in a row from ``start``; what their values say isn't looked at yet."""
    given: list[_Given] = []
    end = start
    while end < len(text):
        position = _skip_blanks(text, end)
        word_end = _word_end(text, position)
        spelling, equals, _ = text[position:word_end].partition("=")
        if spelling == "--" and not equals:
            return _Run(given, word_end, closed=True)
        option = _BY_SPELLING.get(spelling)
        if option is None:
            break
        if option.value is None:
            if equals:
                raise GrammarError(f"{spelling} takes no value, so {text[position:word_end]!r} can't be read.")
            given.append(_Given(option, spelling, None))
        else:
            begin = position + len(spelling) + 1 if equals else _skip_blanks(text, word_end)
            word_end = _value_end(text, begin, is_list=option.is_list)
            if word_end == begin:
                raise GrammarError(f"{spelling} needs a value: {spelling} {option.value}.")
            value = text[begin:word_end]
            if option.is_list:
                _refuse_list_before_words(f"{spelling} {value}", text[word_end:].lstrip())
            given.append(_Given(option, spelling, _unquote(value)))
        end = _skip_blanks(text, word_end)
    return _Run(given, end)


def _refuse_list_before_words(given: str, rest: str) -> None:
    """Where the prompt follows a list with blanks, nobody can tell where one ends and the other begins."""
    if re.search(r",\s|\s,", given) and rest and not rest.startswith("-"):
        raise GrammarError(
            f"{given} {rest.split(maxsplit=1)[0]} …: where does the list end? Write it without blanks, or after the "
            "prompt. If it is the prompt's, put -- before the prompt."
        )


def _values(given: list[_Given], names: Mapping[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for one in given:
        value = True if one.value is None else _convert(one, names)
        if one.option.many:
            values.setdefault(one.option.name, []).append(value)
        elif one.option.name in values:
            raise GrammarError(f"{one.option.long} is given twice.")
        else:
            values[one.option.name] = value
    return values


def _convert(one: _Given, names: Mapping[str, Any]) -> Any:
    text = str(one.value)
    if text.startswith("$") and text[1:].isidentifier():
        if text[1:] not in names:
            raise GrammarError(f"{one.spelling} {text}: there is no variable {text[1:]!r}.")
        text = str(names[text[1:]])
    if not text.strip(" ,"):
        raise GrammarError(f"{one.spelling} needs a value: {one.spelling} {one.option.value}.")
    if one.option.name == "out" and (not text.isidentifier() or iskeyword(text)):
        raise GrammarError(f"{one.spelling} {text}: no variable can have that name.")
    return text if one.option.number is str else _number(one, text)


def _number(one: _Given, text: str) -> Any:
    try:
        number = one.option.number(text.replace(",", ""))
    except ValueError:
        kind = "a whole number" if one.option.number is int else "a number"
        raise GrammarError(f"{one.spelling} needs {kind}, not {text!r}.") from None
    if one.option.name == "timeout" and not 0 <= number <= threading.TIMEOUT_MAX:
        raise GrammarError(f"{one.spelling} takes seconds, 0 or more, not {text!r}; without it the wait has no end.")
    return number


def _words_with_dash(text: str) -> list[int]:
    """Return where the words that look like options begin."""
    return [at for at in range(1, len(text)) if text[at] == "-" and text[at - 1].isspace()]


def _refuse_option(prompt: str) -> None:
    """A prompt that starts like an option is a slip of the finger; sending it would cost money."""
    first = prompt.split(maxsplit=1)[0] if prompt else ""
    if first.startswith("-") and len(first) > 1 and not first[1].isdigit():
        raise GrammarError(f"there is no option {first}; %codevf help lists them, and -- before the prompt ends them.")


def _refuse_slip(prompt: str) -> None:
    """``--mod fast`` at an end of the prompt is a slip too; an option inside it had most likely a value with a blank.

    Words such as ``--user`` that resemble no option are the prompt's.
    """
    words = prompt.split()
    for word in words:
        if word.partition("=")[0] in _BY_SPELLING and word.startswith("--"):
            raise GrammarError(
                f"{word} stands inside the prompt: options stand before it or after it, a value with blanks in quotes. "
                "If it is the prompt's, put -- before the prompt."
            )
    for word in (*words[:1], *words[-2:]):
        spelling = word.partition("=")[0]
        meant = _meant(spelling) or (_joined(spelling) if word == words[-1] else None)
        if meant:
            raise GrammarError(
                f"there is no option {spelling}, but {meant}. If it is the prompt's, put -- before the prompt."
            )


def _meant(spelling: str) -> str | None:
    """Return the option that a word was meant to be: an abbreviation, a slip, other dashes or capitals."""
    dashed = re.fullmatch(r"([-–—]+)([A-Za-z][A-Za-z-]+)", spelling)
    if dashed is None or spelling in _BY_SPELLING:
        return None
    name, names = f"--{dashed[2].lower()}", [option.long for option in OPTIONS]
    if dashed[1] != "--":
        return name if name in names else None
    near = [long for long in names if long.startswith(name)] or get_close_matches(name, names, n=1, cutoff=0.75)
    return near[0] if near else None


def _joined(spelling: str) -> str | None:
    """Return ``-c 240`` for ``-c240``."""
    joined = re.fullmatch(r"(-\w)(\d+)", spelling)
    option = _BY_SPELLING.get(joined[1]) if joined else None
    return f"{joined[1]} {joined[2]}" if joined and option and option.number is int else None


def _skip_blanks(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    return at


def _word_end(text: str, at: int) -> int:
    while at < len(text) and not text[at].isspace():
        at += 1
    return at


def _value_end(text: str, at: int, *, is_list: bool = False) -> int:
    """Return where a value ends: at a blank that stands in no quotes, no brackets and beside no comma of a list."""
    depth, quote = 0, ""
    while at < len(text):
        char = text[at]
        if quote:
            quote = "" if char == quote else quote
        elif char in "\"'":
            quote = char
        elif char in "([{":
            depth += 1
        elif char in ")]}":
            depth -= 1
        elif char.isspace() and depth <= 0 and not (is_list and _is_beside_comma(text, at)):
            break
        at += 1
    return at


def _is_beside_comma(text: str, at: int) -> bool:
    before, after = text[:at].rstrip(), text[at:].lstrip()
    return after.startswith(",") or (before.endswith(",") and (after[:1].isalpha() or after.startswith("_")))


def _unquote(value: str) -> str:
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'" and value[0] not in value[1:-1]:
        return value[1:-1]
    return value
