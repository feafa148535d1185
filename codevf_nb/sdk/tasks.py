"""Tasks: a question is prepared into bytes and a key, and those are sent; the same bytes never pay twice."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from codevf_nb.sdk.downloads import Saving, download, download_all
from codevf_nb.sdk.exceptions import (
    BadRequestError,
    IdempotencyConflictError,
    UnreadableAnswerError,
    WrongTaskError,
)
from codevf_nb.sdk.files import normalize_attachments
from codevf_nb.sdk.limits import DOWNLOAD_SECONDS, MAX_DOWNLOAD_BYTES
from codevf_nb.sdk.models import ServiceMode, TaskDeliverable, TaskResponse
from codevf_nb.sdk.polling import wait_for
from codevf_nb.sdk.responses import RawAnswer, parse_task
from codevf_nb.sdk.statuses import TaskStatus
from codevf_nb.sdk.transport import (
    BeforeAttempt,
    Call,
    OnAnswer,
    OnNoAnswer,
    Transport,
)
from codevf_nb.sdk.validation import (
    validate_body,
    validate_credits,
    validate_idempotency_key,
    validate_metadata,
    validate_mode,
    validate_project_id,
    validate_prompt,
    validate_resource_id,
    validate_schema,
    validate_tag_id,
)


@dataclass(frozen=True)
class PreparedTask:
    """A question as it will travel: the bytes, and the key under which they count once.

    It can be built again from stored bytes: `PreparedTask(body, idempotency_key)`.
    """

    body: bytes = field(repr=False)
    idempotency_key: str

    @property
    def sha256(self) -> str:
        """The digest of the bytes, in hexadecimal."""
        return hashlib.sha256(self.body).hexdigest()


class Tasks:
    """Asking, looking, waiting, cancelling, downloading."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def prepare(
        self,
        prompt: str,
        max_credits: int,
        project_id: int,
        *,
        mode: ServiceMode | str = ServiceMode.STANDARD,
        metadata: Mapping[str, Any] | None = None,
        idempotency_key: str | uuid.UUID | None = None,
        attachments: Any = None,
        tag_id: int | None = None,
        response_schema: Any = None,
    ) -> PreparedTask:
        """The bytes and the key of a task, checked, with nothing sent.

        `max_credits` is in credits, before the factors of mode and tag (see `calculate_final_credit_cost`).
        `attachments` is what `normalize_attachments` takes, `response_schema` what `to_json_schema` takes:
        with one, AI generates the answer, according to the documentation. Without an `idempotency_key` a new
        UUID4 is made. Raises the class that the service would raise, with `status_code` None.
        """
        body: dict[str, Any] = {
            "prompt": validate_prompt(prompt),
            "maxCredits": validate_credits(max_credits, mode),
            "projectId": validate_project_id(project_id),
            "mode": str(validate_mode(mode)),
        }
        if metadata is not None:
            body["metadata"] = validate_metadata(metadata)
        if tag_id is not None:
            body["tagId"] = validate_tag_id(tag_id)
        if response_schema is not None:
            body["responseSchema"] = validate_schema(response_schema)
        if files := normalize_attachments(attachments):
            body["attachments"] = files
        body["idempotencyKey"] = validate_idempotency_key(uuid.uuid4() if idempotency_key is None else idempotency_key)
        return PreparedTask(validate_body(_encoded(body)), body["idempotencyKey"])

    def send(
        self,
        prepared: PreparedTask,
        *,
        before_attempt: BeforeAttempt | None = None,
        on_answer: OnAnswer | None = None,
        on_no_answer: OnNoAnswer | None = None,
        deadline: float | None = None,
    ) -> TaskResponse:
        """Creates the task, or gives the one that an earlier send of the same key created.

        `before_attempt` is called right before each attempt. It may block, or raise: then nothing is sent. Where it
        raises RateLimitError after an attempt that failed, that failure is raised instead. `on_answer` is called
        with each whole answer before it is read, `on_no_answer` with the error of each attempt that has none.
        `deadline` is in seconds from now; None is the
        client's timeout. Every error carries `.idempotency_key`; `.uncertain` says whether the task may exist
        all the same.
        """
        call = Call(
            "POST",
            "tasks/create",
            body=prepared.body,
            idempotency_key=prepared.idempotency_key,
            before_attempt=before_attempt,
            on_answer=on_answer,
            seconds=deadline,
            on_no_answer=on_no_answer,
        )
        return _parsed(self._transport.send(call), key=prepared.idempotency_key)

    def create(
        self,
        prompt: str,
        max_credits: int,
        project_id: int,
        *,
        mode: ServiceMode | str = ServiceMode.STANDARD,
        metadata: Mapping[str, Any] | None = None,
        idempotency_key: str | uuid.UUID | None = None,
        attachments: Any = None,
        tag_id: int | None = None,
        response_schema: Any = None,
    ) -> TaskResponse:
        """Prepares a task (see `prepare`) and sends it (see `send`)."""
        prepared = self.prepare(
            prompt,
            max_credits,
            project_id,
            mode=mode,
            metadata=metadata,
            idempotency_key=idempotency_key,
            attachments=attachments,
            tag_id=tag_id,
            response_schema=response_schema,
        )
        return self.send(prepared)

    def retrieve(
        self,
        task_id: str,
        *,
        before_attempt: BeforeAttempt | None = None,
        on_answer: OnAnswer | None = None,
        deadline: float | None = None,
    ) -> TaskResponse:
        """The task as it stands.

        NotFoundError where this account has no such task, WrongTaskError where the answer is about another one.
        """
        call = Call("GET", _path(task_id), None, None, before_attempt, on_answer, deadline)
        return _parsed(self._transport.send(call), task_id=task_id)

    def cancel(
        self,
        task_id: str,
        *,
        before_attempt: BeforeAttempt | None = None,
        on_answer: OnAnswer | None = None,
        deadline: float | None = None,
    ) -> TaskResponse:
        """Stops a pending or processing task.

        What the service answers is documented nowhere: where it says no status, `.status` is `unknown`, and
        `retrieve` tells more. Where the answer to a first attempt was lost, a refusal of the second is held against
        the task itself.
        """
        call = Call("POST", f"{_path(task_id)}/cancel", None, None, before_attempt, on_answer, deadline)
        try:
            return _parsed(self._transport.send(call), task_id=task_id)
        except WrongTaskError:  # the id may be of the cancellation itself
            return self.retrieve(task_id, before_attempt=before_attempt, on_answer=on_answer, deadline=deadline)
        except (BadRequestError, IdempotencyConflictError) as error:
            if not error.uncertain:
                raise
            task = self.retrieve(task_id, before_attempt=before_attempt, on_answer=on_answer, deadline=deadline)
            if task.status != TaskStatus.CANCELLED:
                raise
            return task

    def wait(
        self,
        task_id: str,
        timeout: float | None = None,
        *,
        on_progress: Callable[[TaskResponse], object] | None = None,
    ) -> TaskResponse:
        """The task once it is final, first looked at after 2 s and then as the service advises.

        `timeout` is in seconds; None waits as long as it takes. `on_progress` is called with the task after
        each look. Raises WaitTimeoutError (with the task as last seen); the task itself goes on.
        """
        validate_resource_id(task_id)
        transport = self._transport
        return wait_for(self, task_id, timeout, on_progress, clock=transport.clock, sleep=transport.sleep)

    def download(
        self,
        deliverable: TaskDeliverable,
        folder: str | Path,
        *,
        overwrite: bool = False,
        max_bytes: int = MAX_DOWNLOAD_BYTES,
        timeout: float = DOWNLOAD_SECONDS,
    ) -> Path:
        """Stores a deliverable in a folder under its own name and says where.

        Only https (or loopback) addresses are fetched, the key goes to the API's own host alone, no name
        leaves the folder, and nothing is overwritten unasked. `max_bytes` in bytes, `timeout` in seconds.
        Raises DownloadError.
        """
        return download(self._transport, deliverable, Path(folder), Saving(overwrite, max_bytes, timeout))

    def download_all(
        self,
        deliverables: Sequence[TaskDeliverable],
        folder: str | Path,
        *,
        overwrite: bool = False,
        max_bytes: int = MAX_DOWNLOAD_BYTES,
        timeout: float = DOWNLOAD_SECONDS,
        before_attempt: BeforeAttempt | None = None,
        on_answer: OnAnswer | None = None,
    ) -> list[Path]:
        """Stores every deliverable of a task, as `download` does, and says where.

        Names that collide are numbered, and doing it again finds the same files: what is there with the same contents
        stays. `max_bytes` and `timeout` are for each file. Raises one DownloadError for all that could not be stored,
        with the others in `.saved`.
        """
        saving = Saving(overwrite, max_bytes, timeout, not overwrite, before_attempt, on_answer)
        return download_all(self._transport, deliverables, Path(folder), saving)


def _encoded(body: dict[str, Any]) -> bytes:
    try:
        return json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    except (TypeError, ValueError, RecursionError) as error:
        reason = str(error)
    raise BadRequestError(f"the request can't be written as JSON: {reason}", code="invalid_request")


def _path(task_id: str) -> str:
    return f"tasks/{quote(validate_resource_id(task_id), safe='')}"


def _parsed(answer: RawAnswer, *, task_id: str | None = None, key: str | None = None) -> TaskResponse:
    try:
        return parse_task(answer.body, headers=answer.headers, task_id=task_id, status_code=answer.status)
    except UnreadableAnswerError as error:
        error.idempotency_key, error.attempts, error.uncertain = key, answer.attempt, True
        raise
