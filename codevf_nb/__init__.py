"""A human engineer one notebook cell away: the CodeVF notebook client.

``%load_ext codevf_nb`` brings ``%%codevf`` and ``%codevf``; the functions here do the same from Python. Importing this
loads neither pandas, requests, SQLAlchemy nor ipywidgets: each is loaded by the first call that needs it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from codevf_nb.task import Task

__version__ = "0.1.0"

__all__ = [
    "__version__",
    "ask",
    "balance",
    "credits",
    "load_ipython_extension",
    "spend",
    "tags",
    "tasks",
    "unload_ipython_extension",
    "use_sandbox",
]


def ask(
    prompt: str,
    code: str | None = None,
    attach: Mapping[str, Any] | Sequence[Any] = (),
    files: Sequence[str | Path] = (),
    mode: str | None = None,
    tag: str | int | None = None,
    max_credits: int | None = None,
    project: str | None = None,
    schema: Any = None,
    metadata: Mapping[str, Any] | None = None,
    again: int = 1,
) -> Task:
    """Ask an engineer, and return the task at once. The same question asked before costs nothing and is not sent.

    ``attach``: DataFrames by name, or a sequence of DataFrames. ``max_credits`` is before the multipliers of mode and
    tag. ``again``: the Nth asking of the same question.

    Raises:
        CodeVFError: a rule is broken (nothing was sent), the service refused, or nobody heard what became of it.
    """
    from codevf_nb import session

    current = session.current()
    named = attach if isinstance(attach, Mapping) else {f"table_{i}": part for i, part in enumerate(attach, 1)}
    draft = current.draft(prompt, code, named, files, mode, tag, max_credits, project, schema, metadata, again)
    return current.ask(draft)


def tasks(*, refresh: bool = False, account: str = "current") -> pd.DataFrame:
    """Return every question asked, one row each, from the ledger; ``account="all"`` for those of every account."""
    from codevf_nb import frames

    return frames.tasks(*_ledger(account, refresh=refresh))


def credits(*, refresh: bool = False, account: str = "current") -> pd.DataFrame:
    """Return the account book: holds (−), charges (−), releases (+) and balances, with what is available after each."""
    from codevf_nb import frames

    return frames.credits(*_ledger(account, refresh=refresh))


def spend(by: str | Sequence[str] = ("mode",), *, refresh: bool = False, account: str = "current") -> pd.DataFrame:
    """Return questions, credits and time to answer, by mode, tag, project, status, environment, account or asked_by."""
    from codevf_nb import frames

    return frames.spend(frames.tasks(*_ledger(account, refresh=refresh)), by=by)


def balance(*, refresh: bool = False, account: str = "current") -> pd.DataFrame:
    """Return the newest balance seen, in credits; ``refresh`` asks the service first."""
    from codevf_nb import frames, session

    if refresh:
        session.current().balance(refresh=True)
    return frames.balance(*_ledger(account, refresh=False))


def tags(*, refresh: bool = False) -> pd.DataFrame:
    """Return the expertise tags with their cost multipliers."""
    from codevf_nb import frames, session

    session.current().tags(refresh=refresh)
    return frames.tags(*_ledger("current", refresh=False))


def use_sandbox(**options: Any) -> None:
    """Talk to a sandbox of your own from now on in this kernel: no key, no cost, and no person who answers."""
    from codevf_nb import session

    session.use_sandbox(**options)


def _ledger(account: str, *, refresh: bool) -> tuple[Any, str | None]:
    from codevf_nb import session

    current = session.current()
    if refresh:
        for entry in current.ledger.questions.open():
            current.refresh(entry)
        current.balance(refresh=True)
    name = {"current": current.account.name, "all": None}.get(account, account)
    return current.ledger.store, name


def load_ipython_extension(ipython: Any) -> None:
    """Bring ``%%codevf`` and ``%codevf`` into a shell; loading it again leaves one of everything."""
    from codevf_nb.magics import CodeVFMagics

    unload_ipython_extension(ipython)
    magics = CodeVFMagics(ipython)
    ipython.register_magics(magics)


def unload_ipython_extension(ipython: Any) -> None:
    """Take everything out of the shell again."""
    registry = ipython.magics_manager.registry
    loaded = registry.pop("CodeVFMagics", None)
    if loaded is not None:
        loaded.unload()
