"""The kernel's session: the one that whoever names none means.

Which account it is on is settled once (see ``settings``) and changes only when somebody says so in this kernel.
"""

from __future__ import annotations

import atexit
import contextlib
import copyreg
import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from codevf_nb.accounts import settings
from codevf_nb.accounts.settings import Account
from codevf_nb.ledger import (
    Digests,
    Entry,
    LedgerError,
    MemoryStore,
    Store,
    ledger_file,
    sqlite_url,
)
from codevf_nb.ledger.migrations import NewerLedgerError
from codevf_nb.sdk.exceptions import CodeVFError, ConfigurationError
from codevf_nb.sdk.secret import Secret
from codevf_nb.session import Session
from codevf_nb.task import Task

# What opening the ledger may end in: each leaves a kernel able to read answers.
_UNOPENED = (LedgerError, NewerLedgerError, OSError)

# Where an account came from that `%codevf sandbox` chose.
SANDBOX_SOURCE = "%codevf sandbox"


@dataclass
class _State:
    """What a kernel has: its session, the one that asks without a ledger, and the account somebody has chosen.

    ``left`` are sessions on other accounts that still watch for answers. ``told_children``: the environment says to
    ask in the sandbox, and this kernel has put that there.
    """

    current: Session | None = None
    unkept: Session | None = None
    chosen: Account | None = None
    left: list[Session] = field(default_factory=list)
    told_children: bool = False


_state = _State()


def current() -> Session:
    """Return this kernel's session, opening it on first use.

    Raises:
        AuthenticationError: no key, and no sandbox asked for.
    """
    if _state.current is None:
        if _state.chosen is not None and _state.chosen.source != SANDBOX_SOURCE:
            return use(_state.chosen)
        if _state.chosen is not None or os.environ.get("CODEVF_SANDBOX") == "1":
            return use_sandbox()
        return use(settings.account_from_key())
    if _state.current.unsafe:  # it may have been mended since
        with contextlib.suppress(*_UNOPENED):
            return _enter(Session(_state.current.account, _open_store()))
    return _state.current


def opened() -> Session | None:
    """Return this kernel's session if there is one already."""
    return _state.current


def is_on_sandbox() -> bool:
    """Whether this kernel talks to a sandbox that was asked for in it: only a person takes it away from there."""
    account = _state.chosen if _state.current is None else _state.current.account
    return account is not None and account.source == SANDBOX_SOURCE


def without_ledger() -> Session:
    """Return a session that asks although the ledger fails: what it asks is remembered by this kernel alone."""
    base = current()
    if _state.unkept is None or _state.unkept.account != base.account:
        store = base.ledger.store if base.unsafe else _memory()
        _state.unkept = Session(base.account, store)
    return _state.unkept


def use_sandbox(*, fresh: bool = False, **options: Any) -> Session:
    """Talk to a sandbox of this home's own from now on: found if it runs, else started as a process of its own."""
    from codevf_nb.sandbox import SandboxError, process

    try:
        running = process.start(settings.home(), fresh=fresh, **options)
    except SandboxError as error:
        raise ConfigurationError(str(error)) from None
    name = "sandbox" if running.generation == 1 else f"sandbox-{running.generation}"
    now = _state.current
    if now is not None and (now.account.name, now.account.base_url) == (name, running.base_url):
        return now
    return use(
        Account(
            name=name,
            environment="sandbox",
            base_url=running.base_url,
            api_key=Secret(running.key()),
            source=SANDBOX_SOURCE,
            origin=name,
            requests_per_second=running.options.get("rate_limit"),
            polls_move_time=running.options.get("clock") == "virtual",
            gone=partial(process.gone, settings.home(), running.generation),
        )
    )


def forget() -> None:
    """Close this kernel's session, and with it the choice of an account: the next use makes it anew."""
    rest()
    _state.chosen = None
    _tell_children(is_sandbox=False)


def rest() -> None:
    """Close this kernel's session and remember its account: after a reload a kernel is where it was."""
    _state.chosen = _state.chosen if _state.current is None else _state.current.account
    for session in (_state.current, _state.unkept, *_state.left):
        if session is not None:
            session.close()
    _state.current = _state.unkept = None
    _state.left = []


def use(account: Account) -> Session:
    """Make this the account that the kernel talks to."""
    try:
        session = _enter(Session(account, _open_store()))
        _report_open_elsewhere(session)
    except _UNOPENED as error:
        unsafe = str(error).rstrip(".")
    else:
        return session
    memory = _memory()
    session = _enter(Session(account, memory, unsafe))
    answers = "Its answers can be read, but" if memory.copied else "Its answers can't be read, and"
    # At last: where warnings are errors, the session is there all the same.
    warnings.warn(f"codevf: {unsafe}. {answers} nothing can be asked.", stacklevel=2)
    return session


