"""The table of options of ``%%codevf``, which the reader, help, completion and the tests share."""

from __future__ import annotations

import re
from dataclasses import dataclass

from codevf_nb.sdk.exceptions import CodeVFError


class GrammarError(CodeVFError):
    """The line after the magic can't be read; the message names the word and what to write."""


@dataclass(frozen=True)
class Option:
    """One option: how it is spelled, the name of its value (None for a flag), whether it may be given again."""

    long: str
    short: str | None
    value: str | None
    help: str
    many: bool = False
    number: type = str

    @property
    def name(self) -> str:
        """The key of the option's value."""
        return self.long.removeprefix("--").replace("-", "_")

    @property
    def spelled(self) -> str:
        """The option as help writes it: its spellings, and the name of its value."""
        spellings = ", ".join(part for part in (self.short, self.long) if part)
        return spellings if self.value is None else f"{spellings} {self.value}"

    @property
    def is_list(self) -> bool:
        """Whether its value is a list with commas, after which blanks may stand."""
        return self.value is not None and self.value.endswith("…")


OPTIONS = (
    Option("--mode", "-m", "MODE", "realtime_answer, fast or standard"),
    Option("--tag", "-t", "TAG", "expertise, by name or id; the cheapest active one unless said"),
    Option("--max-credits", "-c", "N", "credits this may use, before multipliers", number=int),
    Option("--project", "-p", "NAME", "project; the working folder's name unless said"),
    Option(
        "--attach", "-a", "EXPR,…", "variables or expressions to attach: tables, data, figures, code, paths", many=True
    ),
    Option("--file", "-f", "PATH", "a file to attach", many=True),
    Option("--figure", None, None, "attach the open figure, or with --run the one that it drew"),
    Option("--traceback", None, None, "attach the last exception: your own frames, and the shapes of tables in them"),
    Option("--last", None, None, "with --traceback: the last exception, although cells have run without one since"),
    Option("--context", None, "N", "attach the last N cells that were executed", number=int),
    Option("--schema", "-s", "NAME", "ask for data after this schema; AI generates such answers"),
    Option("--metadata", None, "K=V", "a note of your own that goes along", many=True),
    Option("--text", None, None, "the cell is the prompt, not code"),
    Option("--run", None, None, "execute the cell first, and attach how its run ended; -a is looked up after it"),
    Option("--out", "-o", "NAME", "the variable for the task; _codevf unless said"),
    Option("--wait", "-w", None, "wait for the answer"),
    Option("--timeout", None, "S", "seconds to wait at most, with --wait", number=float),
    Option("--again", None, "N", "the Nth asking of the same question", number=int),
    Option("--max-bytes", None, "N", "bytes that one file made here may take; a larger table is sampled", number=int),
    Option("--redact", None, "COL,…", "columns to mask; the same value has the same mask", many=True),
    Option("--profile", None, "KIND", "full lets the engine of a lazy table count all its rows for the profile"),
    Option("--allow-secrets", None, None, "send although something looks like a key, a token or a password"),
    Option("--allow-personal", None, None, "send although something looks like data about people"),
    Option("--no-ledger", None, None, "ask although the ledger can't be opened; only this kernel will remember it"),
    Option("--dry-run", None, None, "show what would be sent and its cost; send nothing (--run still runs the cell)"),
    Option("--help", "-h", None, "show this help; send nothing"),
)
BY_SPELLING = {spelling: option for option in OPTIONS for spelling in (option.long, option.short) if spelling}


def letters_of(name: str) -> str:
    """Return what is compared when a name is typed in another way: its letters and digits, in lower case."""
    return re.sub(r"[\W_]+", "", name).casefold()


BY_LETTERS = {letters_of(option.long): option for option in OPTIONS}


def option_called(name: str) -> Option | None:
    """Return the option of this name, with or without dashes: ``dry_run``, ``--Dry-Run`` and ``-m`` find theirs."""
    return BY_SPELLING.get(name) or BY_SPELLING.get(f"-{name}") or BY_LETTERS.get(letters_of(name))
