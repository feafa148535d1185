"""Findings of pyflakes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from codevf_nb.sandbox._reviewer._finding import Finding
from codevf_nb.sandbox._reviewer._source import Source

# pyflakes' own names for its messages.
_HIGH = """
    UndefinedName UndefinedLocal UndefinedExport IsLiteral IfTuple AssertTuple ReturnOutsideFunction
    YieldOutsideFunction DuplicateArgument MultiValueRepeatedKeyLiteral MultiValueRepeatedKeyVariable
    InvalidPrintSyntax RaiseNotImplemented PercentFormatMissingArgument PercentFormatInvalidFormat
    StringDotFormatMissingArgument DefaultExceptNotLast
"""
_LOW = "UnusedImport FStringMissingPlaceholders ImportStarUsed ImportStarUsage UnusedAnnotation"
# These are not findings in a single cell: other cells may define or use the name.
_NOT_IN_A_CELL = "UndefinedName UndefinedExport UnusedImport ImportStarUsage ImportStarUsed"
HIGH, LOW, NOT_IN_A_CELL = (frozenset(names.split()) for names in (_HIGH, _LOW, _NOT_IN_A_CELL))

ADVICE = {
    "IsLiteral": "Compare values with ==; `is` compares identity.",
    "UndefinedName": "Define it, import it, or correct its spelling.",
    "UnusedImport": "Remove it.",
    "UnusedVariable": "Use it or remove it; a result may have been forgotten.",
    "RedefinedWhileUnused": "Remove one of the two.",
    "IfTuple": "A tuple that isn't empty is always true: remove the parentheses or the comma.",
    "AssertTuple": "A tuple that isn't empty is always true: remove the parentheses.",
    "FStringMissingPlaceholders": "Remove the f, or put the missing {} in.",
}


def run_pyflakes(source: Source) -> Iterator[Finding]:
    """Return a finding for each message of pyflakes that is valid for this source."""
    from pyflakes.checker import Checker

    try:
        messages: list[Any] = Checker(source.tree, "attached").messages
    except RecursionError:
        return
    for message in sorted(messages, key=lambda message: (message.lineno, message.col)):
        rule = type(message).__name__
        if source.is_cell and rule in NOT_IN_A_CELL:
            continue
        file, line = source.place(message.lineno)
        severity = "high" if rule in HIGH else "low" if rule in LOW else "medium"
        text = str(message.message % message.message_args)
        sentence = f"{text[:1].upper()}{text[1:]}{'' if text.endswith('?') else '.'}"
        yield Finding(file, line, rule, severity, sentence, ADVICE.get(rule, ""))
