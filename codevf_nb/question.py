"""What is asked, and what makes two questions the same.

Held by the identity, so that changing one of them asks (and pays) anew: account, project, prompt, code, mode, tag,
credits, schema, metadata, the names of what is attached, and the asking number (``--again``).

Left out, so that changing it never pays twice: what the attachments hold (data that changed since is reported with the
old answer, see ``ledger/changes.py``), the order in which they and the options were given, who asks, where the cell
stands, and all that only says how the answer is shown or waited for (``-o``, ``-w``, ``--timeout``, ``--run``) or how
much of a table goes along (``--max-bytes``, ``--redact``).

The idempotency key is made from the identity: another ledger, or a fresh machine on the same account, sends the same
key, and the service gives the task it already has.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from codevf_nb.sdk.models import ServiceMode, Tag, calculate_final_credit_cost

if TYPE_CHECKING:
    from codevf_nb.attachments import Attachment

DEFAULT_PROMPT = "Review this cell: is it correct, and what would you change?"


@dataclass(frozen=True)
class Question:
    """What the user asks. ``attached`` are names, in the order given; ``asking`` counts from 1."""

    prompt: str
    project: str
    mode: ServiceMode
    tag: Tag
    max_credits: int
    code: str | None = None
    schema: Mapping[str, Any] | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    attached: tuple[str, ...] = ()
    asking: int = 1

    @property
    def cost_cap(self) -> int:
        """The most that this can cost, in credits: max credits × mode × tag, rounded up."""
        return calculate_final_credit_cost(self.max_credits, self.mode, self.tag.cost_multiplier)

    def identity(self, account: str) -> str:
        """Return the SHA-256 (hex) of all that makes this question this question, on an account."""
        parts = {
            "account": account,
            "project": self.project,
            "prompt": self.prompt,
            "code": self.code,
            "mode": self.mode.value,
            "tag": self.tag.id,
            "max_credits": self.max_credits,
            "schema": self.schema,
            "metadata": dict(self.metadata),
            "attached": sorted(self.attached),
            "asking": self.asking,
        }
        text = json.dumps(parts, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


def idempotency_key(identity: str) -> str:
    """Make a UUID, version 4 in form, of an identity: the same one on every machine."""
    return str(uuid.UUID(bytes=bytes.fromhex(identity)[:16], version=4))


@dataclass(frozen=True)
class Draft:
    """A question with its attachments made and priced: what would be sent, before anything is."""

    question: Question
    attachments: tuple[Attachment, ...] = ()

    def api_attachments(self) -> list[dict[str, Any]]:
        """Return the attachments as the client takes them."""
        return [{"fileName": part.file_name, "content": part.content} for part in self.attachments]

    def files(self) -> list[tuple[str, bytes]]:
        """Return name and bytes of every file, as they would be sent."""
        return [(part.file_name, part.content) for part in self.attachments]

    def texts(self) -> dict[str, Any]:
        """Return all that would be sent beside the files, by what it is called; what is no text goes as JSON."""
        question = self.question
        metadata = {f"metadata {key}": {key: value} for key, value in question.metadata.items()}
        named = {"the prompt": question.prompt, "the project's name": question.project, "the schema": question.schema}
        return {**named, **metadata}

    def manifest(self) -> list[dict[str, Any]]:
        """Return what the ledger keeps of the attachments: name, size, SHA-256, and rows where there are any."""
        return [part.record() for part in self.attachments]
