"""The options of a question: the one table that the magic's line, help, Tab, ``ask``, the picker and defaults read.

To add an option: a row in ``OPTIONS`` (and, if it is an argument of ``ask``, a field of ``AskOptions``), the code that
acts on it, a row in docs/options.md, and a case in ``tests/test_options.py``, which fails while nothing acts on it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path
from typing import Any

from codevf_nb.questions import _readers
from codevf_nb.questions._readers import PROFILES
from codevf_nb.sdk.exceptions import BadRequestError

__all__ = ["BY_ARGUMENT", "BY_NAME", "LINE_OPTIONS", "OPTIONS", "PROFILES", "AskOptions", "Defaults", "Kind", "Option"]


class Kind(Enum):
    """What the value of an option is on the line: how it is converted, and what Tab offers for it."""

    FLAG = auto()
    TEXT = auto()
    INTEGER = auto()
    NUMBER = auto()
    SECONDS = auto()
    MODE = auto()
    TAG = auto()
    PROJECT = auto()
    PROFILE = auto()
    EXPRESSIONS = auto()
    PATH = auto()
    SCHEMA = auto()
    PAIR = auto()
    COLUMNS = auto()
    VARIABLE = auto()


@dataclass(frozen=True)
class Option:
    """One option of ``%%codevf``, of a subcommand, or (``on_line=False``) only of ``codevf_nb.ask``.

    Args:
        name: The key of its value; ``max_credits`` is ``--max-credits`` on the line.
        help: Its line in the help.
        short: Its short spelling, ``-c``.
        metavar: What help calls its value; None for a flag.
        kind: What its value is.
        many: Whether it may be given again.
        argument: The argument of ``ask`` and the field of ``AskOptions`` that it fills; None where it fills none.
        read: Makes the field of the argument; called with the name for error messages and the value.
        of_line: Makes the argument of what was typed; called with the spelling, the text and the notebook's variables.
        in_identity: Whether giving it, or another value, makes another question, which is paid again.
        in_request: Whether it changes the bytes that are sent to the service.
        in_picker: Whether the picker has a field for it.
        configurable: Whether ``%config CodeVF`` has a default for it.
        on_line: Whether it can be typed after ``%%codevf``.
    """

    name: str
    help: str
    short: str | None = None
    metavar: str | None = None
    kind: Kind = Kind.FLAG
    many: bool = False
    argument: str | None = None
    read: Callable[[str, Any], Any] | None = None
    of_line: Callable[[str, Any, Mapping[str, Any]], Any] | None = None
    in_identity: bool = False
    in_request: bool = False
    in_picker: bool = False
    configurable: bool = False
    on_line: bool = True

    def __post_init__(self) -> None:
        if (self.metavar is None) != (self.kind is Kind.FLAG):
            raise ValueError(f"{self.name}: a flag has no metavar, any other option has one")
        if (self.argument is None) != (self.read is None):
            raise ValueError(f"{self.name}: an argument of ask needs a reader, and a reader an argument")

    @property
    def long(self) -> str:
        """The long spelling."""
        return f"--{self.name.replace('_', '-')}"

    @property
    def spellings(self) -> tuple[str, ...]:
        """Every spelling, the short one first."""
        return (self.long,) if self.short is None else (self.short, self.long)

    @property
    def usage(self) -> str:
        """The option as help writes it: its spellings, and the name of its value."""
        spellings = ", ".join(self.spellings)
        return spellings if self.metavar is None else f"{spellings} {self.metavar}"

    @property
    def is_list(self) -> bool:
        """Whether its value is a list with commas, after which blanks may follow."""
        return self.kind in (Kind.EXPRESSIONS, Kind.COLUMNS)

    @property
    def empty(self) -> Any:
        """The value on a line where it is not given."""
        return False if self.kind is Kind.FLAG else () if self.many else None


OPTIONS = (
    Option(
        "prompt", "the question", metavar="TEXT", kind=Kind.TEXT, argument="prompt", read=_readers.text,
        in_identity=True, in_request=True, in_picker=True, on_line=False,
    ),
    Option(
        "code", "the code that is asked about", metavar="CODE", kind=Kind.TEXT, argument="code", read=_readers.code,
        in_identity=True, in_request=True, on_line=False,
    ),
    Option(
        "mode", "realtime_answer, fast or standard", "-m", "MODE", Kind.MODE, argument="mode", read=_readers.mode,
        in_identity=True, in_request=True, in_picker=True, configurable=True,
    ),
    Option(
        "tag", "expertise, by name or id; the cheapest active one unless said", "-t", "TAG", Kind.TAG,
        argument="tag", read=_readers.tag,
        in_identity=True, in_request=True, in_picker=True, configurable=True,
    ),
    Option(
        "max_credits", "credits this may use, before multipliers", "-c", "N", Kind.INTEGER,
        argument="max_credits", read=_readers.whole_number,
        in_identity=True, in_request=True, in_picker=True, configurable=True,
    ),
    Option(
        "project", "project; the working folder's name unless said", "-p", "NAME", Kind.PROJECT,
        argument="project", read=_readers.text,
        in_identity=True, in_request=True, in_picker=True, configurable=True,
    ),
    Option(
        "attach", "variables or expressions to attach: tables, data, figures, code, paths", "-a", "EXPR,…",
        Kind.EXPRESSIONS, many=True, argument="attach", read=_readers.attachments,
        in_identity=True, in_request=True, in_picker=True,
    ),
    Option(
        "file", "a file to attach", "-f", "PATH", Kind.PATH, many=True,
        argument="files", read=_readers.files, of_line=_readers.files_of_line,
        in_identity=True, in_request=True, in_picker=True,
    ),
    Option(
        "figure", "attach the open figure, or with --run the one that it drew",
        in_identity=True, in_request=True, in_picker=True,
    ),
    Option(
        "traceback", "attach the last exception: your own frames, and the shapes of tables in them",
        in_identity=True, in_request=True, in_picker=True,
    ),
    Option("last", "with --traceback: the last exception, although cells have run without one since"),
    Option(
        "context", "attach the last N cells that were executed", metavar="N", kind=Kind.INTEGER,
        in_identity=True, in_request=True, in_picker=True,
    ),
    Option(
        "schema", "ask for data after this schema; AI generates such answers", "-s", "NAME", Kind.SCHEMA,
        argument="schema", read=_readers.as_given, of_line=_readers.schema_of_line,
        in_identity=True, in_request=True, in_picker=True,
    ),
    Option(
        "metadata", "a note of your own that goes along", metavar="K=V", kind=Kind.PAIR, many=True,
        argument="metadata", read=_readers.metadata, of_line=_readers.metadata_of_line,
        in_identity=True, in_request=True,
    ),
    Option("text", "the cell is the prompt, not code", in_identity=True, in_request=True),
    Option(
        "run", "execute the cell first, and attach how its run ended; -a is looked up after it",
        in_identity=True, in_request=True,
    ),
    Option("out", "the variable for the task; _codevf unless said", "-o", "NAME", Kind.VARIABLE),
    Option("wait", "wait for the answer", "-w"),
    Option("timeout", "seconds to wait at most, with --wait", metavar="S", kind=Kind.SECONDS),
    Option(
        "again", "the Nth asking of the same question", metavar="N", kind=Kind.INTEGER,
        argument="again", read=_readers.asking, in_identity=True,
    ),
    Option(
        "max_bytes", "bytes that one file made here may take; a larger table is sampled", metavar="N",
        kind=Kind.INTEGER, argument="max_bytes", read=_readers.whole_number, in_request=True,
    ),
    Option(
        "redact", "columns to mask; the same value has the same mask", metavar="COL,…", kind=Kind.COLUMNS, many=True,
        argument="redact", read=_readers.columns, of_line=_readers.columns_of_line, in_request=True,
    ),
    Option(
        "profile", "full lets the engine of a lazy table count all its rows for the profile", metavar="KIND",
        kind=Kind.PROFILE, argument="profile", read=_readers.profile, in_request=True, in_picker=True,
    ),
    Option(
        "allow_secrets", "send although something looks like a key, a token or a password",
        argument="allow_secrets", read=_readers.flag,
    ),
    Option(
        "allow_personal", "send although something looks like data about people",
        argument="allow_personal", read=_readers.flag,
    ),
    Option("no_ledger", "ask although the ledger can't be opened; only this kernel will remember it"),
    Option("dry_run", "show what would be sent and its cost; send nothing (--run still runs the cell)"),
    Option("help", "show this help; send nothing", "-h"),
)  # fmt: skip
LINE_OPTIONS = tuple(option for option in OPTIONS if option.on_line)
BY_NAME = {option.name: option for option in OPTIONS}
BY_ARGUMENT = {option.argument: option for option in OPTIONS if option.argument is not None}


@dataclass(frozen=True)
class Defaults:
    """What an option that was not given resolves to first: the notebook's own configuration (``%config CodeVF``)."""

    mode: str | None = None
    tag: str | int | None = None
    max_credits: int | None = None
    project: str | None = None

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Defaults:
        """Make defaults of configured values, in which 0 and "" mean "not configured"."""
        return cls(**{name: value or None for name, value in values.items()})


