"""The errors of asking that are no response of the service, and the one place that words them.

Every message says what happened, whether anything was sent, and what to do next. ``error.sent`` and
``error.next_step`` hold the last two as data.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import TypeGuard, TypeVar

from codevf_nb.ledger import Entry, LedgerError
from codevf_nb.sdk.exceptions import APIConnectionError, CodeVFError, IdempotencyConflictError

NOTHING_SENT = "Nothing was sent."
QUESTION_NOT_SENT = "The question was not sent."
SAME_KEY = "the same bytes go under the same key, so it can't be paid twice."

E = TypeVar("E", bound=CodeVFError)


class OutcomeUnknownError(CodeVFError):
    """A question was sent, and no response was received. Asking it again uses the same key, and finds out."""


class InFlightError(CodeVFError):
    """Another kernel is sending the same question, for longer than a call may take."""

    def __init__(self) -> None:
        super().__init__("another kernel is sending the same question right now; run the cell again in a moment.")
        self.next_step = "Run the cell again in a moment."


class NotWrittenError(LedgerError):
    """The ledger can't be written; the message says whether the question was sent."""


class AskedElsewhereError(CodeVFError):
    """The same question was asked before, from another ledger or under another key. Nothing was paid now."""


class OtherProjectError(CodeVFError):
    """The same cell was asked in another folder's project, about other contents. Nothing was sent."""


def other_project(entry: Entry, project: str, changed: Sequence[str]) -> OtherProjectError:
    """Return the error for a cell that was asked in another project, with other contents of its attachments."""
    return _worded(
        OtherProjectError,
        f"the same cell was asked in project {entry.project!r} ({entry.task_id}), about other contents of "
        f"{', '.join(changed)}; this is project {project!r}.",
        sent=False,
        next_step=f"-p {project} asks in this project, --again {entry.asking + 1} asks again in any case; "
        f"%codevf show {entry.task_id} shows that answer.",
    )


def outcome_unknown(error: CodeVFError) -> OutcomeUnknownError:
    """Return the error for a question that was sent without a response."""
    why = str(error).removesuffix(f". {NOTHING_SENT}")  # of this attempt; an earlier one may have reached the service
    return _worded(
        OutcomeUnknownError,
        f"sent, but no response was received, so the outcome is unknown ({why}).",
        sent=True,
        next_step=f"Run the cell again: {SAME_KEY}",
    )


def is_conflict(error: CodeVFError) -> TypeGuard[IdempotencyConflictError]:
    """Whether an error is a 409 that says that the key of a question is taken for good."""
    return isinstance(error, IdempotencyConflictError) and not error.in_flight


def key_conflict(entry: Entry, task_id: str | None) -> AskedElsewhereError:
    """Return the error for a 409 on a key that only this question can have."""
    show = "" if task_id is None else f"%codevf show {task_id} shows it; "
    return _worded(
        AskedElsewhereError,
        "asked before from elsewhere, with other attachments (or another body): the service keeps the first one, and "
        "nothing is paid now.",
        sent=True,
        next_step=f"{show}--again {entry.asking + 1} asks again. The ledger remembers it: the question isn't "
        f"sent again, unless %codevf settle says so; %codevf settle {entry.id} TASK names its task.",
    )


def manual_settlement_needed(entry: Entry, why: str) -> OutcomeUnknownError:
    """Return the error for an unknown outcome that only a person can look up."""
    return _worded(
        OutcomeUnknownError,
        f"the outcome of question {entry.id} is unknown; {why}.",
        sent=None,
        next_step=f"Look for it on codevf.com, then say what you found: %codevf settle {entry.id} TASK, or "
        f"%codevf settle {entry.id} none. Nothing was sent now.",
    )


def open_under_another_key(entry: Entry) -> AskedElsewhereError:
    """Return the error for a question that the same person asked under another key, and that is still open."""
    return _worded(
        AskedElsewhereError,
        f"asked before under another key, and still open: {entry.task_id} of account {entry.account}.",
        sent=False,
        next_step=f"If this key is a new one of the same account, %codevf account same {entry.account} brings it "
        f"here; else --again {entry.asking + 1} asks (and pays) once more.",
    )


def ledger_failed(error: LedgerError, *, sent: bool) -> NotWrittenError:
    """Return the error for a ledger that fails while a question is asked; ``sent``: after the question was sent."""
    if not sent:
        return _worded(
            NotWrittenError,
            f"{error}.",
            sent=False,
            next_step="Without the ledger it might be paid twice: fix that, or ask this once without it, --no-ledger.",
        )
    return _worded(
        NotWrittenError,
        f"{error}. The question was sent all the same:",
        sent=True,
        next_step=f"once the ledger can be written, run the cell again; {SAME_KEY}",
    )


def interruption_message(entry: Entry | None) -> str | None:
    """Return what Ctrl-C has stopped, and what to do next; None where the question was never sent."""
    if entry is not None and entry.is_open:
        return (
            f"stopped waiting, and the task goes on. %codevf cancel {entry.task_id} stops it; "
            f"%codevf show {entry.task_id} shows its answer."
        )
    if entry is not None and entry.task_id is not None:
        return f"stopped. %codevf show {entry.task_id} shows what was asked before."
    if entry is not None and entry.may_be_there:
        return (
            "stopped while it was being sent, so it may be at the service. Run the cell again: it can't be paid twice."
        )
    return None


@contextlib.contextmanager
def before_sending() -> Iterator[None]:
    """Mark every error in this block as one before the question was sent."""
    try:
        yield
    except LedgerError as error:
        raise ledger_failed(error, sent=False) from error
    except CodeVFError as error:
        mark_not_sent(error)
        raise


@contextlib.contextmanager
def before_ledger_write() -> Iterator[None]:
    """Mark a ledger error in this block as one before the question was sent, unless it is marked already."""
    try:
        yield
    except NotWrittenError:
        raise
    except LedgerError as error:
        raise ledger_failed(error, sent=False) from error


def mark_not_sent(error: CodeVFError) -> None:
    """Record in an error that the question was not sent; another request may have been."""
    other_request = isinstance(error, APIConnectionError) or getattr(error, "status_code", None) is not None
    if not isinstance(error, APIConnectionError):  # whose ``sent`` is about the other request
        error.sent = False
    error.add(QUESTION_NOT_SENT if other_request else NOTHING_SENT)


def _worded(kind: type[E], what: str, *, sent: bool | None, next_step: str) -> E:
    error = kind(f"{what} {NOTHING_SENT} {next_step}" if sent is False else f"{what} {next_step}")
    error.sent, error.next_step = sent, next_step
    return error
