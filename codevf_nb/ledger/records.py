"""The records of the ledger: one question with its task and its answer."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import Row

from codevf_nb.ledger._errors import LedgerError
from codevf_nb.ledger._lease import is_leased
from codevf_nb.sdk.models import (
    TaskDeliverable,
    TaskResponse,
    TaskResult,
    differences,
)
from codevf_nb.sdk.parsing import (
    loads,
    replace_unstorable,
    task_object_of,
    time_of,
)
from codevf_nb.sdk.responses import result_of
from codevf_nb.sdk.statuses import ANSWERED, status_info


class SendState(StrEnum):
    """The service's decision about a question.

    ``OPEN``: there is no decision yet. ``unheard`` counts the attempts whose outcome is unknown; the lease shows
    whether a process is sending the question now. ``ACCEPTED``: the service has it, as task ``task_id``. ``REFUSED``:
    the service refused it, or a person reports that the service does not have it; no credits are on hold.
    """

    OPEN = "open"
    ACCEPTED = "accepted"
    REFUSED = "refused"


# The outcome of a question that the service may have, but has not confirmed.
UNKNOWN = "unknown"
# The identity of an imported task, which was not created from this ledger, is this prefix and the task id.
FOREIGN = "task "
# Amounts are limited to this many credits, positive or negative, so that they can be summed.
MOST_CREDITS = Decimal(10**12)
_STATES = frozenset(SendState)
MOST_WHOLE = 2**31 - 1
# The keys of ``result`` where the answer is a text: its files, and other fields of the response.
FILES, MORE = "deliverables", "more"
_JSON = ("attachments", "response_schema", "result", "notes")


@dataclass(frozen=True)
class Entry:
    """A row of ``questions``, with its JSON columns parsed. Times are seconds since 1970 UTC; amounts are credits."""

    id: int
    account: str
    environment: str
    origin: str
    credential: str
    asked_by: str
    identity: str
    asking: int
    idempotency_key: str
    project: str | None
    mode: str | None
    tag: str | None
    prompt: str | None
    code: str | None
    attachments: Any
    response_schema: Any
    max_credits: int | None
    multiplier: float | None
    cost_cap: int | None
    state: SendState
    prepared_at: float
    body_sha256: str | None
    lease_owner: str | None
    lease_until: float | None
    attempts: int
    unheard: int
    error: str | None
    task_id: str | None
    status: str | None
    credits_used: float | None
    created_at: float | None
    completed_at: float | None
    message: str | None
    result: Any
    notes: Any
    seen_at: float | None

    @classmethod
    def read(cls, row: Row[Any]) -> Entry:
        """Return the entry for a row of the table.

        Raises:
            LedgerError: Another version of codevf_nb wrote a state that this version does not know.
        """
        if row.state not in _STATES:
            raise LedgerError(
                f"question {row.id} has the state {row.state!r} in the ledger, which this codevf_nb doesn't know"
            )
        return cls(**load(row._asdict()))

    @property
    def is_open(self) -> bool:
        """Return whether the question may still be answered."""
        return self.task_id is not None and not status_info(self.status).is_final

    @property
    def may_be_there(self) -> bool:
        """Return whether the service may have the question because the outcome of an attempt is unknown."""
        return self.state == SendState.OPEN and self.unheard > 0

    def is_being_sent(self, now: float) -> bool:
        """Return whether a process is sending the question at the time ``now``."""
        return self.state == SendState.OPEN and is_leased(self.lease_owner, self.lease_until, now)

    @property
    def outcome(self) -> str:
        """The outcome of sending the question: accepted, refused, unknown or not sent."""
        return self.state if self.state != SendState.OPEN else UNKNOWN if self.unheard > 0 else "not sent"

    @property
    def is_foreign(self) -> bool:
        """Return whether the task was imported: the ledger has its answer and not its question."""
        return self.identity.startswith(FOREIGN)

    @property
    def priced_multiplier(self) -> Decimal | None:
        """The tag's price multiplier when the question was asked."""
        return None if self.multiplier is None else Decimal(str(self.multiplier))

    @property
    def is_forgotten(self) -> bool:
        """Return whether the texts were deleted on request. The cost is kept."""
        return self.prompt is None and not self.is_foreign

    @property
    def is_unread(self) -> bool:
        """Return whether there is an answer that no one has opened."""
        return self.status in ANSWERED and self.seen_at is None and not self.is_forgotten

    @property
    def is_structured(self) -> bool:
        """Return whether the answer is structured data, which according to CodeVF's documentation AI generates.

        Before there is an answer: whether the question asked for structured data.
        """
        if self.message is None and self.result is None:
            return self.response_schema is not None
        return is_data(self.message, self.result, self.response_schema)

    @property
    def data(self) -> Any:
        """The structured data of the answer; None if the answer is text or missing."""
        return self.result if self.is_structured else None

    @property
    def files(self) -> list[TaskDeliverable]:
        """The files that came with the answer."""
        parts = [] if self.is_structured or not self.result else self.result[FILES]
        return [
            TaskDeliverable(
                file_name=str(part["file_name"]),
                url=str(part.get("url") or ""),
                uploaded_at=time_of(part.get("uploaded_at")),
                mime_type=part.get("mime_type"),
            )
            for part in parts
        ]

    @property
    def more(self) -> Any:
        """The other fields of a text answer, besides its files, such as undocumented ones."""
        return None if self.is_structured or not self.result else self.result.get(MORE)


