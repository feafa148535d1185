"""The values of a notebook that can be attached to a question, each with its option of ``%%codevf``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from codevf_nb import attachments
from codevf_nb.attachments.attachment import is_a
from codevf_nb.attachments.names import safe
from codevf_nb.attachments.registry import is_lazy, type_of
from codevf_nb.ipython import exceptions

# At most this many tables and figures are listed, the newest first.
MOST = 12


@dataclass(frozen=True)
class AttachableValue:
    """A value that can be attached: its name, description, option, and a function that returns it when it is sent."""

    name: str
    about: str
    option: str
    get: Callable[[], Any]
    is_lazy: bool = False

    @property
    def part(self) -> str:
        """Its name in the question: the same as a magic uses, so that both ask the same question."""
        return self.name if " " in self.option else self.option


def offered(shell: Any, given: Mapping[str, Any]) -> list[AttachableValue]:
    """Return the values given by name, the notebook's tables and figures, and the last exception."""
    names = {name: value for name, value in shell.user_ns.items() if _is_public(name)}
    found = [_variable(shell, name, value) for name, value in reversed(names.items()) if name not in given]
    offers = [_given(name, value) for name, value in given.items()]
    offers += [offer for offer in found if offer is not None][:MOST]
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None and pyplot.get_fignums():
        offers.append(AttachableValue("figure", "the open figure", "--figure", attachments.figure_of))
    error = exceptions.last()
    if error is not None:
        about = f"the last exception, {type(error).__name__}"
        offers.append(
            AttachableValue("traceback", about, "--traceback", lambda: attachments.traceback_text(error, shell))
        )
    return offers


def cells(shell: Any, count: int) -> dict[str, Any]:
    """Return the last cells as attachments by name; an empty dict for a count of 0."""
    return {f"--context {count}": attachments.context_of(shell, count)} if count else {}


def schemas(shell: Any) -> list[str]:
    """Return the names of variables that may be a schema: the user's classes, and JSON Schemas."""
    return [name for name, value in shell.user_ns.items() if _is_public(name) and _is_schema(value)]


def uploaded(upload: Any, folder: Path) -> list[Path]:
    """Write uploaded files into a folder, empty the control, and return the paths.

    The content of a control would be saved with the notebook, and sent to every page that opens it.
    """
    value = upload.value
    if isinstance(value, dict):  # ipywidgets 7 has a dict by file name, 8 a tuple of dicts
        value = [{"name": name, **part} for name, part in value.items()]
    paths = []
    for part in value:
        path = folder / safe(part["name"])
        path.write_bytes(bytes(part["content"]))
        paths.append(path)
    if isinstance(upload.value, dict):
        upload.data, upload.metadata = [], []
        upload.set_trait("value", {})
    else:
        upload.value = ()
    return paths


def _variable(shell: Any, name: str, value: Any) -> AttachableValue | None:
    row = type_of(value)
    if (row is not None and row.offered) or is_a(value, "matplotlib", "Figure"):
        return AttachableValue(name, _about(value), f"--attach {name}", lambda: shell.user_ns[name], is_lazy(value))
    return None


def _given(name: str, value: Any) -> AttachableValue:
    return AttachableValue(name, _about(value), f"--attach {name}", lambda: value, is_lazy(value))


def _is_schema(value: Any) -> bool:
    own = isinstance(value, type) and value.__module__ == "__main__"
    return own or (isinstance(value, dict) and "type" in value)


def _about(value: Any) -> str:
    if is_lazy(value):  # its shape may need a query, so it isn't read
        return f"{type(value).__name__}, rows are drawn when it is sent"
    shape = getattr(value, "shape", None)
    if not isinstance(shape, tuple):
        return type(value).__name__
    columns = f" × {shape[1]:,} columns" if len(shape) == 2 else ""
    return f"{type(value).__name__}, {shape[0]:,} rows{columns}"


def _is_public(name: str) -> bool:
    return name.isidentifier() and not name.startswith("_")
