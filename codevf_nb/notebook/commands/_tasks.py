"""Subcommands about tasks: their status, their answers, and questions whose outcome is unknown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from codevf_nb.notebook.commands._output import CommandResult
from codevf_nb.notebook.commands._subcommand import REFRESH, subcommand
from codevf_nb.notebook.grammar import GrammarError

if TYPE_CHECKING:
    from codevf_nb.task import Task

# Part of these questions' identity: with other words, what was asked and paid before would be asked again.
DEBUG_PROMPT = "Why does this fail, and how do I mend it?"


@subcommand("[TASK …]", "the status of tasks, as a list; without a name, of the open and unsettled", options=[REFRESH])
def status(names: list[str], *, refresh: bool) -> CommandResult:
    """Return tasks with a line each on their status; unsettled questions with what to do about them."""
    from codevf_nb import kernel
    from codevf_nb.display import rendering as display
    from codevf_nb.task import Task

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

    delay = current.watcher.delay_message(task.seen.id) if task.seen.is_open else None
    return f"\n  {display.plain(delay)}" if delay else ""


@subcommand("[TASK]", "a task with its answer; without a name, the newest one", options=[REFRESH])
def show(names: list[str], *, refresh: bool) -> Task:
    """Return a task."""
    return _tasks([_one(names)], refresh=refresh)[0]


@subcommand("[TASK …]", "wait for the answer, or for several; shown at once, and updated when the answer comes")
def wait(names: list[str]) -> Task | list[Task]:
    """Wait for tasks and return them."""
    from codevf_nb import kernel, widgets
    from codevf_nb.widgets import live_displays

    tasks = _tasks(names or [None])
    displays = live_displays.of(kernel.current())
    places = [widgets.under_cell(displays, task, waits=True) for task in tasks]
    for task, place in zip(tasks, places, strict=True):
        task.wait()
        if place is not None:
            displays.show_static(task.mark_shown(), place)
    return tasks if len(tasks) > 1 else tasks[0]


@subcommand("[TASK]", "stop a task, and release the credits that it holds; without a name, the newest open one")
def cancel(names: list[str]) -> Task:
    """Cancel a task and return it."""
    from codevf_nb import kernel

    name = _one(names)
    if name is None:
        still_open = kernel.current().ledger.questions.open()
        if not still_open:
            raise GrammarError("nothing is open, so there is nothing to cancel.")
        name = still_open[-1].task_id
    return _tasks([name])[0].cancel()


@subcommand("[N TASK|none]", "find out the outcome of questions where it is unknown; or say which task question N is")
def settle(words: list[str]) -> CommandResult:
    """Send unsettled questions again with the same bytes and key, which is never paid twice, and return their tasks."""
    from codevf_nb import kernel
    from codevf_nb.display import rendering as display
    from codevf_nb.sdk.exceptions import CodeVFError
    from codevf_nb.task import Task

    current = kernel.current()
    if words:
        if len(words) != 2 or not words[0].isdecimal():
            said = " ".join(words)
            raise GrammarError(f"say which question and what it became: %codevf settle 12 TASK, or none; not {said!r}.")
        entry = current.settle_by_hand(int(words[0]), None if words[1] == "none" else words[1])
        return CommandResult([Task(current, entry)], [display.state(entry)])
    tasks, lines = [], []
    for entry in current.ledger.questions.with_unknown_outcome():
        try:
            tasks.append(current.resolve(entry))
            lines.append(display.state(tasks[-1].entry))
        except CodeVFError as error:  # the others can be settled all the same
            tasks.append(Task(current, entry))
            lines.append(f"? question {entry.id}: {display.plain(str(error))}")
    return CommandResult(tasks, lines or ["nothing is unsettled."])


@subcommand(
    "[options] [PROMPT]",
    "ask about the last exception: its cell, its traceback, the shapes of tables in it",
    raw=True,
)
def debug(rest: str) -> None:
    """Ask about the last exception, as ``%%codevf --traceback`` in its cell."""
    from IPython.core.getipython import get_ipython

    from codevf_nb.attachments import AttachmentError, last_failure
    from codevf_nb.notebook.grammar import read

    shell: Any = get_ipython()
    line = read(rest, shell.user_ns)
    failure = last_failure(shell, allow_earlier=line.options.value("last"))
    if failure.cell is None:
        raise AttachmentError("the last exception was raised in no cell; ask with %%codevf --traceback.")
    prompt = "" if line.prompt else DEBUG_PROMPT
    shell.run_cell_magic("codevf", f"--traceback {prompt} {rest}".strip(), failure.cell)


@subcommand("TASK", "follow a task that was created elsewhere, on the same account")
def track(names: list[str]) -> Task:
    """Import a task into the ledger and return it."""
    name = _one(names)
    if name is None:
        raise GrammarError("say which task: %codevf track task_….")
    return _tasks([name])[0]


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