@dataclass(frozen=True)
class AskOptions:
    """The options of one question, as they were given: one record for the magic, the picker and ``ask``.

    ``None`` means "not given": what it resolves to (the cheapest tag, the least credits, the folder's name) is decided
    later, and is no part of the question's identity. The fields are the arguments in ``OPTIONS``, and:

    Args:
        unnamed: Whether the names in ``attach`` are only numbers; then the contents are part of the question.
        contents_count: Whether the contents of ``files`` are part of the question.
        exception: The type and the failing line of the exception that is asked about.
    """

    prompt: str | None = None
    code: str | None = None
    attach: Mapping[str, Any] = field(default_factory=dict)
    unnamed: bool = False
    files: tuple[str | Path, ...] = ()
    contents_count: bool = False
    mode: str | None = None
    tag: str | int | None = None
    max_credits: int | None = None
    project: str | None = None
    schema: Any = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    exception: str | None = None
    again: int = 1
    max_bytes: int | None = None
    redact: tuple[Any, ...] = ()
    profile: str | None = None
    allow_secrets: bool = False
    allow_personal: bool = False

    @classmethod
    def of(
        cls,
        arguments: Mapping[str, Any],
        names: Mapping[str, Any],
        *,
        contents_count: bool = True,
        exception: str | None = None,
    ) -> AskOptions:
        """Read the arguments of ``codevf_nb.ask``, of the picker or of the magic's line.

        Args:
            arguments: The arguments by the names that ``ask`` gives them.
            names: The variables of the notebook, to recognize one that was passed by its name.
            contents_count: Whether the contents of ``files`` are part of the question.
            exception: What identifies the exception that is asked about.

        Raises:
            BadRequestError: An argument has a type that it can't take, or there is nothing to ask.
            KeyError: An argument has no row in ``OPTIONS``.
        """
        rows = {name: BY_ARGUMENT[name] for name in arguments}
        fields = {name: row.read(name, arguments[name]) for name, row in rows.items() if row.read is not None}
        unnamed = not isinstance(arguments.get("attach"), Mapping | None)
        if unnamed:
            for part in fields["attach"].values():
                _readers.refuse_name(part, names)
        options = cls(**fields, unnamed=unnamed, contents_count=contents_count, exception=exception)
        if not (options.prompt or options.code):
            raise BadRequestError("there is no prompt and no code, so there is nothing to ask.")
        return options


def arguments_of_line(values: Mapping[str, Any], names: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was typed on the line as arguments for ``AskOptions.of``, except what is attached.

    Args:
        values: The values by the names of their options, as the grammar reads them.
        names: The variables of the notebook.

    Raises:
        BadRequestError: A value can't be read.
        KeyError: An option has no row in ``OPTIONS``.
    """
    arguments: dict[str, Any] = {}
    for name, value in values.items():
        row = BY_NAME[name]
        if row.argument is not None and row.kind is not Kind.EXPRESSIONS:
            arguments[row.argument] = value if row.of_line is None else row.of_line(row.long, value, names)
    return arguments