def is_data(message: str | None, result: Any, schema: Any) -> bool:
    """Return whether ``result`` is structured data, and not the files of a text; see ``columns_of_task``."""
    if message is not None or result is None:
        return False
    is_text = isinstance(result, dict) and result.keys() <= {FILES, MORE} and isinstance(result.get(FILES), list)
    if not is_text or not all(isinstance(part, dict) and "file_name" in part for part in result[FILES]):
        return True
    return not result[FILES] and schema is not None


def dump(values: dict[str, Any]) -> dict[str, Any]:
    """Serialize the JSON columns among ``values``, and replace characters that can't be stored."""
    return {
        name: json.dumps(replace_unstorable(value), default=str)
        if name in _JSON and value is not None
        else _storable(value)
        for name, value in values.items()
    }


def load(stored: dict[str, Any]) -> dict[str, Any]:
    """Parse stored columns into the values of an entry; the inverse of ``dump``."""
    read: dict[str, Any] = {name: loads(stored[name]) for name in _JSON if stored.get(name) is not None}
    if "state" in stored:
        read["state"] = SendState(stored["state"])
    return stored | read


def _storable(value: Any) -> Any:
    """Return the nearest value that its column can store: PostgreSQL's integers have 32 bits."""
    if isinstance(value, int):
        return max(-MOST_WHOLE, min(MOST_WHOLE, value))
    return replace_unstorable(value)


COLUMNS = tuple(field.name for field in fields(Entry))


def columns_of_task(response: TaskResponse, schema: Any = None) -> dict[str, Any]:
    """Return the columns of a question for a task that the service returned.

    Structured data is stored in ``result``. A text is stored in ``message``; then ``result`` has its files and other
    fields. The service sends no completion time, so ``completed_at`` is when the task was first received with a final
    status, by the response's Date header.

    Args:
        response: The task.
        schema: The response schema of the question, which the response may omit.

    Returns:
        Column names and values. A column that the response does not contain is missing.
    """
    values: dict[str, Any] = {"task_id": response.id, "status": response.status}
    if response.created_at is not None:
        values["created_at"] = response.created_at.timestamp()
    if response.credits_used is not None:
        values["credits_used"] = float(max(-MOST_CREDITS, min(MOST_CREDITS, response.credits_used)))
    if response.is_final:
        values["completed_at"] = (response.at or datetime.now(UTC)).timestamp()
    came = response.result
    if schema is not None and response.response_schema is None:
        came = result_of(task_object_of(response.raw).get("result"), schema)
    if isinstance(came, TaskResult):
        values["message"] = came.message
        values["result"] = {FILES: [asdict(part) for part in came.deliverables]}
        values["result"] |= {MORE: came.more} if came.more else {}
    elif came is not None:
        values |= {"message": None, "result": came}
    return values


def merged_notes(entry: Entry, response: TaskResponse) -> list[str] | None:
    """Return a question's notes and those on where the response differs from the request; of each kind the newest."""
    asked: dict[str, Any] = {"cost_cap": entry.cost_cap}
    if not entry.is_foreign:
        asked |= {"mode": entry.mode, "max_credits": entry.max_credits, "multiplier": entry.priced_multiplier}
    notes = [*(entry.notes or ()), *differences(response, **asked)]
    return list({note.partition(":")[0]: note for note in notes}.values()) or None
