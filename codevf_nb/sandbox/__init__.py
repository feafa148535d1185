"""A CodeVF API of one's own: an emulator to develop and test against, which shares no code with the client.

`with Sandbox() as box:` in tests, `python -m codevf_nb.sandbox` by hand, `process.start(home)` for notebooks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from codevf_nb.sandbox._command import add_arguments, run
    from codevf_nb.sandbox._errors import SandboxError
    from codevf_nb.sandbox._in_process import Sandbox

__all__ = ["Sandbox", "SandboxError", "add_arguments", "run"]

_PLACES = {"Sandbox": "_in_process", "SandboxError": "_errors", "add_arguments": "_command", "run": "_command"}


def __getattr__(name: str) -> Any:
    # Lazily: who only starts a sandbox process needs no tornado of its own.
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
