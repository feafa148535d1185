"""Tasks: their request, their status, and their JSON in the API."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from codevf_nb.sandbox._clock import iso, number
from codevf_nb.sandbox._rules import PROCESSING_AFTER, TAGS

OPEN = ("pending", "processing")
ENDS = ("cancelled", "canceled", "failed", "expired")
"""The final statuses besides `completed`. Each of them releases the whole hold."""


@dataclass
class Answer:
    """An answer that is given now or later. For a task with a schema it has `data` instead of `message`."""

    credits_used: Decimal
    message: str = ""
    data: Any = None
    deliverables: list[dict[str, Any]] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)  # from a secret path to the text that the sandbox serves


@dataclass
class Task:
    """A task of an account. Only the engine changes it."""

    id: str
    key: str
    project_id: int
    prompt: str
    mode: str
    max_credits: Decimal
    tag: int
    hold: Decimal
    created_at: datetime
    metadata: dict[str, Any] | None = None
    idempotency_key: str | None = None
    attachments: list[dict[str, Any]] = field(default_factory=list)
    response_schema: dict[str, Any] | None = None
    status: str = "pending"
    due_at: datetime | None = None  # None: answered by hand
    ended_at: datetime | None = None
    answer: Answer | None = None

    @property
    def is_open(self) -> bool:
        """Whether the task has credits on hold."""
        return self.status in OPEN

    @property
    def credits_used(self) -> Decimal:
        """The cost, in credits. It is 0 until the task is completed."""
        return self.answer.credits_used if self.answer and self.status == "completed" else Decimal(0)

    def status_at(self, now: datetime) -> str:
        """Return the status at a time."""
        if not self.is_open or self.due_at is None:
            return self.status
        if now >= self.due_at:
            return "completed"
        wait = timedelta(seconds=(self.due_at - self.created_at).total_seconds() * PROCESSING_AFTER)
        return "processing" if now >= self.created_at + wait else "pending"

    def created_json(self) -> dict[str, Any]:
        """Return the JSON of `tasks/create`, as in the documentation."""
        return {
            "id": self.id,
            "status": self.status,
            "mode": self.mode,
            "maxCredits": number(self.max_credits),
            "tagIdUsed": self.tag,
            "expertiseMultiplier": number(TAGS[self.tag].multiplier),
            "createdAt": iso(self.created_at),
        }

    def json(self, origin: str) -> dict[str, Any]:
        """Return the JSON of `GET tasks/{id}`. The addresses of served files start with `origin`."""
        shown = self.created_json() | {
            "creditsUsed": number(self.credits_used),
            "result": self._result(origin),
        }
        return shown if self.response_schema is None else shown | {"responseSchema": self.response_schema}

    def _result(self, origin: str) -> Any:
        if self.status != "completed" or self.answer is None:
            return None
        if self.response_schema is not None:
            return self.answer.data
        deliverables = [
            {**item, "url": origin + item["url"] if item["url"].startswith("/") else item["url"]}
            for item in self.answer.deliverables
        ]
        return {"message": self.answer.message, "deliverables": deliverables}

    def snapshot(self, origin: str) -> dict[str, Any]:
        """Return all data of the task as JSON values, for tests and for inspection."""
        return {
            **self.json(origin),
            "key": self.key,
            "prompt": self.prompt,
            "projectId": self.project_id,
            "hold": number(self.hold),
            "metadata": self.metadata,
            "idempotencyKey": self.idempotency_key,
            "attachments": [dict(attachment) for attachment in self.attachments],
            "responseSchema": self.response_schema,
            "endedAt": iso(self.ended_at) if self.ended_at else None,
        }
