"""The line after ``%%codevf``: free words as the prompt, options in one run before it, or after it, or both.

Shell rules would eat ``C:\\tmp`` and die on ``what's wrong``; argparse would take ``--mod`` for ``--mode``. So the line
is read from its ends: options at its start, or the longest run of whole options at its end, and everything between them
is the prompt, as typed. ``--`` ends the options. This one table of options also feeds help and completion.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
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
    Option("--context", None, "N", "attach the last N cells that were executed", number=int),
    Option("--schema", "-s", "NAME", "ask for data after this schema; AI generates such answers"),
    Option("--metadata", None, "K=V", "a note of your own that goes along", many=True),
    Option("--text", None, None, "the cell is the prompt, not code"),
    Option("--run", None, None, "execute the cell too, and attach how its run ended"),
    Option("--out", "-o", "NAME", "the variable for the task; _codevf unless said"),
    Option("--wait", "-w", None, "wait for the answer"),
    Option("--timeout", None, "S", "seconds to wait at most", number=float),
    Option("--again", None, "N", "the Nth asking of the same question", number=int),
    Option("--max-bytes", None, "N", "bytes that one file made here may take; a larger table is sampled", number=int),
    Option("--redact", None, "COL,…", "columns to mask; the same value has the same mask", many=True),
    Option("--allow-secrets", None, None, "send although something looks like a key, a token or a password"),
    Option("--allow-personal", None, None, "send although something looks like data about people"),
    Option("--no-ledger", None, None, "ask although the ledger can't be opened; only this kernel will remember it"),
    Option("--dry-run", None, None, "show what would be sent and what it may cost; send nothing"),
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
            word_end = _value_end(text, begin)
            if word_end == begin:
                raise GrammarError(f"{spelling} needs a value: {spelling} {option.value}.")
            given.append(_Given(option, spelling, _unquote(text[begin:word_end])))
        end = _skip_blanks(text, word_end)
    return _Run(given, end)


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
    if one.option.number is str:
        return text
    try:
        return one.option.number(text.replace(",", ""))
    except ValueError:
        kind = "a whole number" if one.option.number is int else "a number"
        raise GrammarError(f"{one.spelling} needs {kind}, not {text!r}.") from None


def _words_with_dash(text: str) -> list[int]:
    """Return where the words that look like options begin."""
    return [at for at in range(1, len(text)) if text[at] == "-" and text[at - 1].isspace()]


def _refuse_option(prompt: str) -> None:
    """A prompt that starts like an option is a slip of the finger; sending it would cost money."""
    first = prompt.split(maxsplit=1)[0] if prompt else ""
    if first.startswith("-") and len(first) > 1 and not first[1].isdigit():
        raise GrammarError(f"there is no option {first}; %codevf help lists them, and -- before the prompt ends them.")


def _refuse_slip(prompt: str) -> None:
    """``--mod fast`` at the end of a prompt is a slip too; words such as ``--user`` that resemble no option are not."""
    last = re.search(r"(?:^|\s)(--[a-z-]+)(?:[\s=]\S+)?$", prompt)
    if last and last[1] not in _BY_SPELLING:
        names = [option.long for option in OPTIONS]
        near = [name for name in names if name.startswith(last[1])] or get_close_matches(last[1], names, cutoff=0.75)
        if near:
            raise GrammarError(
                f"there is no option {last[1]}, but {near[0]}. If it is the prompt's, -- goes before it."
            )


def _skip_blanks(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    return at


def _word_end(text: str, at: int) -> int:
    while at < len(text) and not text[at].isspace():
        at += 1
    return at


def _value_end(text: str, at: int) -> int:
    """Return where a value ends: at a blank that stands in no quotes and no brackets."""
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
        elif char.isspace() and depth <= 0:
            break
        at += 1
    return at


def _unquote(value: str) -> str:
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'" and value[0] not in value[1:-1]:
        return value[1:-1]
    return value
