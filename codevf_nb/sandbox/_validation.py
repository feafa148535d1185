"""Checks of the JSON of a request. All problems of a body are reported, not only the first one."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from codevf_nb.sandbox import _rules as rules
from codevf_nb.sandbox._attachments import Attachment, is_whole, read_all
from codevf_nb.sandbox._errors import Problem, invalid
from codevf_nb.sandbox._fill import check
from codevf_nb.sandbox._schema import SchemaError

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


@dataclass(frozen=True)
class Draft:
    """A valid request of `tasks/create`. Equal requests have equal digests."""

    prompt: str
    max_credits: Decimal
    project_id: int
    mode: str
    tag: int
    metadata: dict[str, Any] | None
    idempotency_key: str | None
    attachments: tuple[Attachment, ...]
    response_schema: dict[str, Any] | None
    digest: str

    @property
    def hold(self) -> Decimal:
        """The credits to put on hold."""
        return rules.hold_for(self.max_credits, self.mode, self.tag)


def parse_json(body: bytes) -> Any:
    """Parse the JSON of a body. NaN, infinity, half surrogate pairs and too deep nesting are refused."""
    try:
        value = json.loads(body, parse_constant=_no_constant, parse_float=_finite)
        if rb"\ud" in body.lower():
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise invalid([Problem("body", "Must be JSON in UTF-8")]) from None
    return value


def read_project(body: object) -> tuple[str, str | None]:
    """Return the name and the description of `projects/create`."""
    fields = _object(body)
    least, most = rules.NAME_CHARACTERS
    problems = []
    if not isinstance(fields.get("name"), str) or not least <= len(fields["name"]) <= most:
        problems.append(Problem("name", f"Must be a string of {least} to {most} characters"))
    description = fields.get("description")
    if description is not None and not _is_text(description, rules.DESCRIPTION_CHARACTERS):
        message = f"Must be a string of at most {rules.DESCRIPTION_CHARACTERS} characters"
        problems.append(Problem("description", message))
    if problems:
        raise invalid(problems)
    return fields["name"], description


def read_task(body: object) -> Draft:
    """Return the draft of `tasks/create`. An optional field may be null or missing."""
    fields = _object(body)
    problems = [*_prompt(fields), *_mode_and_credits(fields), *_project(fields), *_metadata(fields)]
    problems += [*_key(fields), *_tag(fields), *_schema(fields)]
    attachments = read_all(fields.get("attachments"), problems)
    if problems:
        raise invalid(problems)
    tag, key = fields.get("tagId"), fields.get("idempotencyKey")
    return Draft(
        prompt=fields["prompt"],
        max_credits=Decimal(str(fields["maxCredits"])),
        project_id=int(fields["projectId"]),
        mode=_mode(fields),
        tag=rules.DEFAULT_TAG if tag is None else int(tag),
        metadata=fields.get("metadata"),
        idempotency_key=key.lower() if key else None,
        attachments=attachments,
        response_schema=fields.get("responseSchema"),
        digest=hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest(),
    )


def _object(body: object) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise invalid([Problem("body", "Must be a JSON object")])
    return body


def _mode(fields: dict[str, Any]) -> Any:
    mode = fields.get("mode")
    return rules.DEFAULT_MODE if mode is None else mode


def _prompt(fields: dict[str, Any]) -> Iterator[Problem]:
    least, most = rules.PROMPT_CHARACTERS
    prompt = fields.get("prompt")
    if not isinstance(prompt, str):
        yield Problem("prompt", "Prompt is required and must be a string")
    elif len(prompt) < least:
        yield Problem("prompt", f"Prompt must be at least {least} characters")
    elif len(prompt) > most:
        yield Problem("prompt", f"Prompt must be at most {most} characters")


def _mode_and_credits(fields: dict[str, Any]) -> Iterator[Problem]:
    mode = _mode(fields)
    most_credits: Any = fields.get("maxCredits")
    known = isinstance(mode, str) and mode in rules.MODES
    if not known:
        yield Problem("mode", f"Must be one of {', '.join(rules.MODES)}", "invalid_mode")
    least, most = rules.MAX_CREDITS
    is_number = isinstance(most_credits, int | float) and not isinstance(most_credits, bool)
    if not is_number or not least <= most_credits <= most:
        yield Problem("maxCredits", f"Must be between {least} and {most}")
    elif known and most_credits < rules.MODES[mode].least:
        yield Problem("maxCredits", f"Must be at least {rules.MODES[mode].least} in mode {mode}")
    elif known and most_credits > rules.MODES[mode].most:
        message = f"Must be at most {rules.MODES[mode].most} in mode {mode}"
        yield Problem("maxCredits", message, "max_credits_exceeded")


def _project(fields: dict[str, Any]) -> Iterator[Problem]:
    if not is_whole(fields.get("projectId")):
        yield Problem("projectId", "Must be the whole number that projects/create answered")


def _metadata(fields: dict[str, Any]) -> Iterator[Problem]:
    metadata = fields.get("metadata")
    if metadata is None:
        return
    if not isinstance(metadata, dict):
        yield Problem("metadata", "Must be an object", "invalid_metadata")
        return
    for name, value in metadata.items():
        if isinstance(value, dict | list):
            message = "Must be flat: strings, numbers, booleans and null"
            yield Problem(f"metadata.{name}"[:100], message, "invalid_metadata")


def _key(fields: dict[str, Any]) -> Iterator[Problem]:
    key = fields.get("idempotencyKey")
    if key is not None and not (isinstance(key, str) and _UUID.fullmatch(key)):
        yield Problem("idempotencyKey", "Must be a UUID")


def _tag(fields: dict[str, Any]) -> Iterator[Problem]:
    tag = fields.get("tagId")
    if tag is None:
        return
    found = rules.TAGS.get(int(tag)) if is_whole(tag) else None
    if found is None or not found.active:
        yield Problem("tagId", "Must be the id of an active tag, see GET tags", "invalid_tag")


def _schema(fields: dict[str, Any]) -> Iterator[Problem]:
    schema = fields.get("responseSchema")
    if schema is None:
        return
    try:
        check(schema)
    except SchemaError as error:
        yield Problem("responseSchema", str(error))


def _is_text(value: object, most: int) -> bool:
    return isinstance(value, str) and len(value) <= most


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float:
    value = float(text)
    if value in {float("inf"), float("-inf")}:
        raise ValueError("an infinite number")
    return value
