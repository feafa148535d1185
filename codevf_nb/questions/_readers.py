"""Readers of the options of a question: each makes of an argument what ``AskOptions`` holds.

A reader is called with the name that its error message uses (``max_credits`` in Python, ``--max-credits`` on the line)
and the value. The ``…_of_line`` functions make such a value of the text that was typed on the line of the magic.
"""

from __future__ import annotations

import json
import operator
from collections.abc import Iterator, Mapping, Sequence, ValuesView
from pathlib import Path
from typing import Any

from codevf_nb.sdk.exceptions import BadRequestError
from codevf_nb.sdk.models import ServiceMode
from codevf_nb.sdk.suggestions import did_you_mean

PROFILES = ("sample", "full")


def text(name: str, value: Any) -> str | None:
    """Take text; blank text is none."""
    if value is not None and not isinstance(value, str):
        raise BadRequestError(f"{name} is {_kind(value)}: it must be text.")
    return value if value and value.strip() else None


def code(name: str, value: Any) -> str | None:
    """Take code as text, as a file that holds it, or as a function or class that was defined in it."""
    if isinstance(value, Path):
        try:
            value = value.expanduser().read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            raise BadRequestError(f"{name}: {error}.") from None
    elif callable(value):
        from codevf_nb.attachments import source_of

        source = source_of(getattr(value, "__name__", name), value)
        if source is None:
            raise BadRequestError(f"{name} is {_kind(value)}, and its source can't be found: pass its code as text.")
        value = source
    return text(name, value)


def files(name: str, value: Any) -> tuple[str | Path, ...]:
    """Take one path, or several."""
    paths = [] if value is None else [value] if isinstance(value, str | Path) else _listed(name, value)
    for path in paths:
        if not isinstance(path, str | Path):
            raise BadRequestError(f"{name} holds {_kind(path)}: it takes paths; attach= takes values.")
    return tuple(paths)


def columns(name: str, value: Any) -> tuple[Any, ...]:
    """Take one column, or several; a column of several levels is a tuple."""
    columns = [] if value is None else [value] if isinstance(value, str) else _listed(name, value)
    for column in columns:
        if not isinstance(column, str | tuple) or (isinstance(column, str) and not column.strip()):
            raise BadRequestError(f"{name} holds {_shown(column)}: it takes names of columns.")
    return tuple(columns)


def _listed(name: str, value: Any) -> list[Any]:
    if isinstance(value, list | tuple | set | frozenset | ValuesView | Iterator):
        return list(value)
    raise BadRequestError(f"{name} is {_kind(value)}: it takes one value or a list of them.")


def mode(name: str, value: Any) -> str | None:
    """Take the name of a mode; empty text is none."""
    return None if value is None or (isinstance(value, str) and not value) else ServiceMode.of(_required(name, value))


