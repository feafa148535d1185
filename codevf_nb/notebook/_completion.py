"""What Tab offers after ``%%codevf`` and ``%codevf``: instantly, from what this kernel already knows.

No request is made here and no sandbox started: tags, projects and tasks come from the ledger of the session that is
open, and where none is, only what the grammar itself knows is offered.
"""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from codevf_nb.questions.options import LINE_OPTIONS, PROFILES, Kind

if TYPE_CHECKING:
    from codevf_nb.session import Session

# The magic, the text before the word that is typed, and that word.
MAGIC = re.compile(r"^\s*(%{1,2})codevf(\s(?:.*\s)?)(\S*)$", re.DOTALL)
# The most tasks that are offered, newest first.
TASKS_OFFERED = 20
# Kinds of values that only the person who types them knows.
TYPED_KINDS = (
    Kind.FLAG,
    Kind.TEXT,
    Kind.INTEGER,
    Kind.NUMBER,
    Kind.SECONDS,
    Kind.PATH,
    Kind.PAIR,
    Kind.COLUMNS,
    Kind.VARIABLE,
)


@dataclass(frozen=True)
class Suggestion:
    """One completion, and what it means."""

    text: str
    meaning: str = ""

    @property
    def kind(self) -> str:
        """The one word that JupyterLab shows next to it in the list, such as 1.7× for a tag."""
        return self.meaning if self.meaning and " " not in self.meaning else "codevf"


def offers(line: str, names: Mapping[str, Any]) -> tuple[str, list[Suggestion]] | None:
    """Return the word being typed at the end of a line and what it could become; None if the line isn't ours.

    ``names`` are the notebook's variables.
    """
    found = MAGIC.match(line)
    if found is None:
        return None
    sign, before, word = found[1], found[2].split(), found[3]
    if sign == "%":
        return word, _starting_with(word, _for_command(before, word))
    while before and before[-1].endswith(","):  # a list goes on after its comma
        before.pop()
    option = next((option for option in LINE_OPTIONS if before and before[-1] in option.spellings), None)
    if option is not None and option.metavar is not None:
        part = word.rpartition(",")[2] if option.kind is Kind.EXPRESSIONS else word
        return part, _starting_with(part, _values(option.kind, names))
    spelled = [Suggestion(spelling, option.help) for option in LINE_OPTIONS for spelling in reversed(option.spellings)]
    return word, _starting_with(word, spelled) if word.startswith("-") else []


def _for_command(before: list[str], word: str) -> list[Suggestion]:
    from codevf_nb.notebook.commands import COMMANDS

    if not before or before == ["help"]:
        return [Suggestion(name, f"{row.usage}  {row.help}".strip()) for name, row in sorted(COMMANDS.items())]
    command = COMMANDS.get(before[0])
    if command is None:
        return []
    if word.startswith("-"):
        return [Suggestion(option.long, option.help) for option in command.options]
    option = next((option for option in command.options if before[-1] in option.spellings), None)
    if option is not None and option.kind is not Kind.FLAG:
        return _values(option.kind, {})
    return _tasks() if "TASK" in command.words else []


def _values(kind: Kind, names: Mapping[str, Any]) -> list[Suggestion]:
    """Return what can be the value of an option of a kind; nothing for those that only a person knows."""
    makers: dict[Kind, Callable[[], list[Suggestion]]] = {
        Kind.MODE: _modes,
        Kind.TAG: _tags,
        Kind.PROJECT: _projects,
        Kind.PROFILE: lambda: [Suggestion(profile) for profile in PROFILES],
        Kind.EXPRESSIONS: lambda: _attachable(names),
        Kind.SCHEMA: lambda: _schemas(names),
        **dict.fromkeys(TYPED_KINDS, list),
    }
    return makers[kind]()


def _schemas(names: Mapping[str, Any]) -> list[Suggestion]:
    return [Suggestion(name) for name, value in names.items() if _public(name) and isinstance(value, dict | type)]


def _modes() -> list[Suggestion]:
    from codevf_nb.sdk.models import ServiceMode

    return [Suggestion(mode.value, f"{mode.multiplier}×, {mode.meaning}") for mode in ServiceMode]


def _tags() -> list[Suggestion]:
    session = _open_session()
    tags = [] if session is None else session.ledger.catalogue.tags()
    return [Suggestion(tag.name, f"{tag.cost_multiplier}× {tag.description or ''}") for tag in tags if tag.is_active]


def _projects() -> list[Suggestion]:
    session = _open_session()
    return [] if session is None else [Suggestion(name) for name in session.ledger.catalogue.projects()]


def _tasks() -> list[Suggestion]:
    session = _open_session()
    entries = [] if session is None else session.ledger.questions.latest(TASKS_OFFERED)
    return [Suggestion(entry.task_id, f"{entry.status}: {entry.prompt or ''}") for entry in entries if entry.task_id]


def _attachable(names: Mapping[str, Any]) -> list[Suggestion]:
    """Return the variables that hold tables first, then whatever else could be attached."""
    found = []
    for name, value in names.items():
        if _public(name) and not isinstance(value, type(sys)):
            shape = getattr(value, "shape", None)
            rows, columns = shape if isinstance(shape, tuple) and len(shape) == 2 else (None, None)
            size = "" if rows is None else f" {rows:,} × {columns:,}"
            found.append((rows is None, name, f"{type(value).__name__}{size}"))
    return [Suggestion(name, meaning) for _, name, meaning in sorted(found)]


def _public(name: str) -> bool:
    return not name.startswith("_") and name not in ("In", "Out", "exit", "quit", "get_ipython", "open")


def _starting_with(word: str, offered: list[Suggestion]) -> list[Suggestion]:
    return [offer for offer in offered if offer.text.startswith(word)]


def _open_session() -> Session | None:
    """Return the session that is open; opening one could start a sandbox or ask for a key."""
    module = sys.modules.get("codevf_nb.kernel")
    return None if module is None else module.open_session()


# -- the shell's side

SPELLINGS = ("%codevf", "%%codevf")


class Completion:
    """The completer of one shell, on IPython 7.34 and on 9."""

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._matcher = _matcher_of(self._offers)
        if self._matcher is not None:
            shell.Completer.custom_matchers.append(self._matcher)
        else:
            for spelling in SPELLINGS:
                shell.set_hook("complete_command", self._hook, str_key=spelling)

    def remove(self) -> None:
        """Take the completer out of the shell again."""
        if self._matcher is not None:
            self._shell.Completer.custom_matchers.remove(self._matcher)
        else:
            for spelling in SPELLINGS:
                self._shell.strdispatchers["complete_command"].strs.pop(spelling, None)

    def _offers(self, line: str) -> tuple[str, list[Suggestion]]:
        with contextlib.suppress(Exception):  # a completer that raises would break every Tab in the notebook
            return offers(line, self._shell.user_ns) or ("", [])
        return "", []

    def _hook(self, _shell: Any, event: Any) -> list[str]:
        return [offer.text for offer in self._offers(event.text_until_cursor)[1]]


def _matcher_of(offered: Callable[[str], tuple[str, list[Suggestion]]]) -> Any:
    """Return a matcher as IPython 8.6 and later take it; None before."""
    try:
        from IPython.core.completer import SimpleCompletion, context_matcher
    except ImportError:
        return None

    def codevf_matcher(context: Any) -> dict[str, Any]:
        word, found = offered(context.line_with_cursor[: context.cursor_position])
        completions = [SimpleCompletion(text=offer.text, type=offer.kind) for offer in found]
        return {"completions": completions, "suppress": bool(completions), "matched_fragment": word}

    return context_matcher()(codevf_matcher)
