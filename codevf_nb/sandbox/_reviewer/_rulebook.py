"""The table of defects: severity, message and advice."""

from __future__ import annotations

from typing import Any, NamedTuple

from codevf_nb.sandbox._reviewer._finding import Finding


class Rule(NamedTuple):
    """One row: the severity, the message with fields for the finding, and the advice."""

    severity: str
    message: str
    advice: str = ""


RULES = {
    # Files that can't be read at all.
    "syntax": Rule("high", "Python can't read this: {error}."),
    "notebook": Rule("high", "This is not a readable notebook."),
    "json": Rule("high", "This is not JSON: {error}."),
    "csv": Rule("high", "The csv module can't read this: {error}."),
    # Python.
    "mutable-default": Rule(
        "high",
        "This default value is made once, and every call shares the same one.",
        "Default to None, and make it in the function.",
    ),
    "bare-except": Rule(
        "medium",
        "A bare except catches everything, Ctrl-C and misspelled names too.",
        "Name the exceptions that are expected.",
    ),
    "silent-except": Rule(
        "medium",
        "Every {name} is swallowed without a trace.",
        "Name the expected exceptions, or log what happened.",
    ),
    "compare-nan": Rule(
        "high",
        "NaN equals nothing, itself included: this comparison never tells.",
        "Use .isna(), numpy.isnan() or math.isnan().",
    ),
    "compare-none": Rule(
        "low",
        "Compared with None by ==, which on an array or a DataFrame goes element by element.",
        "Use `is None`, or .isna() for elements.",
    ),
    "compare-float": Rule(
        "low",
        "A float is compared for exact equality with a fraction that it can only approximate.",
        "Use math.isclose or numpy.isclose.",
    ),
    "chained-assignment": Rule(
        "high",
        "Chained assignment: the mask makes a copy, and the value lands in the copy.",
        "Use df.loc[rows, column] = value.",
    ),
    "column-then-mask": Rule(
        "medium",
        "On a DataFrame this is chained assignment, and the DataFrame may stay as it was.",
        "Use df.loc[rows, column] = value.",
    ),
    "inplace-result": Rule(
        "high",
        ".{name}(inplace=True) returns None, and that is what is kept here.",
        "Leave inplace out, or don't assign.",
    ),
    "append-result": Rule(
        "medium",
        "{name}.append(…) is None for a list, and is gone from DataFrames (pandas 2); only an Index has it.",
        "For a list don't assign; for frames use pandas.concat.",
    ),
    "unreachable": Rule("medium", "This is never reached: {name} comes before it.", "Remove or move it."),
    "shadowed-builtin": Rule("low", "The builtin {name} is hidden by this name from here on.", "Choose another name."),
    "divide-by-len": Rule(
        "medium",
        "Divides by zero where {name} is empty, and nothing here tests for that.",
        "Say what the answer for nothing is.",
    ),
    "changed-while-read": Rule(
        "high",
        "{name} is changed while the loop reads it: elements are skipped, or the loop fails.",
        "Loop over a copy, or build a new list.",
    ),
    "fit-on-test": Rule(
        "high",
        ".{method}({name}) learns from the test data.",
        "Fit on the training data only, and transform the test data.",
    ),
    # Joins.
    "merge-without-how": Rule(
        "low",
        "A merge without how= is an inner join: rows that match nothing are dropped without a word.",
        "Say how=, and check with indicator=True.",
    ),
    "join-drops-rows": Rule(
        "high",
        "This inner join drops {count} of the {total} attached rows of `{left}`: "
        "their `{key}` is not in the attached `{right}` (the first is row {row}).",
        'Use how="left" to keep them, and indicator=True to see them.',
    ),
    "join-multiplies-rows": Rule(
        "high",
        "`{key}` repeats in both attached tables ({values} of `{right}`): rows multiply.",
        'Check with validate="many_to_one".',
    ),
    "missing-keys": Rule(
        "medium",
        "{lost} of {keys} keys ({count} of {total} rows) {be} not in {other}{nearly}.{back}",
        "A join on it loses these rows, or leaves their columns empty.",
    ),
    # Tables.
    "empty-file": Rule("medium", "The file is empty."),
    "repeated-header": Rule("high", "{count} columns have this name.", "Give each its own name."),
    "nameless-column": Rule("low", "A column has no name.", "Name it."),
    "ragged-rows": Rule(
        "high",
        "{count} not the header's {width} fields; this one has {fields}.",
        "Look for unquoted separators and cut lines.",
    ),
    "repeated-rows": Rule(
        "medium",
        "{count} an earlier one exactly; this one repeats row {first}.",
        "Drop them, unless rows may be the same.",
    ),
    "many-empty-cells": Rule(
        "medium", "{count} of {total} cells are empty ({share}).", "Decide what a missing value means here."
    ),
    "empty-cells": Rule(
        "low", "{count} of {total} cells are empty ({share}).", "Decide what a missing value means here."
    ),
    "blanks": Rule(
        "medium",
        "{count} with a blank, for example {example}.",
        "Strip them: with the blank, a value equals no other and joins to nothing.",
    ),
    "mixed-types": Rule(
        "high",
        "{count} no number, where the column is numbers otherwise: {example}.",
        "One such value turns the whole column into text.",
    ),
    "mixed-dates": Rule(
        "high", "{count} not written {pattern} like the others: {example}.", "Write all dates in one form."
    ),
    "constant-column": Rule("low", "Every one of the {count} rows holds {example}.", "It tells nothing apart."),
    "repeated-keys": Rule(
        "high", "{count} here more than once, for example {example}.", "A join on it multiplies rows."
    ),
}


def found(file: str, line: int | None, rule: str, column: str | None = None, **words: Any) -> Finding:
    """Return a finding for a rule and the fields of its message."""
    severity, message, advice = RULES[rule]
    return Finding(file, line, rule, severity, message.format(**words), advice, column)


def quoted(text: str) -> str:
    """Return untrusted text for a sentence: short, on one line, and without backticks."""
    shown = " ".join(text.split("\n")).replace("`", "'")
    return f"`{shown[:40]}…`" if len(shown) > 40 else f"`{shown}`"


def counted(count: int, one: str, many: str) -> str:
    """`1 row has`, `2 rows have`."""
    return f"{count:,} {one if count == 1 else many}"
