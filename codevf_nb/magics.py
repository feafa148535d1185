"""``%%codevf`` and ``%codevf``: text in, session calls out.

Nothing heavy is imported here: loading the extension must cost a notebook next to nothing.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from IPython.core.magic import Magics, line_cell_magic, magics_class, no_var_expand
from traitlets import Int, Unicode
from traitlets.config import Configurable

from codevf_nb.sdk.exceptions import CodeVFError

if TYPE_CHECKING:
    from codevf_nb.grammar import Line
    from codevf_nb.live import Live
    from codevf_nb.session import Session
    from codevf_nb.task import Task

DEFAULT_VARIABLE = "_codevf"


class CodeVF(Configurable):
    """Defaults of every question: ``%config CodeVF.mode = "fast"``. An option on the line goes before these."""

    mode = Unicode("", help="service mode: realtime_answer, fast or standard").tag(config=True)
    tag = Unicode("", help="expertise tag, by name or id; empty: the cheapest active one").tag(config=True)
    max_credits = Int(0, help="credits a question may use before multipliers; 0: the least its mode allows").tag(
        config=True
    )
    project = Unicode("", help="project name; empty: the name of the working folder").tag(config=True)


class CodeVFUserError(Exception):
    """What a person typed can't be done. One line for them, a failure for nbval, nbclient and papermill."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


@magics_class
class CodeVFMagics(Magics):
    """The magics of one shell."""

    shell: Any

    def __init__(self, shell: Any) -> None:
        super().__init__(shell)
        self.defaults = CodeVF(parent=shell)
        shell.configurables.append(self.defaults)
        self._live: Live | None = None
        self._live_session: Session | None = None

    @no_var_expand
    @line_cell_magic
    def codevf(self, line: str, cell: str | None = None) -> Any:
        """Ask an engineer about this cell (``%%codevf``), or look after what was asked (``%codevf help``)."""
        try:
            return self._command(line) if cell is None else self._ask(line, cell)
        except CodeVFError as error:
            if os.environ.get("CODEVF_DEBUG") == "1":
                raise
            raise CodeVFUserError(f"codevf: {error}") from None

    def unload(self) -> None:
        """Take everything out of the shell again."""
        self.shell.configurables.remove(self.defaults)
        for kind in ("line", "cell"):
            self.shell.magics_manager.magics[kind].pop("codevf", None)

    # -- %%codevf

    def _ask(self, text: str, cell: str) -> None:
        from codevf_nb import display, grammar, session

        line = grammar.read(text)
        live = self._display_of(session.current())
        draft = session.current().draft(**self._draft_arguments(line, cell))
        if line.options.get("dry_run"):
            print(display.draft_text(draft, session.current().account.environment))  # noqa: T201 - the magic's output
            return
        task = session.current().ask(draft)
        self.shell.user_ns[line.options.get("out", DEFAULT_VARIABLE)] = task
        if line.options.get("wait"):
            self._wait(task, line.options.get("timeout"))
            live.show_static(task)
        else:
            live.show(task)

    def _draft_arguments(self, line: Line, cell: str) -> dict[str, Any]:
        options = line.options
        as_text = options.get("text", False)
        prompt = "\n\n".join(filter(None, (line.prompt, cell.strip() if as_text else None)))
        return {
            "prompt": prompt or None,
            "code": None if as_text else cell.rstrip("\n"),
            "attach": self._named(options.get("attach", ())),
            "files": options.get("file", ()),
            "mode": options.get("mode") or self.defaults.mode or None,
            "tag": options.get("tag") or self.defaults.tag or None,
            "max_credits": options.get("max_credits", self.defaults.max_credits or None),
            "project": options.get("project") or self.defaults.project or None,
            "schema": self._schema(options.get("schema")),
            "metadata": _metadata(options.get("metadata", ())),
            "again": options.get("again", 1),
            "max_bytes": options.get("max_bytes"),
        }

    def _named(self, lists: Any) -> dict[str, Any]:
        from codevf_nb.attachments import AttachmentError

        found = {}
        for name in [name.strip() for text in lists for name in text.split(",")]:
            if name not in self.shell.user_ns:
                raise AttachmentError(f"there is no variable {name!r} to attach. Nothing was sent.")
            found[name] = self.shell.user_ns[name]
        return found

    def _schema(self, name: str | None) -> Any:
        from codevf_nb.grammar import GrammarError

        if name is None:
            return None
        if name not in self.shell.user_ns:
            raise GrammarError(f"--schema {name}: there is no variable of that name. Nothing was sent.")
        return self.shell.user_ns[name]

    def _wait(self, task: Task, timeout: float | None) -> None:
        try:
            task.wait(timeout)
        except KeyboardInterrupt:
            raise CodeVFUserError(
                f"codevf: stopped waiting, and the task goes on. %codevf cancel {task.id} stops it; "
                "%codevf show tells its answer."
            ) from None

    def _display_of(self, session: Session) -> Live:
        from codevf_nb.live import Live

        if self._live is None or self._live_session is not session:
            self._live, self._live_session = Live(session), session
        return self._live

    # -- %codevf

    def _command(self, line: str) -> Any:
        from codevf_nb import commands

        name, _, rest = line.strip().partition(" ")
        return commands.run(name or "help", rest.strip())


def _metadata(pairs: Any) -> dict[str, str]:
    from codevf_nb.grammar import GrammarError

    found = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise GrammarError(f"--metadata takes KEY=VALUE, not {pair!r}.")
        found[key] = value
    return found
