"""Subcommands about the account a kernel talks to, and the defaults of its questions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from codevf_nb.notebook.commands._output import say
from codevf_nb.notebook.commands._subcommand import subcommand
from codevf_nb.notebook.grammar import GrammarError
from codevf_nb.questions.options import Kind, Option

if TYPE_CHECKING:
    import pandas as pd


SANDBOX_OPTIONS = (
    Option("fresh", "start a new sandbox, without the tasks of the one before"),
    Option("stop", "stop the sandbox"),
    Option("slow_outside_hours", "answer outside of working hours as slowly as people would"),
    Option("seed", "the number from which its answers and ids are made", metavar="N", kind=Kind.INTEGER),
    Option("credits", "credits of its account", metavar="N", kind=Kind.NUMBER),
    Option("answer_after", "seconds until it answers", metavar="S", kind=Kind.NUMBER),
    Option("clock", "real or virtual", metavar="KIND", kind=Kind.TEXT),
    Option("reviewer", "auto or none", metavar="KIND", kind=Kind.TEXT),
    Option("rate_limit", "requests per second, or off", metavar="N", kind=Kind.TEXT),
    Option("fault", "a fault to make, such as create:1:lost", metavar="RULE", kind=Kind.TEXT, many=True),
)


@subcommand("", "talk to a sandbox of your own from now on: no key, no cost, no person", options=SANDBOX_OPTIONS)
def sandbox(*, stop: bool = False, **options: Any) -> None:
    """Start a sandbox with the options that were given, or stop it."""
    from codevf_nb import kernel
    from codevf_nb.accounts import settings
    from codevf_nb.display import rendering as display
    from codevf_nb.sandbox import SandboxError, process
    from codevf_nb.sandbox.options import rate
    from codevf_nb.widgets import live_displays

    try:
        if "rate_limit" in options:
            options["rate_limit"] = rate(options["rate_limit"])
    except SandboxError as error:
        raise GrammarError(str(error)) from None
    if stop:
        kernel.forget()
        stopped = process.stop(settings.home())
        say("the sandbox has stopped." if stopped else "no sandbox was running.")
        return
    if "fault" in options:
        options["faults"] = options.pop("fault")
    session = kernel.use_sandbox(**options)
    live_displays.of(session)  # what the session before has shown goes on
    account = session.account
    say(f"This kernel now talks to {account.name}, on this machine: {display.SANDBOX_NOTICE}.")


@subcommand(
    "[same NAME]",
    "the accounts of this ledger; same NAME: that one is this account under an earlier key",
    options=[Option("yes", "do it although the accounts may be two")],
)
def account(words: list[str], *, yes: bool) -> Any:
    """Return the accounts, or join one to the current one."""
    from codevf_nb import kernel

    current = kernel.current()
    if not words and not yes:
        return _accounts(current)
    if len(words) != 2 or words[0] != "same":
        said = " ".join([*words, *(["--yes"] if yes else [])])
        raise GrammarError(f"%codevf account lists the accounts, %codevf account same NAME joins one; not {said!r}.")
    moved = current.same_account(words[1], sure=yes)
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


@subcommand("", "keep a key for later kernels, in the system's keyring or a file only you can read", raw=True)
def login(rest: str) -> None:
    """Ask for a key without showing it, try it and store it."""
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
        raise GrammarError("a key can't be typed here: set CODEVF_API_KEY before this kernel starts.")
    address = settings.base_address()
    settings.check_host(api_key, address)
    CodeVFClient(api_key, str(address), allowed_hosts=tuple(settings.allowed_hosts())).credits.get_balance()
    where = credentials.save(api_key, settings.home())
    kernel.forget()
    say(f"the key works and is kept in {where}.")


@subcommand("", "delete the kept key; a kernel that uses it has no account then, one on a sandbox stays", raw=True)
def logout(rest: str) -> None:
    """Delete the stored key."""
    from codevf_nb import kernel
    from codevf_nb.accounts import credentials, settings

    _no_key_here(rest)
    found = credentials.forget(settings.home())
    if not kernel.is_on_sandbox():
        kernel.forget()
    say("the kept key is gone." if found else "no key was kept.")


@subcommand(
    "",
    'the defaults of every question, as %config CodeVF.mode = "fast" sets them',
    options=[Option("save", "keep them for later kernels")],
)
def config(*, save: bool) -> Any:
    """Return the defaults, and store them if wanted."""
    from IPython.core.getipython import get_ipython

    from codevf_nb.accounts import settings
    from codevf_nb.questions import defaults

    current = defaults.of(get_ipython())
    if save:
        where = settings.store(defaults={name: value for name, value in current.values().items() if value})
        say(f"kept in {where} for later kernels.")
    return current


def _no_key_here(rest: str) -> None:
    """Refuse what follows, and don't repeat it: it is most likely a key."""
    if rest:
        raise GrammarError(
            "nothing can follow here: %codevf login asks for the key unseen. If a key was typed, it is in this cell "
            "and in the history now: delete it there, and make a new one on codevf.com."
        )
