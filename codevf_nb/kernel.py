"""The session that a kernel uses where none is named.

Its account is chosen once (see ``accounts.settings``), and changes only when the user chooses another one in this
kernel.
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

# The errors of opening a ledger; after each of them a kernel can still read answers.
_OPEN_ERRORS = (LedgerError, NewerLedgerError, OSError)

# The source of an account that `%codevf sandbox` has chosen.
SANDBOX_SOURCE = "%codevf sandbox"


@dataclass
class _State:
    """The sessions of a kernel.

    Attributes:
        current: The session in use.
        without_ledger: The session that asks without a ledger.
        chosen: The account that the user has chosen in this kernel.
        watching: Sessions on other accounts that still watch for answers.
        has_set_environment: Whether this kernel has set ``CODEVF_SANDBOX`` for the processes that it starts.
    """

    current: Session | None = None
    without_ledger: Session | None = None
    chosen: Account | None = None
    watching: list[Session] = field(default_factory=list)
    has_set_environment: bool = False


_state = _State()


def current() -> Session:
    """Return this kernel's session; open it on first use.

    Raises:
        AuthenticationError: there is no key, and no sandbox was chosen.
    """
    if _state.current is None:
        if _state.chosen is not None and _state.chosen.source != SANDBOX_SOURCE:
            return use(_state.chosen)
        if _state.chosen is not None or os.environ.get("CODEVF_SANDBOX") == "1":
            return use_sandbox()
        return use(settings.account_from_key())
    if _state.current.unsafe:  # the ledger may be readable now
        with contextlib.suppress(*_OPEN_ERRORS):
            return _enter(Session(_state.current.account, _open_store()))
    return _state.current


def open_session() -> Session | None:
    """Return this kernel's session if it is open already."""
    return _state.current


def is_on_sandbox() -> bool:
    """Whether this kernel uses a sandbox that was chosen in it; only the user changes that."""
    account = _state.chosen if _state.current is None else _state.current.account
    return account is not None and account.source == SANDBOX_SOURCE


def without_ledger() -> Session:
    """Return a session that asks although the ledger fails; only this kernel remembers its questions."""
    base = current()
    if _state.without_ledger is None or _state.without_ledger.account != base.account:
        store = base.ledger.store if base.unsafe else _memory()
        _state.without_ledger = Session(base.account, store)
    return _state.without_ledger


def use_sandbox(*, fresh: bool = False, **options: Any) -> Session:
    """Use the sandbox of this home folder from now on; start it as a process of its own if it does not run.

    Args:
        fresh: Start a new sandbox, without the tasks of the previous one.
        **options: The options of the sandbox; see ``%codevf sandbox``.

    Raises:
        ConfigurationError: the sandbox could not be started.
    """
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
    """Close this kernel's session and forget the chosen account; the next use chooses one again."""
    close_sessions()
    _state.chosen = None
    _set_child_environment(is_sandbox=False)


def close_sessions() -> None:
    """Close this kernel's sessions and keep the chosen account, which is used again after a reload."""
    _state.chosen = _state.chosen if _state.current is None else _state.current.account
    for session in (_state.current, _state.without_ledger, *_state.watching):
        if session is not None:
            session.close()
    _state.current = _state.without_ledger = None
    _state.watching = []


def use(account: Account) -> Session:
    """Use an account in this kernel; without a readable ledger, answers can be read and nothing can be asked."""
    try:
        session = _enter(Session(account, _open_store()))
        _report_open_elsewhere(session)
    except _OPEN_ERRORS as error:
        unsafe = str(error).rstrip(".")
    else:
        return session
    memory = _memory()
    session = _enter(Session(account, memory, unsafe))
    answers = "Its answers can be read, but" if memory.copied else "Its answers can't be read, and"
    # Last: where warnings are errors, the session is open all the same.
    warnings.warn(f"codevf: {unsafe}. {answers} nothing can be asked.", stacklevel=2)
    return session


def _report_open_elsewhere(session: Session) -> None:
    """Warn once about open questions under an earlier key: nothing polls them until the user joins the accounts."""
    for name, count in session.open_elsewhere().items():
        questions = "1 question that you asked is" if count == 1 else f"{count:,} questions that you asked are"
        warnings.warn(
            f"codevf: {questions} still open under another key (account {name}). If this key is a new one of the same "
            f"account, %codevf account same {name} brings everything of that account here.",
            stacklevel=3,
        )


def _enter(session: Session) -> Session:
    before = [*_state.watching, *filter(None, [_state.current])]
    _state.current = session
    _set_child_environment(is_sandbox=session.account.source == SANDBOX_SOURCE)
    _state.watching = [other for other in before if _keeps_watching(other, session)]
    for other in before:
        if other not in _state.watching:
            _close_replaced(other)
    atexit.unregister(close_sessions)  # once; when a kernel ends, another one can poll at once
    atexit.register(close_sessions)
    session.watcher.wake()
    session.prefetch()
    return session


def _set_child_environment(*, is_sandbox: bool) -> None:
    """Set the environment so that spawned workers use the sandbox too, and not a key that they find."""
    if is_sandbox and "CODEVF_SANDBOX" not in os.environ:
        os.environ["CODEVF_SANDBOX"] = "1"
        _state.has_set_environment = True
    elif not is_sandbox and _state.has_set_environment:
        os.environ.pop("CODEVF_SANDBOX", None)
        _state.has_set_environment = False


def _keeps_watching(session: Session, new: Session) -> bool:
    """Whether a replaced session keeps watching; on the same account, the new session watches instead."""
    return session.account.name != new.account.name and session.watcher.is_watching


def _close_replaced(session: Session) -> None:
    """Close a session that another one has replaced.

    The session that asks without a ledger may use the same store in memory, so that store stays open.
    """
    if _state.without_ledger is not None and _state.without_ledger.ledger.store is session.ledger.store:
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
    """Return the path of the ledger's file, to copy what is readable; None for a ledger on a server."""
    try:
        return ledger_file(os.environ.get("CODEVF_LEDGER") or sqlite_url(settings.home() / "ledger.sqlite"))
    except _OPEN_ERRORS:
        return None


def _reduce(task: Task) -> tuple[Callable[..., Task], tuple[str, int, str]]:
    entry = task.entry
    return load_task, (entry.account, entry.id, entry.identity)


def load_task(account: str, question_id: int, identity: str) -> Task:
    """Return a pickled task, in the session of this process that is on its account; a pickle contains no key.

    A task that isn't found is searched for again when it is used, and raises the error then: if unpickling fails,
    ``multiprocessing.Pool`` loses the thread that unpickles, and a caller that waits for the pool waits for ever.
    """
    find = partial(_find, account, question_id, identity)
    try:
        return Task(*find())
    except CodeVFError:
        return Task.deferred(find)


def _find(account: str, question_id: int, identity: str) -> tuple[Session, Entry]:
    """Return a question and the session of this process that is on its account.

    Raises:
        ConfigurationError: this process is on another account, or its ledger doesn't have the question.
    """
    open_now = filter(None, [_state.current, _state.without_ledger, *_state.watching])
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
