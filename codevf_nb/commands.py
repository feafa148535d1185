"""The line magic's subcommands. Each shows something and returns it, so that ``df = %codevf tasks`` works."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from codevf_nb.grammar import OPTIONS, GrammarError

if TYPE_CHECKING:
    from codevf_nb.task import Task


def run(name: str, rest: str) -> Any:
    """Run one subcommand with the rest of its line, and return what it shows."""
    command = COMMANDS.get(name)
    if command is None:
        raise GrammarError(
            f"there is no %codevf {name}; there are {', '.join(sorted(COMMANDS))}. "
            "To ask about a cell, two percent signs: %%codevf."
        )
    return command(rest)


def _status(rest: str) -> Any:
    """[TASK …]  where tasks stand; without a name the open and unsettled ones"""
    from codevf_nb import display, session

    current = session.current()
    if rest:
        entries = [current.task(name).entry for name in rest.split()]
    else:
        entries = [*current.ledger.questions.open(), *current.ledger.questions.unsettled()]
    for entry in entries:
        print(display.state(entry))  # noqa: T201 - the magic's output
    if not entries:
        print("nothing is open.")  # noqa: T201 - the magic's output


def _show(rest: str) -> Task:
    """[TASK]  a task with its answer; the newest one without a name"""
    from codevf_nb import session

    return session.current().task(rest or None)


def _wait(rest: str) -> Task:
    """[TASK]  wait for the answer, then show it"""
    from codevf_nb import session

    return session.current().task(rest or None).wait()


def _cancel(rest: str) -> Task:
    """[TASK]  stop a task, and release what it holds; the newest open one without a name"""
    from codevf_nb import session

    current = session.current()
    if rest:
        return current.task(rest).cancel()
    still_open = current.ledger.questions.open()
    if not still_open:
        raise GrammarError("nothing is open, so there is nothing to cancel.")
    return current.task(still_open[-1].task_id).cancel()


def _settle(rest: str) -> None:
    """find out what became of questions nobody heard the end of: the same bytes under the same key"""
    from codevf_nb import display, session

    _nothing(rest)
    current = session.current()
    unsettled = current.ledger.questions.unsettled()
    for entry in unsettled:
        print(display.state(current.settle(entry).entry))  # noqa: T201 - the magic's output
    if not unsettled:
        print("nothing is unsettled.")  # noqa: T201 - the magic's output


def _tasks(rest: str) -> Any:
    """what was asked, as a DataFrame"""
    import codevf_nb

    return codevf_nb.tasks(*_nothing(rest))


def _credits(rest: str) -> Any:
    """the account book, as a DataFrame"""
    import codevf_nb

    return codevf_nb.credits(*_nothing(rest))


def _spend(rest: str) -> Any:
    """[BY,…]  what was spent, by mode unless said, as a DataFrame"""
    import codevf_nb

    return codevf_nb.spend(by=tuple(rest.split(",")) if rest else ("mode",))


def _balance(rest: str) -> Any:
    """available, held and total credits now"""
    import codevf_nb

    _nothing(rest)
    return codevf_nb.balance(refresh=True)


def _tags(rest: str) -> Any:
    """the tags with their multipliers"""
    import codevf_nb

    _nothing(rest)
    return codevf_nb.tags(refresh=True)


def _sandbox(rest: str) -> None:
    """[--fresh|--stop] [options]  talk to a sandbox of your own from now on: no key, no cost, no person"""
    from codevf_nb import display, session, settings
    from codevf_nb.sandbox import process

    options = _sandbox_options(rest)
    if options.pop("stop", False):
        session.forget()
        stopped = process.stop(settings.home())
        print("the sandbox has stopped." if stopped else "no sandbox was running.")  # noqa: T201 - the magic's output
        return
    account = session.use_sandbox(**options).account
    print(f"This kernel now talks to {account.name}, on this machine: {display.SANDBOX_NOTICE}.")  # noqa: T201 - the magic's output


def _login(rest: str) -> None:
    """keep a key for later kernels, in the system's keyring or a file only you can read"""
    import getpass
    import os

    from codevf_nb import credentials, session, settings
    from codevf_nb.sdk import CodeVFClient

    _nothing(rest)
    api_key = getpass.getpass("CodeVF API key: ").strip()
    base_url = os.environ.get("CODEVF_BASE_URL") or settings.LIVE_BASE_URL
    settings.check_host(api_key, base_url)
    CodeVFClient(api_key, base_url).credits.get_balance()
    where = credentials.save(api_key)
    session.forget()
    print(f"the key works and is kept in {where}.")  # noqa: T201 - the magic's output


def _logout(rest: str) -> None:
    """forget the kept key"""
    from codevf_nb import credentials, session

    _nothing(rest)
    found = credentials.forget()
    session.forget()
    print("the kept key is gone." if found else "no key was kept.")  # noqa: T201 - the magic's output


def _help(rest: str) -> None:
    """this page"""
    _nothing(rest)
    print(help_text())  # noqa: T201 - the magic's output


def help_text() -> str:
    """Return what ``%codevf help`` prints: every option and every subcommand."""
    lines = [
        "%%codevf [options] [PROMPT WORDS …] [options]",
        "  asks an engineer about the cell below it",
        "",
    ]
    for option in OPTIONS:
        spelled = ", ".join(part for part in (option.short, option.long) if part)
        lines.append(f"  {spelled + (' ' + option.value if option.value else ''):26} {option.help}")
    lines += ["", "%codevf SUBCOMMAND"]
    lines += [f"  {name:26} {(command.__doc__ or '').strip()}" for name, command in COMMANDS.items()]
    return "\n".join(lines)


COMMANDS: dict[str, Callable[[str], Any]] = {
    "status": _status,
    "show": _show,
    "wait": _wait,
    "cancel": _cancel,
    "settle": _settle,
    "tasks": _tasks,
    "credits": _credits,
    "spend": _spend,
    "balance": _balance,
    "tags": _tags,
    "sandbox": _sandbox,
    "login": _login,
    "logout": _logout,
    "help": _help,
}


def _nothing(rest: str) -> tuple[()]:
    if rest:
        raise GrammarError(f"nothing can follow here, so {rest!r} can't be read.")
    return ()


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
    words = iter(shlex.split(rest))
    for word in words:
        key = word.removeprefix("--").replace("-", "_")
        if word in ("--fresh", "--stop", "--slow-outside-hours"):
            options[key] = True
        elif word == "--fault":
            options.setdefault("faults", []).append(_value(word, words, str))
        elif word in readers:
            options[key] = _value(word, words, readers[word])
        else:
            raise GrammarError(f"%codevf sandbox has no option {word!r}; codevf-nb sandbox --help lists them.")
    return options


def _value(word: str, words: Iterator[str], reader: Callable[[str], Any]) -> Any:
    text = next(words, None)
    if text is None:
        raise GrammarError(f"{word} needs a value.")
    try:
        return reader(text)
    except ValueError:
        raise GrammarError(f"{word} needs a number, not {text!r}.") from None
