"""The request of a question, and its columns in the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from codevf_nb.ledger import Entry
from codevf_nb.questions.question import Draft
from codevf_nb.sdk.models import TaskResponse, worst_case
from codevf_nb.sdk.tasks import PreparedTask

if TYPE_CHECKING:
    from codevf_nb.accounts.settings import Account


def body_of(draft: Draft, project_id: int) -> dict[str, Any]:
    """Return the arguments of ``tasks.prepare`` for a priced question."""
    question, terms = draft.question, draft.priced
    return {
        "prompt": question.prompt,
        "max_credits": terms.max_credits,
        "project_id": project_id,
        "mode": terms.mode,
        "metadata": dict(question.metadata) or None,
        "attachments": draft.api_attachments() or None,
        "tag_id": terms.tag.id,
        "response_schema": dict(question.schema) if question.schema else None,
    }


def columns(account: Account, asked_by: str, draft: Draft, identity: str, prepared: PreparedTask) -> dict[str, Any]:
    """Return the ledger's columns of a priced question, without its attachments."""
    question, terms = draft.question, draft.priced
    return {
        "environment": account.environment,
        "origin": account.origin,
        "credential": account.credential,
        "asked_by": asked_by,
        "identity": identity,
        "asking": question.asking,
        "idempotency_key": prepared.idempotency_key,
        "project": terms.project,
        "mode": terms.mode.value,
        "tag": terms.tag.display_name or terms.tag.name,
        "prompt": question.prompt,
        "code": question.code,
        "response_schema": None if question.schema is None else dict(question.schema),
        "max_credits": terms.max_credits,
        "multiplier": float(terms.tag.cost_multiplier),
        "cost_cap": terms.cost_cap,
    }


def cost_cap(entry: Entry, response: TaskResponse) -> int | None:
    """Return the highest possible cost: as priced, or higher where the response has more expensive terms."""
    responded = worst_case(response, mode=entry.mode, max_credits=entry.max_credits, multiplier=entry.priced_multiplier)
    return max((cap for cap in (entry.cost_cap, responded) if cap is not None), default=None)