def _report_open_elsewhere(session: Session) -> None:
    """Say once what is open under an earlier key: nothing polls for it before somebody says that it is this account."""
    for name, count in session.open_elsewhere().items():
        questions = "1 question that you asked is" if count == 1 else f"{count:,} questions that you asked are"
        warnings.warn(
            f"codevf: {questions} still open under another key (account {name}). If this key is a new one of the same "
            f"account, %codevf account same {name} brings everything of that account here.",
            stacklevel=3,
        )


def _enter(session: Session) -> Session:
    before = [*_state.left, *filter(None, [_state.current])]
    _state.current = session
    _tell_children(is_sandbox=session.account.source == SANDBOX_SOURCE)
    _state.left = [other for other in before if _goes_on(other, session)]
    for other in before:
        if other not in _state.left:
            _leave(other)
    atexit.unregister(rest)  # once; a kernel that ends lets another one poll at once
    atexit.register(rest)
    session.watcher.wake()
    session.prefetch()
    return session


def _tell_children(*, is_sandbox: bool) -> None:
    """Have processes that this one starts (spawned workers) ask in the sandbox too, and not with a key they find."""
    if is_sandbox and "CODEVF_SANDBOX" not in os.environ:
        os.environ["CODEVF_SANDBOX"] = "1"
        _state.told_children = True
    elif not is_sandbox and _state.told_children:
        os.environ.pop("CODEVF_SANDBOX", None)
        _state.told_children = False


def _goes_on(session: Session, new: Session) -> bool:
    """Whether a replaced session keeps watching; on the account of the new one, the new one watches instead."""
    return session.account.name != new.account.name and session.watcher.is_watching


def _leave(session: Session) -> None:
    """Close a session that another one has replaced.

    The one that asks without a ledger may have its answers in the same memory.
    """
    if _state.unkept is not None and _state.unkept.ledger.store is session.ledger.store:
        session.watcher.stop()
    else:
        session.close()


def _open_store() -> Store:
    url = os.environ.get("CODEVF_LEDGER") or sqlite_url(settings.home() / "ledger.sqlite")
    return Store(url, digests=_digests())


def _memory() -> MemoryStore:
    digests = None
    with contextlib.suppress(OSError):
        digests = _digests()
    return MemoryStore(copy_of=_ledger_file(), digests=digests)


def _digests() -> Digests:
    return Digests(settings.secret())


def _ledger_file() -> Path | None:
    """Return where the ledger's file lies, for what can be read of it; None for one on a server."""
    try:
        return ledger_file(os.environ.get("CODEVF_LEDGER") or sqlite_url(settings.home() / "ledger.sqlite"))
    except _UNOPENED:
        return None


def _reduce(task: Task) -> tuple[Callable[..., Task], tuple[str, int, str]]:
    entry = task.entry
    return load_task, (entry.account, entry.id, entry.identity)


def load_task(account: str, question_id: int, identity: str) -> Task:
    """Return a pickled task, in the session of this process that is on its account; no key is in a pickle.

    One that isn't found is looked for again when it is used, and only then says why: where loading an answer fails,
    ``multiprocessing.Pool`` loses the thread that loads them, and whoever waits for the pool waits for ever.
    """
    find = partial(_find, account, question_id, identity)
    try:
        return Task(*find())
    except CodeVFError:
        return Task.to_be_found(find)


def _find(account: str, question_id: int, identity: str) -> tuple[Session, Entry]:
    """Return a question and the session of this process that is on its account.

    Raises:
        ConfigurationError: this process is on another account, or its ledger doesn't have the question.
    """
    open_now = filter(None, [_state.current, _state.unkept, *_state.left])
    session = next((one for one in open_now if account in one.ledger.accounts.names()), None) or current()
    if account not in session.ledger.accounts.names():
        raise ConfigurationError(
            f"this task was asked on account {account}, and this process is on {session.account.name}: "
            "give it the same key (CODEVF_API_KEY) or sandbox (CODEVF_SANDBOX=1), then load the task again."
        )
    with contextlib.suppress(KeyError):
        entry = session.ledger.questions.get(question_id)
        if entry.identity == identity:
            return session, entry
    raise ConfigurationError(f"question {question_id} is not in this process's ledger ({session.ledger.store.place}).")


copyreg.pickle(Task, _reduce)
