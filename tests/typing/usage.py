"""What users write; a type checker reads it, nobody runs it."""

import uuid
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import assert_type

from codevf_nb.sdk import (
    Attempt,
    CodeVFClient,
    CreditBalance,
    PreparedTask,
    Project,
    RawAnswer,
    ServiceMode,
    Tag,
    TaskResponse,
    TaskResult,
    calculate_final_credit_cost,
    differences,
    mismatches,
    normalize_attachments,
    rows,
    validate_metadata,
)
from codevf_nb.sdk.exceptions import (
    AuthenticationError,
    BadRequestError,
    InsufficientCreditsError,
    RateLimitError,
)


@dataclass
class Finding:
    severity: str
    line: int


def limiter(attempt: Attempt) -> None:
    print(attempt.method, attempt.number)


def record(answer: RawAnswer) -> None:
    print(answer.status, answer.headers["Date"], len(answer.body))


with CodeVFClient(api_key="cvf_test_x", timeout=30, before_attempt=limiter) as client:
    project = client.projects.create("reviews", description="joins")
    assert_type(project, Project)
    assert_type(project.id, int)
    task = client.tasks.create(
        "Is this join dropping rows?",
        240,
        project.id,
        mode=ServiceMode.FAST,
        metadata=validate_metadata({"team": "data"}),
        attachments=[Path("join.py"), b"raw", ("note.txt", "text"), {"fileName": "a.md", "content": "# a"}],
        tag_id=5,
        response_schema=Finding,
    )
    assert_type(task, TaskResponse)
    assert_type(task.credits_used, Decimal | None)
    prepared = client.tasks.prepare(
        "Is this join dropping rows?", 240, project.id, mode="fast", idempotency_key=uuid.uuid4()
    )
    assert_type(prepared, PreparedTask)
    assert_type(client.tasks.send(prepared, before_attempt=limiter, on_answer=record, deadline=10), TaskResponse)
    done = client.tasks.wait(task.id, timeout=600, on_progress=lambda task: print(task.status))
    if isinstance(done.result, TaskResult):
        for deliverable in done.result.deliverables:
            assert_type(client.tasks.download(deliverable, "answers"), Path)
    assert_type(client.credits.get_balance(), CreditBalance)
    assert_type(client.tags.list(), list[Tag])
    assert_type(differences(done, mode="fast", max_credits=240, multiplier=Decimal(1)), list[str])
    print(mismatches(done.result, done.response_schema), rows(done.result), normalize_attachments("a.py"))

assert_type(calculate_final_credit_cost(240, ServiceMode.FAST, Decimal("1.6")), int)

try:
    client.credits.get_balance()
except RateLimitError as error:
    assert_type(error.retry_after, float | None)
except InsufficientCreditsError as error:
    assert_type(error.available, Decimal | None)
except BadRequestError as error:
    print([entry.field for entry in error.errors])
except AuthenticationError as error:
    print(error.status_code, error.code, error.uncertain)
