"""What the ledger hands out: one question and what became of it."""

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
    """What the service has said of a question.

    ``OPEN``: nothing that can be relied on. How many attempts have gone out whose outcome nobody knows is counted in
    ``unheard``; whether someone is sending it at this moment is what its lease says. ``ACCEPTED``: the service has it,
    under ``task_id``. ``REFUSED``: the service, or a person, said no, and nothing is held.
    """

    OPEN = "open"
    ACCEPTED = "accepted"
    REFUSED = "refused"


# The outcome of a question that the service may have, although it has not said so.
UNKNOWN = "unknown"
# The identity of a task that this ledger hasn't asked for begins with this; its id follows.
FOREIGN = "task "
# An amount that is larger (or smaller, below zero) is recorded as this many credits: sums of it can be computed still.
MOST_CREDITS = Decimal(10**12)
_STATES = frozenset(SendState)
MOST_WHOLE = 2**31 - 1
# What a text's ``result`` holds: its files, and what else came with it.
FILES, MORE = "deliverables", "more"
_JSON = ("attachments", "response_schema", "result", "notes")


@dataclass(frozen=True)
class Entry:
    """A row of ``questions``, with its JSON columns read. Times are seconds since 1970 UTC; credits are credits."""

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
        """Make an entry of a row of the table.

        Raises:
            LedgerError: another version of codevf_nb has written what this one doesn't know.
        """
        if row.state not in _STATES:
            raise LedgerError(f"question {row.id} is {row.state!r} in the ledger, which this codevf_nb doesn't know")
        return cls(**load(row._asdict()))

    @property
    def is_open(self) -> bool:
        """Whether an answer may still come."""
        return self.task_id is not None and not status_info(self.status).is_final

    @property
    def may_be_there(self) -> bool:
        """Whether the service may have the question although nobody has heard so: an attempt's end is not known."""
        return self.state == SendState.OPEN and self.unheard > 0

    def is_being_sent(self, now: float) -> bool:
        """Whether some kernel is sending it at this moment."""
        return self.state == SendState.OPEN and is_leased(self.lease_owner, self.lease_until, now)

    @property
    def outcome(self) -> str:
        """What became of sending it, in a word: accepted, refused, unknown or not sent."""
        return self.state if self.state != SendState.OPEN else UNKNOWN if self.unheard > 0 else "not sent"

    @property
    def is_foreign(self) -> bool:
        """Whether the task was asked from elsewhere: this ledger knows its answer, not its question."""
        return self.identity.startswith(FOREIGN)

    @property
    def priced_multiplier(self) -> Decimal | None:
        """The factor of the tag by which the question was priced."""
        return None if self.multiplier is None else Decimal(str(self.multiplier))

    @property
    def is_forgotten(self) -> bool:
        """Whether its texts were deleted on request; what it cost stays known."""
        return self.prompt is None and not self.is_foreign

    @property
    def is_unread(self) -> bool:
        """Whether there is an answer that nobody has opened."""
        return self.status in ANSWERED and self.seen_at is None and not self.is_forgotten

    @property
    def is_structured(self) -> bool:
        """Whether the answer is data, which according to CodeVF's documentation AI generates, by what has come.

        Before it is there: whether data was asked for.
        """
        if self.message is None and self.result is None:
            return self.response_schema is not None
        return is_data(self.message, self.result, self.response_schema)

    @property
    def data(self) -> Any:
        """The data that the answer is; None where it is text, or isn't there."""
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
        """What came with a text beside its files, such as fields that the documentation doesn't know."""
        return None if self.is_structured or not self.result else self.result.get(MORE)


def is_data(message: str | None, result: Any, schema: Any) -> bool:
    """Whether a question's ``result`` is data, not what came with a text; see ``columns_of_task``."""
    if message is not None or result is None:
        return False
    is_text = isinstance(result, dict) and result.keys() <= {FILES, MORE} and isinstance(result.get(FILES), list)
    if not is_text or not all(isinstance(part, dict) and "file_name" in part for part in result[FILES]):
        return True
    return not result[FILES] and schema is not None


def dump(values: dict[str, Any]) -> dict[str, Any]:
    """Turn the JSON columns among ``values`` into the text that is stored, and every text into one that can be."""
    return {
        name: json.dumps(replace_unstorable(value), default=str)
        if name in _JSON and value is not None
        else _storable(value)
        for name, value in values.items()
    }


def load(stored: dict[str, Any]) -> dict[str, Any]:
    """Turn columns as ``dump`` and the table have them into those of an entry."""
    read: dict[str, Any] = {name: loads(stored[name]) for name in _JSON if stored.get(name) is not None}
    if "state" in stored:
        read["state"] = SendState(stored["state"])
    return stored | read


def _storable(value: Any) -> Any:
    """Return a value that its column takes: PostgreSQL's whole numbers have 32 bits."""
    if isinstance(value, int):
        return max(-MOST_WHOLE, min(MOST_WHOLE, value))
    return replace_unstorable(value)


COLUMNS = tuple(field.name for field in fields(Entry))


def columns_of_task(response: TaskResponse, schema: Any = None) -> dict[str, Any]:
    """Return what the columns of a question say once the service has answered with this task.

    ``schema``: what was asked for, which the answer needn't say. Data is the ``result``; of a text, which is the
    ``message``, it holds the files, and whatever else came.

    No time of completion is sent, so a final task's is when it was first seen final, by the answer's Date header.
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
    """Return a question's notes with what differs in an answer of the service; of each kind the newest."""
    asked: dict[str, Any] = {"cost_cap": entry.cost_cap}
    if not entry.is_foreign:
        asked |= {"mode": entry.mode, "max_credits": entry.max_credits, "multiplier": entry.priced_multiplier}
    notes = [*(entry.notes or ()), *differences(response, **asked)]
    return list({note.partition(":")[0]: note for note in notes}.values()) or None
