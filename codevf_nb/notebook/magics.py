"""``%%codevf`` and ``%codevf``: text in, session calls out.

Nothing heavy is imported here: loading the extension must cost a notebook next to nothing.
"""

from __future__ import annotations

import inspect
import os
import traceback
from collections import ChainMap
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from IPython.core.magic import Magics, line_cell_magic, magics_class, no_var_expand

from codevf_nb.accounts import settings
from codevf_nb.ipython import exceptions
from codevf_nb.notebook._completion import Completion
from codevf_nb.questions import defaults
from codevf_nb.sdk.exceptions import CodeVFError

if TYPE_CHECKING:
    from codevf_nb.attachments import Failure
    from codevf_nb.notebook.grammar import OptionValues, ParsedLine
    from codevf_nb.questions.options import AskOptions, Defaults

DEFAULT_VARIABLE = "_codevf"
NOTHING_SENT = "Nothing was sent."
UNSENT = "stopped. The question was not sent by this run."


class CodeVFUserError(Exception):
    """The cell can't be executed as typed: shown as one line, and a failure for nbval, nbclient and papermill.

    ``before`` is the last exception that was raised until then, so that ``--traceback`` still finds it afterwards.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.before = exceptions.last()

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


class StoppedError(KeyboardInterrupt):
    """The user pressed Ctrl-C: shown as one line that says what was sent; it interrupts what else runs, as usual."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.before = exceptions.last()

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


