"""The automated answer of a task: its findings, its cost and its format."""

from __future__ import annotations

from decimal import Decimal

from codevf_nb.sandbox._fill import fill
from codevf_nb.sandbox._reviewer import Document, Review, review
from codevf_nb.sandbox._rules import used_by
from codevf_nb.sandbox._schema import SchemaError
from codevf_nb.sandbox._task import Answer
from codevf_nb.sandbox._validation import Draft

FINDINGS_FILE = "findings.csv"


def answer_for(draft: Draft) -> Answer:
    """Review the attachments, and return the answer: Markdown, or data for a `responseSchema`."""
    documents = [Document(item.file_name, item.mime_type, item.content) for item in draft.attachments]
    found = review(documents)
    used = used_by(draft.hold, len(found.findings), found.bytes_read)
    if draft.response_schema is not None:
        return Answer(used, data=_data(draft, found))
    if not found.findings:
        return Answer(used, found.message)
    table = {"fileName": FINDINGS_FILE, "mimeType": "text/csv", "content": found.table}
    return Answer(Decimal(used), found.message, deliverables=[table])


def _data(draft: Draft, found: Review) -> object:
    schema = draft.response_schema or {}
    try:
        return fill(schema, found.findings, found.summary)
    except (SchemaError, RecursionError, OverflowError):
        # The check of the schema has found neutral data. The findings do not fit.
        return fill(schema, ())
