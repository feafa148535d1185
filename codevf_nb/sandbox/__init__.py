"""A local emulator of the CodeVF API, for development and tests. It shares no code with the client.

Use `with Sandbox() as box:` in tests, `python -m codevf_nb.sandbox` in a terminal, and `process.start(home)` for
notebooks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from codevf_nb.sandbox._command import add_arguments, run
    from codevf_nb.sandbox._errors import SandboxError
    from codevf_nb.sandbox._in_process import Sandbox

__all__ = ["Sandbox", "SandboxError", "add_arguments", "run"]

_MODULE_OF = {"Sandbox": "_in_process", "SandboxError": "_errors", "add_arguments": "_command", "run": "_command"}


def __getattr__(name: str) -> object:
    # Imported lazily: a program that only starts a sandbox process does not need tornado.
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
