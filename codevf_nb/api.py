"""The public functions, also offered as ``codevf_nb.ask`` and so on. Each imports what it needs when it is called.

Importing this module loads neither pandas, requests, SQLAlchemy nor ipywidgets.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import FrameType

    import pandas as pd

    from codevf_nb.analysis.filters import Moment, Names
    from codevf_nb.task import Task
    from codevf_nb.widgets.view_registry import LazyView


def ask(
    prompt: str | None = None,
    code: str | Path | Callable[..., Any] | None = None,
    attach: Any = (),
    files: str | Path | Sequence[str | Path] = (),
    mode: str | None = None,
    tag: str | int | None = None,
    max_credits: int | None = None,
    project: str | None = None,
    schema: Any = None,
    metadata: Mapping[str, Any] | None = None,
    again: int = 1,
    *,
    max_bytes: int | None = None,
    redact: str | Sequence[object] = (),
    allow_secrets: bool = False,
    allow_personal: bool = False,
    profile: str | None = None,
) -> Task:
    """Ask an engineer, and return the task at once. The same question asked before costs nothing and is not sent.

    Args:
        prompt: The question, 10 to 10,000 characters. Without one, the code is reviewed.
        code: Code as text, a file (``Path``) that holds it, or a function or class.
        attach: One table, array, figure, text, path or function; or a list of them; or a dict of them by name. Named
            values may change without making another question; the contents of values without a name are part of it.
        files: One path, or a list of them. Their contents are part of the question.
        mode: ``realtime_answer``, ``fast`` or ``standard``.
        tag: Expertise, by name or number; the cheapest active one if not given.
        max_credits: Credits that this may use, before the multipliers of mode and tag.
        project: A project's name; the notebook's folder if not given.
        schema: A JSON Schema, dataclass or model: asks for data, which AI generates.
        metadata: Names and values that go along.
        again: The Nth asking of the same question.
        max_bytes: The most bytes that one file made here may take; a larger table is sampled.
        redact: One column to mask, or a list of them.
        allow_secrets: Send although something looks like a key, a token or a password.
        allow_personal: Send although something looks like data about people.
        profile: "full" lets the engine of a lazy table count all its rows for the profile.

    Raises:
        CodeVFError: A rule is broken (nothing was sent), the service refused, or the outcome is unknown.
    """
    arguments = dict(locals())  # the parameters alone: nothing else is a local variable yet
    from codevf_nb import kernel
    from codevf_nb.delivery import before_sending
    from codevf_nb.questions import defaults
    from codevf_nb.questions.options import AskOptions, Defaults

    with before_sending():
        options = AskOptions.of(arguments, _names_of(inspect.currentframe()))
    current = kernel.current()
    return current.ask(current.draft_of(options, Defaults.of(defaults.values_of(_shell()))))


def tasks(
    *,
    project: Names = None,
    since: Moment = None,
    until: Moment = None,
    status: Names = None,
    mode: Names = None,
    mine: bool = False,
    refresh: bool = False,
    account: str = "current",
) -> pd.DataFrame:
    """Return every question asked, one row each, from the ledger; ``account="all"`` for those of every account.

    ``project``, ``status`` and ``mode`` take one word or several. ``since`` and ``until`` (not itself included) take a
    day or a time; without a time zone it is UTC. ``mine``: only what this user asked. ``refresh``: the service is
    asked first about what is open.
    """
    from codevf_nb import analysis

    store, name = _ledger(account, refresh=refresh)
    return analysis.tasks(store, analysis.Filters(name, project, mode, status, _user(mine=mine), since, until))


def credits(*, since: Moment = None, refresh: bool = False, account: str = "current") -> pd.DataFrame:
    """Return the account book: holds (−), charges (−), releases (+) and balances, with what is available after each.

    The running sum of ``credits`` is ``available``, per account. ``since`` leaves out earlier rows, not their credits.
    """
    from codevf_nb import analysis

    return analysis.credits(*_ledger(account, refresh=refresh), since)


def spend(
    by: str | Sequence[str] = ("mode",),
    freq: str | None = None,
    *,
    project: Names = None,
    since: Moment = None,
    until: Moment = None,
    status: Names = None,
    mode: Names = None,
    mine: bool = False,
    refresh: bool = False,
    account: str = "current",
) -> pd.DataFrame:
    """Return questions, credits and time to answer, by mode, tag, project, status, environment, account or asked_by.

    ``freq`` (h, D, W, M, Q or Y) adds a row per period, empty ones too. The filters are those of ``tasks``.
    """
    from codevf_nb import analysis

    store, name = _ledger(account, refresh=refresh)
    where = analysis.Filters(name, project, mode, status, _user(mine=mine), since, until)
    return analysis.spend(store, where, by, freq)


def forecast(*, weeks: int = 12, at: Moment = None, refresh: bool = False, account: str = "current") -> pd.DataFrame:
    """Return until when what is available lasts, and each budget, at the pace of the last weeks, with a range.

    ``at`` is the moment to look ahead from, now unless said. The range comes from those weeks.
    """
    from codevf_nb import analysis, kernel

    store, name = _ledger(account, refresh=refresh)
    now = kernel.current().ledger.clock() if at is None else analysis.moment(at, "at").timestamp()
    return analysis.forecast(store, name, now, weeks)


def balance(*, refresh: bool = False, account: str = "current") -> pd.DataFrame:
    """Return the newest balance seen, in credits; ``refresh`` asks the service first."""
    from codevf_nb import analysis, kernel

    if refresh:
        kernel.current().balance(refresh=True)
    return analysis.balance(*_ledger(account, refresh=False))


def tags(*, refresh: bool = False) -> pd.DataFrame:
    """Return the expertise tags with their cost multipliers, as last listed; ``refresh`` asks the service first."""
    from codevf_nb import analysis, kernel

    current = kernel.current()
    if refresh:
        current.tags(refresh=True)
    return analysis.tags(current.ledger.store, current.account.name)


def answers(tasks: pd.DataFrame | Iterable[Task | str]) -> pd.DataFrame:
    """Return the structured answers of many tasks below each other, with the id of its task in each row.

    ``tasks``: a frame from ``tasks()``, task objects, or ids. Answers that are text, or aren't there yet, have no rows.
    """
    from codevf_nb import analysis, kernel

    current = kernel.current()
    return analysis.answers(current.ledger.store, analysis.names(tasks, current.account.name))


def picker(
    prompt: str | None = None,
    *,
    attach: Mapping[str, Any] | Sequence[str] = (),
    files: Sequence[str | Path] = (),
    mode: str | None = None,
    tag: str | int | None = None,
    max_credits: int | None = None,
    project: str | None = None,
    schema: str | None = None,
    context: int = 0,
    figure: bool = False,
    traceback: bool = False,
    profile: str | None = None,
) -> LazyView:
    """Return a form that asks, its price beside it; what is given here is filled in. The cell shows it.

    ``attach``: names of the notebook's variables, or values by name. ``schema`` is a variable's name, ``context``
    how many of the last cells go along.
    """
    preset = dict(locals())  # the parameters alone: nothing else is a local variable yet
    from IPython.core.getipython import get_ipython

    from codevf_nb import kernel, widgets
    from codevf_nb.questions import defaults
    from codevf_nb.questions.options import Defaults

    shell = get_ipython()
    configured = defaults.values_of(shell)
    preset |= {name: preset[name] or value or None for name, value in configured.items()}
    return widgets.open_picker(kernel.current(), shell, preset | {"defaults": Defaults.of(configured)})


def inbox() -> LazyView:
    """Return what was asked, a page at a time, with unread answers marked. The cell shows it."""
    from codevf_nb import kernel, widgets

    return widgets.open_inbox(kernel.current())


def dashboard() -> LazyView:
    """Return what is left, and what was spent on what. The cell shows it."""
    from codevf_nb import kernel, widgets

    return widgets.open_dashboard(kernel.current())


def use_sandbox(**options: Any) -> None:
    """Talk to a sandbox of your own from now on in this kernel: no key, no cost, and no person who answers."""
    from codevf_nb import kernel

    kernel.use_sandbox(**options)


def _ledger(account: str, *, refresh: bool) -> tuple[Any, str | None]:
    from codevf_nb import kernel

    current = kernel.current()
    if refresh:
        for entry in current.ledger.questions.open():
            current.refresh(entry)
        current.balance(refresh=True)
    name = {"current": current.account.name, "all": None}.get(account, account)
    return current.ledger.store, name


def _names_of(function: FrameType | None) -> Mapping[str, Any]:
    """Return the variables of the code that called a function."""
    caller = None if function is None else function.f_back
    return {} if caller is None else {**caller.f_globals, **caller.f_locals}


def _shell() -> Any:
    """Return the running IPython shell; None outside of one."""
    loaded = sys.modules.get("IPython.core.getipython")
    return None if loaded is None else loaded.get_ipython()


def _user(*, mine: bool) -> str | None:
    from codevf_nb.accounts import settings

    return settings.user() if mine else None