def _required(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise BadRequestError(f"{name} is {_shown(value)}: it is one of {', '.join(ServiceMode)}.")
    return value


def profile(name: str, value: Any) -> str | None:
    """Take the name of a kind of profile."""
    if value is not None and not (isinstance(value, str) and value in PROFILES):
        raise BadRequestError(f"{name} is {_shown(value)}: it is one of {', '.join(PROFILES)}.")
    return value


def tag(name: str, value: Any) -> str | int | None:
    """Take a tag's name or number."""
    return value if value is None or isinstance(value, str) else whole_number(name, value)


def whole_number(name: str, value: Any) -> int | None:
    """Take a whole number of any library; True is none, and text is none."""
    if value is None:
        return None
    try:
        if isinstance(value, bool):
            raise TypeError
        return operator.index(value)
    except TypeError:
        raise BadRequestError(f"{name} is {_shown(value)}: it must be a whole number.") from None


def asking(name: str, value: Any) -> int:
    """Take the number of the asking, from 1."""
    return 1 if value is None else int(whole_number(name, value) or 0)


def metadata(name: str, value: Any) -> Mapping[str, Any]:
    """Take names and values."""
    if value is not None and not isinstance(value, Mapping):
        raise BadRequestError(f"{name} is {_kind(value)}: it takes a dict of names and values.")
    return value or {}


def as_given(_name: str, value: Any) -> Any:
    """Take anything; it is checked when the question is made."""
    return value


def flag(name: str, value: Any) -> bool:
    """Take True or False."""
    if not isinstance(value, bool):
        raise BadRequestError(f"{name} is {_shown(value)}: it must be True or False.")
    return value


def files_of_line(_option: str, given: Sequence[str], _names: Mapping[str, Any]) -> list[str]:
    """Take the paths of ``--file``, which are the argument ``files``."""
    return list(given)


def columns_of_line(_option: str, given: Sequence[str], _names: Mapping[str, Any]) -> list[str]:
    """Split lists of columns with commas between."""
    from codevf_nb.attachments import column_names

    return [column for part in given for column in column_names(part)]


def metadata_of_line(option: str, given: Sequence[str], _names: Mapping[str, Any]) -> dict[str, str]:
    """Read ``KEY=VALUE`` pairs."""
    found: dict[str, str] = {}
    for pair in given:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise BadRequestError(f"{option} takes KEY=VALUE, not {pair!r}.")
        if key in found:
            raise BadRequestError(f"{option} {key} is given twice.")
        found[key] = value
    return found


def schema_of_line(option: str, given: str, names: Mapping[str, Any]) -> Any:
    """Take a variable's value, or what a JSON file holds."""
    if given in names:
        return names[given]
    try:
        return json.loads(Path(given).expanduser().read_text(encoding="utf-8"))
    except FileNotFoundError:
        reason = f"there is neither a variable nor a file of that name{did_you_mean(given, names)}"
    except (OSError, ValueError) as error:
        reason = f"it can't be read as JSON: {error}"
    raise BadRequestError(f"{option} {given}: {reason}.")


def attachments(name: str, value: Any) -> dict[str, Any]:
    """Take what is attached: a dict by name, a list each of its elements; anything else is one attachment."""
    if value is None:
        return {}
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str) or not key.strip():
                raise BadRequestError(f"{name} has the name {_shown(key)}: a name is text, as in {{'orders': orders}}.")
        return dict(value)
    parts = list(value) if _is_list_of_parts(value) else [value]
    for part in parts:
        _refuse_empty(part)
    if parts and all(isinstance(part, int | float | complex) or part is None for part in parts):
        raise BadRequestError(
            "attach is a list of plain numbers, which would be a file each: attach={'numbers': [...]} sends one file."
        )
    return {f"table_{number}": part for number, part in enumerate(parts, 1)}


def _is_list_of_parts(value: Any) -> bool:
    is_record = isinstance(value, tuple) and hasattr(value, "_fields")
    return isinstance(value, list | tuple | ValuesView | Iterator) and not is_record and not hasattr(value, "read")


def _refuse_empty(part: Any) -> None:
    if part is None or (isinstance(part, str | bytes) and not part.strip()):
        raise BadRequestError(f"attach holds {part!r}, in which there is nothing to look at.")


def refuse_name(part: Any, names: Mapping[str, Any]) -> None:
    """Refuse ``attach=["orders"]``: it would send the word, and the variable was meant."""
    if isinstance(part, str) and part.strip().isidentifier() and part.strip() in names:
        name = part.strip()
        raise BadRequestError(
            f"attach holds the text {part!r}, which is a variable's name: attach={{{name!r}: {name}}} sends its value."
        )


def _shown(value: Any) -> str:
    """Return a plain value as it is written in Python, and of anything else its type."""
    return repr(value) if isinstance(value, str | int | float) and len(repr(value)) < 80 else _kind(value)


def _kind(value: Any) -> str:
    name = type(value).__name__
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"
