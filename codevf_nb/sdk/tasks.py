"""Tasks: a request is prepared as bytes with an idempotency key, and then sent. Equal bytes are never paid twice."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from codevf_nb.sdk.downloads import Downloads
from codevf_nb.sdk.exceptions import (
    BadRequestError,
    IdempotencyConflictError,
    UnreadableAnswerError,
    WrongTaskError,
)
from codevf_nb.sdk.files import normalize_attachments
from codevf_nb.sdk.models import ServiceMode, TaskResponse
from codevf_nb.sdk.polling import wait_for
from codevf_nb.sdk.responses import RawAnswer, parse_task
from codevf_nb.sdk.statuses import TaskStatus
from codevf_nb.sdk.transport import (
    BeforeAttempt,
    Call,
    OnAnswer,
    OnNoAnswer,
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
    """A request for a task that can be sent: the bytes of the body, and the idempotency key.

    It can be created again from stored bytes: `PreparedTask(body, idempotency_key)`.
    """

    body: bytes = field(repr=False)
    idempotency_key: str

    @property
    def sha256(self) -> str:
        """The SHA-256 digest of the body, in hexadecimal."""
        return hashlib.sha256(self.body).hexdigest()


class Tasks(Downloads):
    """Creates, retrieves, cancels and awaits tasks, and downloads their files."""

    def prepare(
        self,
        prompt: str,
        max_credits: int,
        project_id: int,
        *,
        mode: ServiceMode | str = ServiceMode.STANDARD,
        metadata: Mapping[str, Any] | None = None,
        idempotency_key: str | uuid.UUID | None = None,
        attachments: object = None,
        tag_id: int | None = None,
        response_schema: object = None,
    ) -> PreparedTask:
        """Check a task and return the bytes and the key of its request. Nothing is sent.

        Args:
            prompt: The question, with 10 to 10,000 characters.
            max_credits: The limit in credits, before the factors of mode and tag (see `calculate_final_credit_cost`).
            project_id: The id of a project.
            mode: How fast the task is answered.
            metadata: Names and values: text, numbers, true/false or None.
            idempotency_key: A UUID of version 4. Default: a new one.
            attachments: The files, as for `normalize_attachments`.
            tag_id: The id of a tag.
            response_schema: The schema of the answer, as for `to_json_schema`. The documentation says that AI generates
                such an answer.

        Raises:
            APIError: An argument is not valid. The class is that of the service's error, and `status_code` is None.

        Example:
            >>> prepared = client.tasks.prepare("Is this join dropping rows?", 240, project.id)
            >>> client.tasks.send(prepared).id == client.tasks.send(prepared).id
            True
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
        """Create a task, or return the task that was created with the same idempotency key.

        Args:
            prepared: The request.
            before_attempt: Called right before each attempt. It may wait. If it raises, nothing is sent. If it raises
                RateLimitError after a failed attempt, the error of that attempt is raised instead.
            on_answer: Called with each complete response, before it is parsed.
            on_no_answer: Called with the error of each attempt without a complete response.
            deadline: Seconds for the whole call, from now. None is the client's timeout.

        Raises:
            CodeVFError: The call failed. `.idempotency_key` is the key. `.uncertain` is True if the task may exist.

        Example:
            See `prepare`.
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
        attachments: object = None,
        tag_id: int | None = None,
        response_schema: object = None,
    ) -> TaskResponse:
        """Create a task: `prepare` and `send` in one call. The arguments are those of `prepare`.

        Raises:
            CodeVFError: An argument is not valid, or the call failed. See `prepare` and `send`.

        Example:
            >>> task = client.tasks.create("Is this join dropping rows?", 240, project.id, mode="fast")
            >>> str(task.status), task.max_credits
            ('pending', 240)
        """
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
        """Return a task.

        Args:
            task_id: The id of the task.
            before_attempt: Called right before each attempt.
            on_answer: Called with each complete response, before it is parsed.
            deadline: Seconds for the whole call, from now. None is the client's timeout.

        Raises:
            NotFoundError: The account has no such task.
            WrongTaskError: The response is about another task.
            CodeVFError: The call failed.

        Example:
            >>> client.tasks.retrieve(task.id).is_final
            False
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
        """Cancel an open task.

        The response of the service is not documented. If it has no status, `.status` is `unknown`; use `retrieve` then.
        If the response to the first attempt was lost and the second attempt is refused, the task is retrieved.

        Args:
            task_id: The id of the task.
            before_attempt: Called right before each attempt.
            on_answer: Called with each complete response, before it is parsed.
            deadline: Seconds for the whole call, from now. None is the client's timeout.

        Raises:
            BadRequestError: The task is not open any more.
            CodeVFError: The call failed.

        Example:
            >>> client.tasks.cancel(task.id).status
            <TaskStatus.CANCELLED: 'cancelled'>
        """
        call = Call("POST", f"{_path(task_id)}/cancel", None, None, before_attempt, on_answer, deadline)
        try:
            return _parsed(self._transport.send(call), task_id=task_id)
        except WrongTaskError:  # the id may be that of the cancellation
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
        """Wait until a task is final. It is polled after 2 seconds, and then at the intervals of `next_poll`.

        Args:
            task_id: The id of the task.
            timeout: Seconds, or None for no limit.
            on_progress: Called with the task after each poll.

        Raises:
            WaitTimeoutError: The time is up. The task itself continues, and `.task` has its last state.
            CodeVFError: The task can't be retrieved.

        Example:
            >>> answered = client.tasks.create("Is this join dropping rows?", 240, project.id)
            >>> client.tasks.wait(answered.id).status
            <TaskStatus.COMPLETED: 'completed'>
        """
        validate_resource_id(task_id)
        transport = self._transport
        return wait_for(self, task_id, timeout, on_progress, clock=transport.clock, sleep=transport.sleep)


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
