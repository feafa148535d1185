"""What a user said when asking: one record that the magic, the picker and ``ask`` fill in, and nothing resolved in it.

``None`` means "not given": what it resolves to (the cheapest tag, the least credits, the folder's name) is decided
later, and is no part of the question's identity. ``AskOptions.of`` takes the arguments as people pass them in Python.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping, ValuesView
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from codevf_nb.sdk.exceptions import BadRequestError
from codevf_nb.sdk.models import ServiceMode

PROFILES = ("sample", "full")


@dataclass(frozen=True)
class Defaults:
    """What an option that was not given resolves to first: the notebook's own configuration (``%config CodeVF``)."""

    mode: str | None = None
    tag: str | int | None = None
    max_credits: int | None = None
    project: str | None = None

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Defaults:
        """Make defaults of configured values, in which 0 and "" mean "not configured"."""
        return cls(**{name: value or None for name, value in values.items()})


@dataclass(frozen=True)
class AskOptions:
    """The options of one question, as they were given.

    Args:
        prompt: The question, 10 to 10,000 characters.
        code: The cell's code, sent as ``cell.py``.
        attach: What to attach, by name.
        unnamed: Whether the names of ``attach`` are numbers that nobody chose: then contents are part of the question.
        files: Paths of files to attach.
        contents_count: Whether the files' contents are part of the question.
        exception: The type and the failing line of the exception that is asked about.
        again: The number of the asking, from 1.
        max_bytes: The most bytes that one file made here may take.
        redact: Columns to mask.
        profile: "full" where an engine may count all rows of a lazy table for the profile.
    """

    prompt: str | None = None
    code: str | None = None
    attach: Mapping[str, Any] = field(default_factory=dict)
    unnamed: bool = False
    files: tuple[str | Path, ...] = ()
    contents_count: bool = False
    mode: str | None = None
    tag: str | int | None = None
    max_credits: int | None = None
    project: str | None = None
    schema: Any = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    exception: str | None = None
    again: int = 1
    max_bytes: int | None = None
    redact: tuple[Any, ...] = ()
    profile: str | None = None
    allow_secrets: bool = False
    allow_personal: bool = False

    @classmethod
    def of(cls, arguments: Mapping[str, Any], names: Mapping[str, Any]) -> AskOptions:
        """Read the arguments of ``codevf_nb.ask``; ``names`` are the variables of the notebook.

        Raises:
            BadRequestError: an argument is of a type that can't be meant; the message names it.
        """
        given = {name: _READERS[name](name, value) for name, value in arguments.items() if name not in ("attach",)}
        attach, unnamed = _attachments(arguments.get("attach"), names)
        options = cls(**given, attach=attach, unnamed=unnamed, contents_count=True)
        if not (options.prompt or options.code):
            raise BadRequestError("there is no prompt and no code, so there is nothing to ask.")
        return options


def _text(name: str, value: Any) -> str | None:
    if value is not None and not isinstance(value, str):
        raise BadRequestError(f"{name} is {_kind(value)}: it must be text.")
    return value if value and value.strip() else None


def _code(name: str, value: Any) -> str | None:
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
    return _text(name, value)


def _files(name: str, value: Any) -> tuple[str | Path, ...]:
    """Take one path, or several."""
    paths = [] if value is None else [value] if isinstance(value, str | Path) else _listed(name, value)
    for path in paths:
        if not isinstance(path, str | Path):
            raise BadRequestError(f"{name} holds {_kind(path)}: it takes paths; attach= takes values.")
    return tuple(paths)


def _columns(name: str, value: Any) -> tuple[Any, ...]:
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


def _mode(name: str, value: Any) -> str | None:
    return None if value is None or (isinstance(value, str) and not value) else ServiceMode.of(_required(name, value))


def _required(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise BadRequestError(f"{name} is {_shown(value)}: it is one of {', '.join(ServiceMode)}.")
    return value


def _profile(name: str, value: Any) -> str | None:
    if value is not None and not (isinstance(value, str) and value in PROFILES):
        raise BadRequestError(f"{name} is {_shown(value)}: it is one of {', '.join(PROFILES)}.")
    return value


def _tag(name: str, value: Any) -> str | int | None:
    return value if value is None or isinstance(value, str) else _whole(name, value)


def _whole(name: str, value: Any) -> int | None:
    """Take a whole number of any library; True is none, and text is none."""
    if value is None:
        return None
    try:
        if isinstance(value, bool):
            raise TypeError
        return operator.index(value)
    except TypeError:
        raise BadRequestError(f"{name} is {_shown(value)}: it must be a whole number.") from None


def _counted(name: str, value: Any) -> int:
    return 1 if value is None else int(_whole(name, value) or 0)


def _metadata(name: str, value: Any) -> Mapping[str, Any]:
    if value is not None and not isinstance(value, Mapping):
        raise BadRequestError(f"{name} is {_kind(value)}: it takes a dict of names and values.")
    return value or {}


def _as_given(_name: str, value: Any) -> Any:
    return value


def _flag(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise BadRequestError(f"{name} is {_shown(value)}: it must be True or False.")
    return value


# How each argument of `ask` is read. An argument without a row is an error.
_READERS: dict[str, Callable[[str, Any], Any]] = {
    "prompt": _text,
    "code": _code,
    "files": _files,
    "mode": _mode,
    "tag": _tag,
    "max_credits": _whole,
    "project": _text,
    "schema": _as_given,
    "metadata": _metadata,
    "again": _counted,
    "max_bytes": _whole,
    "redact": _columns,
    "profile": _profile,
    "allow_secrets": _flag,
    "allow_personal": _flag,
}


def _attachments(value: Any, names: Mapping[str, Any]) -> tuple[dict[str, Any], bool]:
    """Return what is attached by name, and whether the names are only numbers.

    A dict attaches its values by name, a list each of its elements; anything else is one attachment.
    """
    if value is None:
        return {}, False
    if isinstance(value, Mapping):
        for name in value:
            if not isinstance(name, str) or not name.strip():
                raise BadRequestError(
                    f"attach has the name {_shown(name)}: a name is text, as in {{'orders': orders}}."
                )
        return dict(value), False
    parts = list(value) if _is_list_of_parts(value) else [value]
    for part in parts:
        _refuse_empty(part)
        _refuse_name(part, names)
    if parts and all(isinstance(part, int | float | complex) or part is None for part in parts):
        raise BadRequestError(
            "attach is a list of plain numbers, which would be a file each: attach={'numbers': [...]} sends one file."
        )
    return {f"table_{number}": part for number, part in enumerate(parts, 1)}, True


def _is_list_of_parts(value: Any) -> bool:
    is_record = isinstance(value, tuple) and hasattr(value, "_fields")
    return isinstance(value, list | tuple | ValuesView | Iterator) and not is_record and not hasattr(value, "read")


def _refuse_empty(part: Any) -> None:
    if part is None or (isinstance(part, str | bytes) and not part.strip()):
        raise BadRequestError(f"attach holds {part!r}, in which there is nothing to look at.")


def _refuse_name(part: Any, names: Mapping[str, Any]) -> None:
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
