"""A typed client for the CodeVF API. It works without a notebook.

    from codevf_nb.sdk import CodeVFClient, ServiceMode

    with CodeVFClient() as client:  # with the API key in CODEVF_API_KEY
        project = client.projects.create("Reviews")
        task = client.tasks.create("Is this join dropping rows?", 240, project.id, mode=ServiceMode.FAST)
        print(client.tasks.wait(task.id).result)

Each name is imported when it is first used. Therefore the import of `codevf_nb.sdk.exceptions` or
`codevf_nb.sdk.models` is fast.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from codevf_nb.sdk._client import CodeVFClient
    from codevf_nb.sdk.error_responses import error_from
    from codevf_nb.sdk.exceptions import (
        APIConnectionError,
        APIError,
        AttachmentLimitExceededError,
        AttachmentTooLargeError,
        AuthenticationError,
        BadRequestError,
        CodeVFError,
        ConfigurationError,
        DownloadError,
        FieldError,
        IdempotencyConflictError,
        InsufficientCreditsError,
        InvalidMetadataError,
        InvalidModeError,
        InvalidTagError,
        MaxCreditsExceededError,
        NotFoundError,
        PayloadTooLargeError,
        RateLimitError,
        ServerError,
        UnreadableAnswerError,
        WaitTimeoutError,
        WrongTaskError,
    )
    from codevf_nb.sdk.files import is_text_type, mime_type_for, normalize_attachments
    from codevf_nb.sdk.models import (
        CreditBalance,
        Project,
        ServiceMode,
        Tag,
        TaskDeliverable,
        TaskResponse,
        TaskResult,
        calculate_final_credit_cost,
        differences,
    )
    from codevf_nb.sdk.polling import next_poll
    from codevf_nb.sdk.responses import (
        RawAnswer,
        parse_balance,
        parse_project,
        parse_tags,
        parse_task,
    )
    from codevf_nb.sdk.schemas import (
        check_schema,
        mismatches,
        rows,
        to_json_schema,
    )
    from codevf_nb.sdk.statuses import TaskStatus
    from codevf_nb.sdk.tasks import PreparedTask
    from codevf_nb.sdk.transport import Attempt
    from codevf_nb.sdk.validation import (
        validate_api_key,
        validate_credits,
        validate_idempotency_key,
        validate_metadata,
        validate_mode,
        validate_project_id,
        validate_prompt,
        validate_schema,
        validate_tag_id,
    )

_MODULES = {
    "responses": "RawAnswer parse_balance parse_project parse_tags parse_task",
    "_client": "CodeVFClient",
    "exceptions": (
        "APIConnectionError APIError AttachmentLimitExceededError AttachmentTooLargeError "
        "AuthenticationError BadRequestError CodeVFError ConfigurationError DownloadError FieldError "
        "IdempotencyConflictError InsufficientCreditsError InvalidMetadataError InvalidModeError "
        "InvalidTagError MaxCreditsExceededError NotFoundError PayloadTooLargeError RateLimitError "
        "ServerError UnreadableAnswerError WaitTimeoutError WrongTaskError"
    ),
    "files": "is_text_type mime_type_for normalize_attachments",
    "models": (
        "CreditBalance Project ServiceMode Tag TaskDeliverable TaskResponse TaskResult "
        "calculate_final_credit_cost differences"
    ),
    "error_responses": "error_from",
    "schemas": "check_schema mismatches rows to_json_schema",
    "statuses": "TaskStatus",
    "tasks": "PreparedTask",
    "transport": "Attempt",
    "validation": (
        "validate_api_key validate_credits validate_idempotency_key validate_metadata validate_mode "
        "validate_project_id validate_prompt validate_schema validate_tag_id"
    ),
    "polling": "next_poll",
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names.split()}

__all__ = [
    "APIConnectionError",
    "APIError",
    "AttachmentLimitExceededError",
    "AttachmentTooLargeError",
    "Attempt",
    "AuthenticationError",
    "BadRequestError",
    "CodeVFClient",
    "CodeVFError",
    "ConfigurationError",
    "CreditBalance",
    "DownloadError",
    "FieldError",
    "IdempotencyConflictError",
    "InsufficientCreditsError",
    "InvalidMetadataError",
    "InvalidModeError",
    "InvalidTagError",
    "MaxCreditsExceededError",
    "NotFoundError",
    "PayloadTooLargeError",
    "PreparedTask",
    "Project",
    "RateLimitError",
    "RawAnswer",
    "ServerError",
    "ServiceMode",
    "Tag",
    "TaskDeliverable",
    "TaskResponse",
    "TaskResult",
    "TaskStatus",
    "UnreadableAnswerError",
    "WaitTimeoutError",
    "WrongTaskError",
    "calculate_final_credit_cost",
    "check_schema",
    "differences",
    "error_from",
    "is_text_type",
    "mime_type_for",
    "mismatches",
    "next_poll",
    "normalize_attachments",
    "parse_balance",
    "parse_project",
    "parse_tags",
    "parse_task",
    "rows",
    "to_json_schema",
    "validate_api_key",
    "validate_credits",
    "validate_idempotency_key",
    "validate_metadata",
    "validate_mode",
    "validate_project_id",
    "validate_prompt",
    "validate_schema",
    "validate_tag_id",
]


def __getattr__(name: str) -> object:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f".{_MODULE_OF[name]}", __name__), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
