"""Subcommands about the account a kernel talks to, and the defaults of its questions."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from codevf_nb.notebook.commands._arguments import say, split, value_of
from codevf_nb.notebook.grammar import GrammarError

if TYPE_CHECKING:
    import pandas as pd

    from codevf_nb.questions.defaults import CodeVF


def sandbox(rest: str) -> None:
    """[--fresh|--stop] [options]  talk to a sandbox of your own from now on: no key, no cost, no person"""
    from codevf_nb import kernel
    from codevf_nb.accounts import settings
    from codevf_nb.display import rendering as display
    from codevf_nb.sandbox import SandboxError, process
    from codevf_nb.widgets import live_displays

    try:
        options = _sandbox_options(rest)
    except SandboxError as error:
        raise GrammarError(str(error)) from None
    if options.pop("stop", False):
        kernel.forget()
        stopped = process.stop(settings.home())
        say("the sandbox has stopped." if stopped else "no sandbox was running.")
        return
    session = kernel.use_sandbox(**options)
    live_displays.of(session)  # what the session before has shown goes on
    account = session.account
    say(f"This kernel now talks to {account.name}, on this machine: {display.SANDBOX_NOTICE}.")


def account(rest: str) -> Any:
    """[same NAME] [--yes]  the accounts of this ledger; same NAME: that one is this account under an earlier key"""
    from codevf_nb import kernel

    words = split(rest)
    current = kernel.current()
    if not words:
        return _accounts(current)
    sure = "--yes" in words
    words = [word for word in words if word != "--yes"]
    if len(words) != 2 or words[0] != "same":
        raise GrammarError(f"%codevf account lists the accounts, %codevf account same NAME joins one; not {rest!r}.")
    moved = current.same_account(words[1], sure=sure)
    say(
        f"{words[1]} is {current.account.name} from now on: {moved:,} questions have come with it; their answers and "
        "repeats are this account's, and the open ones are asked about with this key."
    )
    return None


def _accounts(current: Any) -> pd.DataFrame:
    import pandas as pd

    rows = [
        {
            "account": known.name,
            "current": known.name == current.account.name,
            "environment": known.environment,
            "address": known.origin,
            "questions": known.questions,
            "open": known.open,
            "last_asked": pd.NaT if known.last_asked is None else pd.Timestamp(known.last_asked, unit="s", tz="UTC"),
            "earlier_names": ", ".join(known.earlier),
        }
        for known in current.accounts()
    ]
    table = pd.DataFrame(rows)
    return table.assign(last_asked=pd.to_datetime(table["last_asked"], utc=True))


def login(rest: str) -> None:
    """keep a key for later kernels, in the system's keyring or a file only you can read"""
    import getpass

    from codevf_nb import kernel
    from codevf_nb.accounts import credentials, settings
    from codevf_nb.sdk import CodeVFClient
    from codevf_nb.sdk.secret import Secret

    _no_key_here(rest)
    try:
        api_key = Secret(getpass.getpass("CodeVF API key: ").strip())
    except (NotImplementedError, EOFError, OSError):
        api_key = None
    if api_key is None:
        raise GrammarError("nobody can type a key here: set CODEVF_API_KEY before this kernel starts.")
    address = settings.base_address()
    settings.check_host(api_key, address)
    CodeVFClient(api_key, str(address), allowed_hosts=tuple(settings.allowed_hosts())).credits.get_balance()
    where = credentials.save(api_key, settings.home())
    kernel.forget()
    say(f"the key works and is kept in {where}.")


def logout(rest: str) -> None:
    """forget the kept key; a kernel that is on it has no account then, one on a sandbox stays there"""
    from codevf_nb import kernel
    from codevf_nb.accounts import credentials, settings

    _no_key_here(rest)
    found = credentials.forget(settings.home())
    if not kernel.is_on_sandbox():
        kernel.forget()
    say("the kept key is gone." if found else "no key was kept.")


def config(rest: str) -> CodeVF:
    """[--save]  the defaults of every question, as %config CodeVF.mode = "fast" sets them; --save keeps them"""
    from IPython.core.getipython import get_ipython

    from codevf_nb.accounts import settings
    from codevf_nb.questions import defaults

    if rest not in ("", "--save"):
        raise GrammarError(f"%codevf config takes --save, not {rest!r}; %config CodeVF.mode = 'fast' sets a default.")
    standing = defaults.of(get_ipython())
    if rest:
        where = settings.store(defaults={name: value for name, value in standing.values().items() if value})
        say(f"kept in {where} for later kernels.")
    return standing


def _no_key_here(rest: str) -> None:
    """Refuse what follows, and don't repeat it: it is most likely a key."""
    if rest:
        raise GrammarError(
            "nothing can follow here: %codevf login asks for the key unseen. If a key was typed, it is in this cell "
            "and in the history now: delete it there, and make a new one on codevf.com."
        )


def _sandbox_options(rest: str) -> dict[str, Any]:
    """Read the options of ``%codevf sandbox``; most are those of ``codevf-nb sandbox``."""
    from codevf_nb.sandbox.options import rate

    readers: dict[str, Callable[[str], Any]] = {
        "--seed": int,
        "--credits": float,
        "--answer-after": float,
        "--clock": str,
        "--reviewer": str,
        "--rate-limit": rate,
    }
    options: dict[str, Any] = {}
    words = iter(split(rest))
    for word in words:
        key = word.removeprefix("--").replace("-", "_")
        if word in ("--fresh", "--stop", "--slow-outside-hours"):
            options[key] = True
        elif word == "--fault":
            options.setdefault("faults", []).append(value_of(word, words))
        elif word in readers:
            options[key] = value_of(word, words, readers[word])
        else:
            raise GrammarError(f"%codevf sandbox has no option {word!r}; codevf-nb sandbox --help lists them.")
    return options
