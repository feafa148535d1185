"""Read an attached table again by what its profile says, and compare it with what the user has, cell by cell.

Written without the product's code, so that both can't be wrong in the same way: a CSV reader that tells a null from an
empty text, and a parser for each dtype that a profile can name.
"""

import datetime as dt
import decimal
import json
import math
import re

import numpy as np
import pandas as pd

CELL = re.compile(r'"((?:[^"]|"")*)"|([^,"\n]*)')


def read_csv(text: str) -> list[list[str | None]]:
    """Return the rows of a CSV; None for a cell of nothing, an empty text for ``""``."""
    rows: list[list[str | None]] = [[]]
    at = 0
    while at < len(text):
        match = CELL.match(text, at)
        quoted, bare = match.groups()
        rows[-1].append(quoted.replace('""', '"') if quoted is not None else bare or None)
        at = match.end()
        if at < len(text) and text[at] == "\n":
            rows.append([])
        at += 1
    return rows[:-1] if rows[-1] == [] else rows


def read_profile(text: str) -> list[tuple[str, str]]:
    """Return name and dtype of each column in a profile of one table."""
    lines = [line for line in text.split("\n") if line.startswith("| ")][1:]  # Markdown knows no other line ends
    cells = [re.split(r"(?<!\\)(?:\\\\)*\|", line[1:-1]) for line in lines]
    return [(row[0].strip(), row[1].strip()) for row in cells]


def remarks(text: str) -> dict[str, str]:
    """Return what a profile remarks on each column."""
    found: dict[str, str] = {}
    for name, remark in re.findall(r"^- `(.*?)`: (.*)$", text, re.MULTILINE):
        found[name] = found.get(name, "") + remark
    return found


def canonical(value, dtype: str):
    """Return a user's value in a form that values of any library share; None for what its library calls missing."""
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, np.generic) and not isinstance(value, np.void):
        if isinstance(value, np.datetime64 | np.timedelta64):
            return None if np.isnat(value) else value
        value = value.item() if value.dtype.kind in "iubU" else value
    if isinstance(value, float | np.floating):
        return "NaN" if math.isnan(value) else value
    return value


def parse(text: str | None, dtype: str):
    """Return the value that a cell's text stands for, by the dtype its profile states."""
    if text is None:
        return None
    kind = dtype.lower()
    return next((read(text, kind) for start, read in _READERS if kind.startswith(start)), text)


def _float(text: str, kind: str):
    width = {"float32": np.float32, "float": np.float32, "float16": np.float16, "halffloat": np.float16}
    number = float(text)
    return float(width[kind](number)) if kind in width and not kind.startswith("float64") else number


def _moment(text: str, _kind: str):
    return np.datetime64(pd.Timestamp(text).tz_localize(None)) if "+" not in text[10:] else pd.Timestamp(text)


_READERS = (
    (("int", "uint"), lambda text, _kind: int(text)),
    (("float", "double", "halffloat"), lambda text, kind: "NaN" if text == "NaN" else _float(text, kind)),
    ("bool", lambda text, _kind: {"True": True, "False": False}[text]),
    (("datetime", "timestamp"), _moment),
    ("decimal", lambda text, _kind: decimal.Decimal(text)),
    ("date", lambda text, _kind: dt.date.fromisoformat(text)),
)


def as_json(value):
    """Return a nested value as JSON has it."""
    if isinstance(value, np.ndarray):
        return [as_json(part) for part in value.tolist()]
    if isinstance(value, dict):
        return {str(key): as_json(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(part) for part in value]
    if isinstance(value, float) and not math.isfinite(value):
        return {math.inf: "Infinity", -math.inf: "-Infinity"}.get(value, "NaN")
    return value


def loads(text: str):
    """Return JSON as Python; strict, so that no NaN passes."""
    return json.loads(text, parse_constant=pytest_fail)


def pytest_fail(name: str):
    raise AssertionError(f"{name} is no JSON")
