"""Subcommands about one task or several: where they stand, their answers, and what became of unheard questions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from codevf_nb.notebook.commands._arguments import CommandResult, refreshing, split
from codevf_nb.notebook.grammar import GrammarError

if TYPE_CHECKING:
    from codevf_nb.task import Task

# Part of these questions' identity: with other words, what was asked and paid before would be asked again.
DEBUG_PROMPT = "Why does this fail, and how do I mend it?"


def status(rest: str) -> CommandResult:
    """[TASK …] [--refresh]  where tasks stand, as a list of them; without a name the open and unsettled ones"""
    from codevf_nb import kernel
    from codevf_nb.display import rendering as display
    from codevf_nb.task import Task

    names, refresh = refreshing(rest)
    current = kernel.current()
    tasks = _tasks(names or [entry.task_id for entry in current.ledger.questions.open()], refresh=refresh)
    lines = [display.state(task.entry) + _trouble(current, task) for task in tasks]
    for entry, advice in [] if names else current.unsettled():
        tasks.append(Task(current, entry))
        lines.append(f"{display.state(entry)}\n  {display.plain(advice)}")
    return CommandResult(tasks, lines or ["nothing is open."])


def _trouble(current: Any, task: Task) -> str:
    """Return a line on what keeps the answer away at the moment; nothing while all is well."""
    from codevf_nb.display import rendering as display

    told = current.watcher.delay_message(task.seen.id) if task.seen.is_open else None
    return f"\n  {display.plain(told)}" if told else ""


def show(rest: str) -> Task:
    """[TASK] [--refresh]  a task with its answer; the newest one without a name; --refresh asks the service first"""
    names, refresh = refreshing(rest)
    return _tasks([_one(names)], refresh=refresh)[0]


def wait(rest: str) -> Task | list[Task]:
    """[TASK …]  wait for the answer, or for several; what is known is shown at once, and the answer in its place"""
    from codevf_nb import kernel, widgets
    from codevf_nb.widgets import live_displays

    tasks = _tasks(_names(rest) or [None])
    displays = live_displays.of(kernel.current())
    places = [widgets.under_cell(displays, task, waits=True) for task in tasks]
    for task, place in zip(tasks, places, strict=True):
        task.wait()
        if place is not None:
            displays.show_static(task.mark_shown(), place)
    return tasks if len(tasks) > 1 else tasks[0]


def cancel(rest: str) -> Task:
    """[TASK]  stop a task, and release what it holds; the newest open one without a name"""
    from codevf_nb import kernel

    name = _one(_names(rest))
    if name is None:
        still_open = kernel.current().ledger.questions.open()
        if not still_open:
            raise GrammarError("nothing is open, so there is nothing to cancel.")
        name = still_open[-1].task_id
    return _tasks([name])[0].cancel()


def settle(rest: str) -> CommandResult:
    """[N TASK|none]  hear what became of unheard questions, by the same bytes and key; or say what question N became"""
    from codevf_nb import kernel
    from codevf_nb.display import rendering as display
    from codevf_nb.sdk.exceptions import CodeVFError
    from codevf_nb.task import Task

    current = kernel.current()
    if rest:
        number, _, found = rest.partition(" ")
        if not number.isdecimal() or len(found.split()) != 1:
            raise GrammarError(f"say which question and what it became: %codevf settle 12 TASK, or none; not {rest!r}.")
        entry = current.settle_by_hand(int(number), None if found.strip() == "none" else found.strip())
        return CommandResult([Task(current, entry)], [display.state(entry)])
    tasks, lines = [], []
    for entry in current.ledger.questions.unsettled():
        try:
            tasks.append(current.resolve(entry))
            lines.append(display.state(tasks[-1].entry))
        except CodeVFError as error:  # the others can be settled all the same
            tasks.append(Task(current, entry))
            lines.append(f"? question {entry.id}: {display.plain(str(error))}")
    return CommandResult(tasks, lines or ["nothing is unsettled."])


def debug(rest: str) -> None:
    """[options] [PROMPT]  ask about the last exception: its cell, its traceback and the shapes of tables in it"""
    from IPython.core.getipython import get_ipython

    from codevf_nb.attachments import AttachmentError, last_failure
    from codevf_nb.notebook.grammar import read

    shell: Any = get_ipython()
    line = read(rest, shell.user_ns)
    failure = last_failure(shell, allow_earlier=line.options.get("last", False))
    if failure.cell is None:
        raise AttachmentError("the last exception was raised in no cell; ask with %%codevf --traceback.")
    prompt = "" if line.prompt else DEBUG_PROMPT
    shell.run_cell_magic("codevf", f"--traceback {prompt} {rest}".strip(), failure.cell)


def track(rest: str) -> Task:
    """TASK  take in a task that was made elsewhere, on the same account"""
    name = _one(_names(rest))
    if name is None:
        raise GrammarError("say which task: %codevf track task_….")
    return _tasks([name])[0]


def _names(rest: str) -> list[str]:
    """Return the tasks named; none is called like an option."""
    names = split(rest)
    for name in names:
        if name.startswith("-"):
            raise GrammarError(f"tasks are named here, and {name} is none.")
    return names


def _one(names: list[str]) -> str | None:
    if len(names) > 1:
        raise GrammarError(f"one task at a time, not {' '.join(names)!r}; %codevf status and wait take several.")
    return names[0] if names else None


def _tasks(names: Sequence[str | None], *, refresh: bool = False) -> list[Task]:
    """Return the tasks of these names (None for the newest), asked about now if wanted; say which one isn't there."""
    from codevf_nb import kernel
    from codevf_nb.sdk.exceptions import NotFoundError

    current, found = kernel.current(), []
    for name in names:
        try:
            task = current.task(name)
        except NotFoundError as error:
            raise NotFoundError(
                f"there is no task {name!r} on this account ({current.account.name}); "
                "%codevf tasks lists what was asked.",
                status_code=error.status_code,
            ) from None
        found.append(task.refresh() if refresh else task)
    return found
