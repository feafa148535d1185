"""Messages for values that can't be attached: the value, its type, and an expression that works instead."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from codevf_nb.attachments.attachment import AttachmentError
from codevf_nb.attachments.registry import is_lazy, libraries, type_of
from codevf_nb.sdk.exceptions import CodeVFError

_LONGEST = 300  # characters of a library's own message


def conversion_for(name: str, value: Any) -> str | None:
    """Return the expression to attach instead of a value, or None if none is known."""
    row = type_of(value)
    return row.conversion.format(name) if row is not None and row.conversion else None


def type_name(value: Any) -> str:
    """Return the type of a value with its library: ``dask DataFrame``, ``object``."""
    kind = type(value)
    library = kind.__module__.partition(".")[0].lstrip("_")
    return kind.__name__ if library in {"builtins", "__main__"} else f"{library} {kind.__name__}"


def refuse_unsupported(name: str, value: Any) -> None:
    """Refuse a value of a library whose values must be converted first.

    Raises:
        AttachmentError: The value must be converted; the message has the expression to attach instead.
    """
    conversion = conversion_for(name, value)
    if conversion is not None:
        lazy = " is lazy and has no rows yet" if is_lazy(value) else f" is a {type_name(value)}"
        raise AttachmentError(f"{name}{lazy}: attach {conversion}.")


def unsupported(name: str, value: Any) -> AttachmentError:
    """Return the error for a value of an unsupported type."""
    read, engines = libraries()
    return AttachmentError(
        f"{name} is a {type_name(value)}, which can't be attached. Supported are DataFrames and Series ({read}), "
        f"lazy tables (polars, {engines}), numpy arrays, dicts and lists, text, bytes, paths, figures and images, "
        "functions, classes and modules of your own."
    )


@contextmanager
def guarded(name: str, what: str, otherwise: str = "") -> Iterator[None]:
    """Convert any error of a value's library to one line that names the value and its type."""
    try:
        yield
    except CodeVFError:
        raise
    except Exception as error:
        why = " ".join(f"{type(error).__name__}: {error}".split())
        why = why if len(why) <= _LONGEST else f"{why[: _LONGEST - 1]}…"
        raise AttachmentError(
            f"{name} ({what}) can't be written: {why.rstrip('.')}. "
            f"{otherwise or f'Attach a part of it, or repr({name})'}."
        ) from error
