"""What is asked, and what makes two questions the same.

The identity holds what the user said; changing one of these asks (and pays) again: account, prompt, code, mode, tag,
credits, project, schema, metadata, the names of what is attached, the exception that is asked about, and the asking
number (``--again``). An option that was not given is "not given", whatever it resolves to today: a cheaper tag, another
working folder or a new default make no new question.

Left out, so that changing it never pays twice: what named attachments hold (data that changed since is reported with
the old answer, see ``ledger/changes.py``; contents count only for what has no name), the order in which they and
the options were given, who asks, where the cell is, line ends, and all that only says how the answer is shown or waited
for (``-o``, ``-w``, ``--timeout``, ``--run``) or how much of a table goes along (``--max-bytes``, ``--redact``).

The idempotency key is made from the identity: another ledger, or a fresh machine on the same account, sends the same
key, and the service returns the task it already has.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from codevf_nb.questions.options import Defaults
from codevf_nb.sdk.models import ServiceMode, Tag, calculate_final_credit_cost

if TYPE_CHECKING:
    from codevf_nb.attachments import Attachment

DEFAULT_PROMPT = "Review this cell: is it correct, and what would you change?"


@dataclass(frozen=True)
class Question:
    """What the user said. ``None`` is "not given"; ``attached`` are names, in the order given; ``asking`` is from 1.

    ``contents`` are SHA-256 digests of what was attached without a name, ``exception`` is the type and the failing line
    of the exception that is asked about.
    """

    prompt: str
    code: str | None = None
    mode: ServiceMode | None = None
    tag: str | None = None
    max_credits: int | None = None
    project: str | None = None
    schema: Mapping[str, Any] | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    attached: tuple[str, ...] = ()
    contents: tuple[str, ...] = ()
    exception: str | None = None
    asking: int = 1

    def identity(self, account: str) -> str:
        """Return the SHA-256 (hex) of all that makes this question this question, on an account."""
        return _sha256(
            {
                "version": 2,
                "account": account,
                "prompt": self.prompt,
                "code": self.code,
                "mode": None if self.mode is None else self.mode.value,
                "tag": self.tag,
                "max_credits": self.max_credits,
                "project": self.project,
                "schema": self.schema,
                "metadata": dict(self.metadata),
                "attached": sorted(self.attached),
                "contents": sorted(self.contents),
                "exception": self.exception,
                "asking": self.asking,
            }
        )

    def identity_1(self, account: str, project: str, mode: str, tag_id: int, max_credits: int) -> str:
        """Return the identity that version 0.1.0 gave this question, which held what its options resolved to."""
        return _sha256(
            {
                "account": account,
                "project": project,
                "prompt": self.prompt,
                "code": self.code,
                "mode": mode,
                "tag": tag_id,
                "max_credits": max_credits,
                "schema": self.schema,
                "metadata": dict(self.metadata),
                "attached": sorted(self.attached),
                "asking": self.asking,
            }
        )


@dataclass(frozen=True)
class Terms:
    """What a question is asked under, once each option that was not given is resolved."""

    project: str
    mode: ServiceMode
    tag: Tag
    max_credits: int

    @property
    def cost_cap(self) -> int:
        """The most that the question can cost, in credits: max credits × mode × tag, rounded up."""
        return calculate_final_credit_cost(self.max_credits, self.mode, self.tag.cost_multiplier)


def idempotency_key(identity: str) -> str:
    """Make a UUID, version 4 in form, of an identity: the same one on every machine."""
    return str(uuid.UUID(bytes=bytes.fromhex(identity)[:16], version=4))


@dataclass(frozen=True)
class Draft:
    """A question with its attachments made: what would be sent, before anything is.

    ``project`` is the project's name, ``defaults`` are what options that were not given resolve to; ``terms`` is None
    until the question is priced. ``unread`` names what of it could not be looked into for anything private, and why.
    """

    question: Question
    attachments: tuple[Attachment, ...] = ()
    project: str = "notebook"
    defaults: Defaults = field(default_factory=Defaults)
    terms: Terms | None = None
    unread: tuple[str, ...] = ()

    @property
    def priced(self) -> Terms:
        """The terms of a draft that was priced."""
        if self.terms is None:
            raise AssertionError("the draft was not priced")
        return self.terms

    def api_attachments(self) -> list[dict[str, Any]]:
        """Return the attachments as the client takes them."""
        return [{"fileName": part.file_name, "content": part.content} for part in self.attachments]

    def files(self) -> list[tuple[str, bytes]]:
        """Return name and bytes of every file, as they would be sent."""
        return [(part.file_name, part.content) for part in self.attachments]

    def texts(self) -> dict[str, Any]:
        """Return all that would be sent besides the files, by what it is called; what is no text goes as JSON."""
        question = self.question
        metadata = {f"metadata {key}": {key: value} for key, value in question.metadata.items()}
        named = {"the prompt": question.prompt, "the project's name": self.project, "the schema": question.schema}
        return {**named, **metadata}

    def manifest(self) -> list[dict[str, Any]]:
        """Return what the ledger keeps of the attachments: name, size, SHA-256, and rows where there are any."""
        return [part.record() for part in self.attachments]


def spelled(name: str) -> str:
    """Return a tag's name as names are compared: case, blanks, - and _ don't matter."""
    return name.strip().lower().replace(" ", "-").replace("_", "-")


def _sha256(parts: Mapping[str, Any]) -> str:
    text = json.dumps(parts, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