@magics_class
class CodeVFMagics(Magics):
    """The magics of one shell."""

    shell: Any

    def __init__(self, shell: Any) -> None:
        super().__init__(shell)
        self.defaults = defaults.make(shell)
        settings.folder_name()  # the project's name: later changes of the working folder make no other question
        shell.configurables.append(self.defaults)
        self._completion = Completion(shell)
        exceptions.threads.install()

    @no_var_expand
    @line_cell_magic
    def codevf(self, line: str, cell: str | None = None) -> Any:
        """Ask an engineer about this cell (``%%codevf``), or look after what was asked (``%codevf help``)."""
        with _in_one_line():
            return self._command(line) if cell is None else self._ask(line, cell)

    def unload(self) -> None:
        """Take everything out of the shell again."""
        self.shell.configurables.remove(self.defaults)
        self._completion.remove()
        exceptions.threads.remove()
        for kind in ("line", "cell"):
            self.shell.magics_manager.magics[kind].pop("codevf", None)

    # -- %%codevf

    def _ask(self, text: str, cell: str) -> None:
        interruption: Callable[[], str | None] = lambda: None  # noqa: E731 - nothing was sent yet
        with _interruptible(lambda: interruption() or UNSENT):
            from codevf_nb import kernel
            from codevf_nb.notebook import commands, grammar
            from codevf_nb.widgets import live_displays

            with _adding(NOTHING_SENT):
                text, cell = grammar.join(text, cell)
                line = grammar.read(text, self._names())
                if line.options.value("help"):
                    commands.run("help", "")
                    return
                current = kernel.without_ledger() if line.options.value("no_ledger") else kernel.current()
            asked = self._asked(current, line, cell)
            with current.ledger.store.reuse_connection():
                draft = current.draft_of(asked, self._defaults(), is_preview=line.options.value("dry_run"))
                if line.options.value("dry_run"):
                    print(_would_be_sent(current, draft))  # noqa: T201 - the magic's output
                    return
                interruption = partial(current.interruption_message, draft)
                task, place = self._send(current, draft, line.options)
            if line.options.value("wait"):
                task.wait(line.options.value("timeout"))
                live_displays.of(current).show_static(task, place)

    def _send(self, current: Any, draft: Any, options: OptionValues) -> tuple[Any, str | None]:
        """Show the price, send the question and show its task; return that, and the display's id."""
        from codevf_nb import widgets
        from codevf_nb.widgets import live_displays

        displays = live_displays.of(current)
        with displays.asking(lambda: current.interruption_message(draft) or UNSENT) as asking:
            task = current.ask(draft, asking.priced)
            self.shell.user_ns[options.value("out") or DEFAULT_VARIABLE] = task
            waits = options.value("wait")
            return task, widgets.under_cell(displays, task, asking.display_id, waits=waits)

    def _asked(self, current: Any, line: ParsedLine, cell: str) -> AskOptions:
        """Return the options of the question; with --run the cell is executed on the way."""
        from codevf_nb.display import rendering as display

        ran: dict[str, Any] = {}
        if line.options.value("run"):
            with _adding("The cell was not run."):
                self._check_before_run(current, line, cell)
            ran = self._run(cell, line.options)
        with _adding(NOTHING_SENT):
            failure = self._failure(line.options)
            if failure is not None:
                print(f"about {display.plain(str(failure))}")  # noqa: T201 - the magic's output
            attach = self._named(line.options, failure) | ran
            return self._options(line, cell, attach, None if failure is None else failure.identity)

    def _check_before_run(self, current: Any, line: ParsedLine, cell: str) -> None:
        """Refuse what the line alone shows to be wrong; the values it attaches may only come from the run."""
        from codevf_nb import attachments

        placeholder = attachments.Text("placeholder.txt", "")
        names = {"--run": placeholder}
        with _adding(NOTHING_SENT):
            for text in line.options.value("attach"):
                names |= dict.fromkeys(attachments.named(text), placeholder)
            if line.options.value("figure"):
                names["--figure"] = placeholder
            if "context" in line.options:
                attachments.context_of(self.shell, line.options["context"])
                names[f"--context {line.options['context']}"] = placeholder
            options = replace(self._options(line, cell, names), redact=())
        draft = current.draft_of(options, self._defaults())
        if current.known(draft) is None:
            current.priced(draft)

    def _options(
        self, line: ParsedLine, cell: str, attach: Mapping[str, Any], exception: str | None = None
    ) -> AskOptions:
        """Return the question of a line and a cell, with what is attached by name."""
        from codevf_nb.notebook.grammar import GrammarError
        from codevf_nb.questions.options import AskOptions, arguments_of_line

        as_text = line.options.value("text")
        prompt = "\n\n".join(filter(None, (line.prompt, cell.strip() if as_text else None)))
        if not prompt and not cell.strip():
            raise GrammarError("there is no prompt and nothing in the cell, so there is nothing to ask.")
        if as_text and line.options.value("run"):
            raise GrammarError("--text says that the cell is the prompt, and --run would execute it: leave one out.")
        names = self._names()
        arguments = arguments_of_line(line.options, names)
        arguments |= {"prompt": prompt or None, "code": None if as_text else cell, "attach": attach}
        return AskOptions.of(arguments, names, contents_count=False, exception=exception)

    def _defaults(self) -> Defaults:
        from codevf_nb.questions.options import Defaults

        return Defaults.of(self.defaults.values())

    def _failure(self, options: OptionValues) -> Failure | None:
        """Return the exception that is asked about, if one is."""
        from codevf_nb import attachments
        from codevf_nb.notebook.grammar import GrammarError

        if options.value("traceback"):
            return attachments.last_failure(self.shell, allow_earlier=options.value("last"))
        if options.value("last"):
            raise GrammarError("--last goes with --traceback: it says which exception is meant.")
        return None

    def _named(self, options: OptionValues, failure: Failure | None) -> dict[str, Any]:
        """Return what is attached besides files, by the name under which it is part of the question."""
        from codevf_nb import attachments

        found: dict[str, Any] = {}
        for text in options.value("attach"):
            found |= attachments.resolve(text, self._names())
        if options.value("figure") and not options.value("run"):
            found["--figure"] = attachments.figure_of()
        if failure is not None:
            found["--traceback"] = attachments.traceback_text(failure.error, self.shell)
        if "context" in options:
            found[f"--context {options['context']}"] = attachments.context_of(self.shell, options["context"])
        return found

    def _run(self, cell: str, options: OptionValues) -> dict[str, Any]:
        """Execute the cell and return what its run leaves to attach: how it ended, and the figure it drew if asked for.

        How it ended is attached either way, under one name, so that a cell that fails once is still the same question.
        """
        from IPython.utils.capture import capture_output

        from codevf_nb import attachments

        with capture_output(stdout=False, stderr=False) as shown:
            result = self.shell.run_cell(cell, store_history=False)
        shown.show()  # type: ignore[no-untyped-call]
        error = result.error_before_exec or result.error_in_exec
        if isinstance(error, KeyboardInterrupt):
            raise CodeVFUserError("codevf: the run was interrupted, so nothing was asked and nothing was sent.")
        ended = attachments.Text("run.md", "The cell was run and ended without an exception.\n")
        found: dict[str, Any] = {"--run": ended if error is None else attachments.traceback_text(error, self.shell)}
        if options.value("figure"):
            found["--figure"] = attachments.figure_of(shown.outputs)
        return found

    def _names(self) -> Mapping[str, Any]:
        """Return the notebook's variables and, before them, those of the function that runs the magic."""
        frame = inspect.currentframe()
        while frame is not None:
            runs_magic = frame.f_code.co_name in ("run_cell_magic", "run_line_magic")
            frame = frame.f_back
            if runs_magic and frame is not None and not frame.f_globals.get("__name__", "").startswith("codevf_nb"):
                return ChainMap(frame.f_locals, self.shell.user_ns)
        variables: dict[str, Any] = self.shell.user_ns
        return variables

    # -- %codevf

    def _command(self, line: str) -> Any:
        with _interruptible(lambda: "stopped. %codevf status shows the status of each question."):
            from codevf_nb.notebook import commands

            name, _, rest = line.strip().partition(" ")
            return commands.run(name or "help", rest.strip())


