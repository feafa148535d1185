"""Reading the line: where the options end and the prompt begins, and what the options' values are."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from codevf_nb.notebook.grammar._options import BY_SPELLING, GrammarError
from codevf_nb.notebook.grammar._typos import (
    refuse_cell,
    refuse_prompt,
    refuse_second_value,
    refuse_value,
)
from codevf_nb.notebook.grammar._values import convert
from codevf_nb.questions.options import BY_NAME, Kind, Option


class OptionValues(dict[str, Any]):
    """The options that were given, by name."""

    def value(self, name: str) -> Any:
        """Return the value of an option; where it was not given, None, False of a flag, () of one that can be repeated.

        Raises:
            KeyError: There is no option of that name.
        """
        return super().get(name, BY_NAME[name].empty)


@dataclass(frozen=True)
class ParsedLine:
    """A line that was read: the prompt as typed (None without one) and the options that were given."""

    prompt: str | None
    options: OptionValues


def read(text: str, names: Mapping[str, Any] | None = None) -> ParsedLine:
    """Read the line after the magic. An option's value that is ``$name`` is looked up in ``names``.

    Raises:
        GrammarError: an option is unknown, inside the prompt or without its value, or a word looks like an option.
    """
    text, names = text.strip(), names or {}
    leading = _run(text, 0)
    rest, given = text[leading.end :].strip(), leading.given
    if not leading.closed:
        for start in _words_with_dash(rest):
            trailing = _run(rest, start)
            if trailing.end == len(rest) and trailing.given:
                rest, given = rest[:start].strip(), given + trailing.given
                break
        refuse_prompt(rest, names)
        if leading.given:
            last = leading.given[-1]
            refuse_second_value(last.option, last.value or "", rest, names)
    return ParsedLine(rest or None, _values(given, names))


def join(line: str, cell: str) -> tuple[str, str]:
    """Continue a line that ends in a backslash in the next line, as a shell does; return it and the rest of the cell.

    Two backslashes at the end are the line's own.

    Raises:
        GrammarError: nothing follows the backslash, or the cell begins with options.
    """
    while (len(line.rstrip()) - len(line.rstrip().rstrip("\\"))) % 2:
        if not cell.strip():
            raise GrammarError("the line ends in a backslash, and no line follows in which it could go on.")
        below, _, cell = cell.partition("\n")
        line = f"{line.rstrip()[:-1].rstrip()} {below.strip()}"
    refuse_cell(cell)
    return line, cell


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
    """Read whole options in a row from ``start``; their values are not converted yet."""
    given: list[_Given] = []
    end = start
    while end < len(text):
        position = _skip_blanks(text, end)
        word_end = _word_end(text, position)
        spelling, equals, _ = text[position:word_end].partition("=")
        if spelling == "--" and not equals:
            return _Run(given, word_end, closed=True)
        option = BY_SPELLING.get(spelling)
        if option is None:
            break
        if option.metavar is None:
            if equals:
                raise GrammarError(f"{spelling} takes no value, so {text[position:word_end]!r} can't be read.")
            given.append(_Given(option, spelling, None))
        else:
            begin = position + len(spelling) + 1 if equals else _skip_blanks(text, word_end)
            word_end = _value_end(text, begin, is_list=option.is_list)
            value = _checked_value(option, spelling, text[begin:word_end])
            if option.is_list:
                _refuse_list_before_words(f"{spelling} {value}", text[word_end:].lstrip())
            # Of columns each may be quoted, so they are unquoted one by one.
            given.append(_Given(option, spelling, value if option.kind is Kind.COLUMNS else _unquote(value)))
        end = _skip_blanks(text, word_end)
    return _Run(given, end)


def _checked_value(option: Option, spelling: str, value: str) -> str:
    if not value:
        raise GrammarError(f"{spelling} needs a value: {spelling} {option.metavar}.")
    # Of an expression, Python says what is wrong with it.
    if option.kind is not Kind.EXPRESSIONS and (unclosed := _unclosed(value)):
        raise GrammarError(f"{spelling} {value}: the {unclosed} is not closed.")
    refuse_value(option, spelling, value)
    return value


def _refuse_list_before_words(given: str, rest: str) -> None:
    """Refuse a prompt that follows a list with blanks: where the list ends is ambiguous."""
    if re.search(r",\s|\s,", re.sub(r"([\"']).*?\1", "", given)) and rest and not rest.startswith("-"):
        raise GrammarError(
            f"{given} {rest.split(maxsplit=1)[0]} …: where does the list end? Write it without blanks, or after the "
            "prompt. If it is the prompt's, put -- before the prompt."
        )


def _values(given: list[_Given], names: Mapping[str, Any]) -> OptionValues:
    values = OptionValues()
    for one in given:
        value = True if one.value is None else _convert(one, names)
        if one.option.many:
            values.setdefault(one.option.name, []).append(value)
        elif one.option.name in values:
            raise GrammarError(f"{one.option.long} is given twice.")
        else:
            values[one.option.name] = value
    if "timeout" in values and not {"wait", "help"} & values.keys():
        raise GrammarError("--timeout says how long --wait waits at most: add -w, or leave --timeout out.")
    return values


def _convert(one: _Given, names: Mapping[str, Any]) -> Any:
    text = str(one.value)
    if text.startswith("$") and text[1:].isidentifier():
        if text[1:] not in names:
            raise GrammarError(f"{one.spelling} {text}: there is no variable {text[1:]!r}.")
        text = str(names[text[1:]])
    return convert(one.option, one.spelling, text)


def _words_with_dash(text: str) -> list[int]:
    """Return where the words that look like options begin."""
    return [at for at in range(1, len(text)) if text[at] == "-" and text[at - 1].isspace()]


def _skip_blanks(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    return at


def _word_end(text: str, at: int) -> int:
    while at < len(text) and not text[at].isspace():
        at += 1
    return at


def _value_end(text: str, at: int, *, is_list: bool = False) -> int:
    """Return where a value ends: at a blank that is in no quotes, in no brackets and not beside a comma of a list."""
    for end, depth, quote in _nesting(text, at):
        if text[end].isspace() and not quote and depth <= 0 and not (is_list and _is_beside_comma(text, end)):
            return end
    return len(text)


def _unclosed(value: str) -> str:
    """Return what a value leaves open: a quote or a bracket; empty where it closes all of them."""
    *_, (_, depth, quote) = _nesting(value, 0)
    return f"quote {quote}" if quote else "bracket" if depth > 0 else ""


def _nesting(text: str, at: int) -> Iterator[tuple[int, int, str]]:
    """Yield for each character its position, how many brackets are open after it, and which quote is."""
    depth, quote = 0, ""
    for position in range(at, len(text)):
        char = text[position]
        if quote:
            quote = "" if char == quote else quote
        elif char in "\"'":
            quote = char
        else:
            depth += (char in "([{") - (char in ")]}")
        yield position, depth, quote


def _is_beside_comma(text: str, at: int) -> bool:
    before, after = text[:at].rstrip(), text[at:].lstrip()
    return after.startswith(",") or (before.endswith(",") and (after[:1].isalpha() or after.startswith("_")))


def _unquote(value: str) -> str:
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'" and value[0] not in value[1:-1]:
        return value[1:-1]
    return value
