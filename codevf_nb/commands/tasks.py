"""Subcommands about one task or several: where they stand, their answers, and what became of unheard questions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from codevf_nb.commands.words import say
from codevf_nb.grammar import GrammarError

if TYPE_CHECKING:
    from codevf_nb.task import Task

DEBUG_PROMPT = "Why does this fail, and how do I mend it?"


def status(rest: str) -> Any:
    """[TASK …]  where tasks stand; without a name the open and unsettled ones"""
    from codevf_nb import display, kernel

    current = kernel.current()
    entries = [current.task(name).entry for name in rest.split()] if rest else current.ledger.questions.open()
    unsettled = [] if rest else current.unsettled()
    for entry in entries:
        say(display.state(entry))
    for entry, advice in unsettled:
        say(f"{display.state(entry)}\n  {display.plain(advice)}")
    if not entries and not unsettled:
        say("nothing is open.")


def show(rest: str) -> Task:
    """[TASK]  a task with its answer; the newest one without a name"""
    from codevf_nb import kernel

    return kernel.current().task(rest or None)


def wait(rest: str) -> Task | list[Task]:
    """[TASK …]  wait for the answer, or for several, then show it"""
    from codevf_nb import kernel

    current = kernel.current()
    tasks = [current.task(name) for name in rest.split()] or [current.task()]
    for task in tasks:
        task.wait()
    return tasks if len(tasks) > 1 else tasks[0]


def cancel(rest: str) -> Task:
    """[TASK]  stop a task, and release what it holds; the newest open one without a name"""
    from codevf_nb import kernel

    current = kernel.current()
    if rest:
        return current.task(rest).cancel()
    still_open = current.ledger.questions.open()
    if not still_open:
        raise GrammarError("nothing is open, so there is nothing to cancel.")
    return current.task(still_open[-1].task_id).cancel()


def settle(rest: str) -> None:
    """[N TASK|none]  hear what became of unheard questions, by the same bytes and key; or say what question N became"""
    from codevf_nb import display, kernel
    from codevf_nb.sdk.exceptions import CodeVFError

    current = kernel.current()
    if rest:
        number, _, found = rest.partition(" ")
        if not number.isdigit() or not found.strip():
            raise GrammarError(f"say which question and what it became: %codevf settle 12 TASK, or none; not {rest!r}.")
        settled = current.settle_by_hand(int(number), None if found.strip() == "none" else found.strip())
        say(display.state(settled))
        return
    unsettled = current.ledger.questions.unsettled()
    for entry in unsettled:
        try:
            told = display.state(current.settle(entry).entry)
        except CodeVFError as error:  # the others can be settled all the same
            told = f"? question {entry.id}: {display.plain(str(error))}"
        say(told)
    if not unsettled:
        say("nothing is unsettled.")


def debug(rest: str) -> None:
    """[options] [PROMPT]  ask about the last exception: its cell, its traceback and the shapes of tables in it"""
    from IPython.core.getipython import get_ipython

    from codevf_nb.attachments import failing_cell
    from codevf_nb.grammar import read

    shell: Any = get_ipython()
    cell = failing_cell()
    prompt = "" if read(rest, shell.user_ns).prompt else DEBUG_PROMPT
    shell.run_cell_magic("codevf", f"--traceback {rest} {prompt}".strip(), cell)


def track(rest: str) -> Task:
    """TASK  take in a task that was made elsewhere, on the same account"""
    from codevf_nb import kernel

    if not rest:
        raise GrammarError("say which task: %codevf track task_….")
    return kernel.current().task(rest)