def _would_be_sent(current: Any, draft: Any) -> str:
    """Show a draft, and what it would leave; without the service, why that isn't known. A known question costs 0."""
    from codevf_nb.display import rendering as display

    known = current.known(draft)
    if known is not None and known.task_id is not None:
        return display.known_text(draft, known, current.account.environment)
    draft = current.priced(draft)
    balance, unknown = None, []
    try:
        balance = current.balance()
    except CodeVFError as error:
        unknown = [f"{display.UNKNOWN_BALANCE}: {display.plain(str(error))}"]
    text = display.draft_text(draft, current.account.environment, balance, datetime.now(UTC))
    return "\n".join([text, *unknown])


@contextmanager
def _interruptible(message: Callable[[], str]) -> Iterator[None]:
    """Report in one line what was sent, when the user presses Ctrl-C.

    Args:
        message: Returns the line, without the name of the magic.

    Raises:
        StoppedError: Ctrl-C was pressed.
    """
    try:
        yield
    except StoppedError:  # reported already, by an inner call
        raise
    except KeyboardInterrupt as pressed:
        # A transaction that it came into must not stay open as long as the traceback is kept.
        traceback.clear_frames(pressed.__traceback__)
        raise StoppedError(f"codevf: {message()}") from None


@contextmanager
def _adding(sentence: str) -> Iterator[None]:
    """Add a sentence to the message of an error that is raised here, unless the message has it already."""
    try:
        yield
    except CodeVFError as error:
        error.add(sentence)
        raise


@contextmanager
def _in_one_line() -> Iterator[None]:
    """Show an error of this package as one line; with CODEVF_DEBUG=1, with its traceback."""
    try:
        yield
    except CodeVFError as error:
        if os.environ.get("CODEVF_DEBUG") == "1":
            raise
        raise CodeVFUserError(f"codevf: {' '.join(str(error).split())}") from None
