"""What can come of asking beside a task and a refusal, and what a person is told about it: one line with the way on."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import TypeGuard

from codevf_nb.ledger import Entry, LedgerError
from codevf_nb.sdk.exceptions import APIConnectionError, CodeVFError, IdempotencyConflictError

NOTHING_SENT = "Nothing was sent."


class OutcomeUnknownError(CodeVFError):
    """Nobody heard what became of a question that was sent. The same question again settles it, under the same key."""


class InFlightError(CodeVFError):
    """Another kernel is sending the same question, and has been for longer than anybody should wait."""

    def __init__(self) -> None:
        super().__init__("another kernel is sending the same question right now; run the cell again in a moment.")


class NotWrittenError(LedgerError):
    """The ledger can't be written; the message says whether the question was sent all the same."""


class AskedElsewhereError(CodeVFError):
    """The same question was asked before, from another ledger or under another key. Nothing was paid now."""


class OtherProjectError(CodeVFError):
    """The same cell was asked in another folder's project, about other contents. Nothing was sent."""


def other_project(entry: Entry, project: str, changed: Sequence[str]) -> OtherProjectError:
    """Say that nobody can tell whether this is the question of another folder, and how to say so."""
    return OtherProjectError(
        f"the same cell was asked in project {entry.project!r} ({entry.task_id}), about other contents of "
        f"{', '.join(changed)}; this is project {project!r}. {NOTHING_SENT} "
        f"-p {project} asks in this project, --again {entry.asking + 1} asks again in any case; "
        f"%codevf show {entry.task_id} shows that answer."
    )


def unheard(error: CodeVFError) -> OutcomeUnknownError:
    """Say that a question was sent and that nobody heard what became of it."""
    why = str(error).removesuffix(f". {NOTHING_SENT}")  # this time; the question may be there from an earlier one
    return OutcomeUnknownError(
        f"sent, but nobody heard what became of it ({why}). Run the cell again: the same bytes go under the same "
        "key, so it can't be paid twice."
    )


def is_conflict(error: CodeVFError) -> TypeGuard[IdempotencyConflictError]:
    """Whether a 409 says that the key of a question is taken, for good."""
    return isinstance(error, IdempotencyConflictError) and not error.in_flight


def conflict(entry: Entry, task_id: str | None) -> AskedElsewhereError:
    """Say what a 409 means on a key that only this question can have."""
    show = "" if task_id is None else f"%codevf show {task_id} shows it; "
    return AskedElsewhereError(
        "asked before from elsewhere, with other attachments (or another body): the service keeps the first one, and "
        f"nothing is paid now. {show}--again {entry.asking + 1} asks anew. The ledger remembers it: the question isn't "
        f"sent again, unless %codevf settle says so; %codevf settle {entry.id} TASK names its task."
    )


def by_hand(entry: Entry, why: str) -> OutcomeUnknownError:
    """Say that only a person can find out what became of a question, and how they say what they found."""
    return OutcomeUnknownError(
        f"nobody heard what became of question {entry.id}; {why}. Look for it on codevf.com, then say what you found: "
        f"%codevf settle {entry.id} TASK, or %codevf settle {entry.id} none. Nothing was sent now."
    )


def under_another_key(entry: Entry) -> AskedElsewhereError:
    """Say that the same person asked the same at the same place, under another key."""
    return AskedElsewhereError(
        f"asked before under another key, and still open: {entry.task_id} of account {entry.account}. {NOTHING_SENT} "
        f"If this key is a new one of the same account, %codevf account same {entry.account} brings it here; else "
        f"--again {entry.asking + 1} asks (and pays) once more."
    )


def stopped(entry: Entry | None) -> str | None:
    """Say how a question stands that a person stopped asking, or waiting for; None where it was never sent."""
    if entry is not None and entry.is_open:
        return (
            f"stopped waiting, and the task goes on. %codevf cancel {entry.task_id} stops it; "
            f"%codevf show {entry.task_id} tells its answer."
        )
    if entry is not None and entry.task_id is not None:
        return f"stopped. %codevf show {entry.task_id} shows what was asked before."
    if entry is not None and entry.may_be_there:
        return (
            "stopped while it was being sent, so it may be at the service. Run the cell again: it can't be paid twice."
        )
    return None


@contextlib.contextmanager
def telling_nothing_sent() -> Iterator[None]:
    """Say of whatever is refused before a question goes out that nothing was sent, or at least that it was not."""
    try:
        yield
    except LedgerError as error:
        raise not_written(error, sent=False) from error
    except CodeVFError as error:
        asked_about = isinstance(error, APIConnectionError) or getattr(error, "status_code", None) is not None
        error.add("The question was not sent." if asked_about else NOTHING_SENT)
        raise


@contextlib.contextmanager
def telling_whether_sent() -> Iterator[None]:
    """Say of a ledger that fails on the way to a question that nothing was sent, unless it was."""
    try:
        yield
    except NotWrittenError:
        raise
    except LedgerError as error:
        raise not_written(error, sent=False) from error


def not_written(error: LedgerError, *, sent: bool) -> NotWrittenError:
    """Say what a ledger that fails means for a question on its way."""
    if not sent:
        return NotWrittenError(
            f"{error}. {NOTHING_SENT} Without the ledger it might be paid twice: mend that, or ask this once "
            "without it, --no-ledger."
        )
    return NotWrittenError(
        f"{error}. The question was sent all the same: once the ledger can be written, run the cell again; the same "
        "bytes go under the same key, so it can't be paid twice."
    )
