"""The six endpoints: a request becomes a call, a call becomes a reply. Nothing here knows about sockets."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from codevf_nb.sandbox import _errors as errors
from codevf_nb.sandbox import _rules as rules
from codevf_nb.sandbox._account import Account
from codevf_nb.sandbox._clock import iso, number
from codevf_nb.sandbox._engine import Engine
from codevf_nb.sandbox._task import Answer
from codevf_nb.sandbox._validation import (
    Draft,
    parse_json,
    read_project,
    read_task,
)

KEPT_REQUESTS = 10_000
JSON_TYPE = "application/json; charset=utf-8"


@dataclass
class Request:
    """A whole request; header names in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes = b""


@dataclass
class Reply:
    """A whole reply."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Call:
    """A request that got as far as its operation: the key was known, the rate kept, the body JSON."""

    operation: str
    account: Account
    task_id: str
    body: Any

    @property
    def claim(self) -> str | None:
        """The idempotency key that is in flight while this call lasts."""
        key = self.body.get("idempotencyKey") if isinstance(self.body, dict) else None
        return key.lower() if self.operation == "create" and isinstance(key, str) else None


EXACT = {
    ("projects", "create"): ("POST", "projects"),
    ("tasks", "create"): ("POST", "create"),
    ("credits", "balance"): ("GET", "balance"),
    ("tags",): ("GET", "tags"),
}


def json_reply(status: int, value: Any, headers: dict[str, str] | None = None) -> Reply:
    """A reply that carries JSON."""
    return Reply(status, json.dumps(value).encode(), {"Content-Type": JSON_TYPE, **(headers or {})})


def error_reply(error: errors.ApiError) -> Reply:
    """The reply that an error becomes."""
    return json_reply(error.status, error.envelope, error.headers)


class App:
    """The API over one engine; `origin` begins the addresses it hands out."""

    def __init__(self, engine: Engine, review: Callable[[Draft], Answer] | None) -> None:
        self.engine = engine
        self.review = review
        self.origin = ""
        self.log: deque[list[Any]] = deque(maxlen=KEPT_REQUESTS)
        self.count = 0
        self._in_flight: set[str] = set()
        self._operations: dict[str, Callable[[Call], Reply]] = {
            "projects": self._projects,
            "create": self._create,
            "retrieve": self._retrieve,
            "cancel": self._cancel,
            "balance": self._balance,
            "tags": self._tags,
        }

    def arrived(self, method: str, path: str) -> list[Any]:
        """Note a request to the API and let its clock move; who answers fills in the entry's status."""
        self.engine.clock.on_request()
        entry: list[Any] = [method, path, None, self.engine.clock.now()]
        self.log.append(entry)
        self.count += 1
        return entry

    def admit(self, request: Request) -> Call:
        """The call that a request makes; an `ApiError` for what never reaches its operation."""
        operation, task_id = route(request.method, request.path)
        account = self.engine.account(bearer(request.headers))
        self.engine.arrive(account)
        body = parse_json(request.body) if operation in {"projects", "create"} else None
        call = Call(operation, account, task_id, body)
        if call.claim is not None and call.claim in self._in_flight:
            raise errors.idempotency_in_flight()
        return call

    def begin(self, call: Call) -> None:
        """Claim the call's idempotency key until `finish`."""
        if call.claim is not None:
            self._in_flight.add(call.claim)

    def finish(self, call: Call) -> None:
        """The call has been answered, or never will be."""
        if call.claim is not None:
            self._in_flight.discard(call.claim)

    def perform(self, call: Call) -> Reply:
        """Do what the call asks for: from here on it is committed."""
        try:
            return self._operations[call.operation](call)
        except errors.ApiError as error:
            return error_reply(error)

    def file(self, path: str) -> Reply:
        """A deliverable of this sandbox; its address is all that is needed."""
        text = self.engine.files.get(path)
        if text is None:
            return error_reply(errors.not_found("File"))
        return Reply(200, text.encode(), {"Content-Type": "text/csv; charset=utf-8"})

    def _projects(self, call: Call) -> Reply:
        name, description = read_project(call.body)
        project, new = self.engine.create_project(call.account.key, name, description)
        shown: dict[str, Any] = {"id": project.id, "name": project.name}
        if project.description is not None:
            shown["description"] = project.description
        return json_reply(201 if new else 200, shown | {"createdAt": iso(project.created_at)})

    def _create(self, call: Call) -> Reply:
        draft = read_task(call.body)
        known = self.engine.replayed(call.account.key, draft)
        if known is not None:
            return json_reply(200, known.created_json())
        return json_reply(201, self.engine.create(call.account.key, draft, self.review).created_json())

    def _retrieve(self, call: Call) -> Reply:
        task = self.engine.task(call.account.key, call.task_id)
        hint = self.engine.next_poll(task)
        return json_reply(200, task.json(self.origin), {} if hint is None else {"Retry-After": str(hint)})

    def after_reply(self, call: Call) -> None:
        """A poll of an open task has been answered: the virtual clock passes the wait until the next."""
        if call.operation == "retrieve":
            task = self.engine.tasks.get(call.task_id)
            if task is not None and task.is_open and task.key == call.account.key:
                self.engine.clock.on_open_poll()

    def _cancel(self, call: Call) -> Reply:
        return json_reply(200, self.engine.cancel(call.account.key, call.task_id).json(self.origin))

    def _balance(self, call: Call) -> Reply:
        account = self.engine.balance(call.account.key)
        shown = {"available": account.available, "onHold": account.on_hold, "total": account.total}
        return json_reply(200, {name: number(held) for name, held in shown.items()})

    def _tags(self, call: Call) -> Reply:
        del call
        return json_reply(200, {"success": True, "tags": [_tag_json(tag) for tag in rules.TAGS.values()]})

    def snapshot_log(self) -> list[tuple[str, str, int | None, datetime]]:
        """The newest requests: method, path, status (None where no answer was sent), the sandbox's time."""
        return [(method, path, status, at) for method, path, status, at in list(self.log)]


def route(method: str, path: str) -> tuple[str, str]:
    """The operation and the task's id that a path under the API names; 404 or 405 for others."""
    parts = tuple(path.removeprefix(rules.API_PREFIX).split("/"))
    if parts in EXACT:
        allowed, operation = EXACT[parts]
    elif parts[0] == "tasks" and len(parts) == 2 and parts[1]:
        allowed, operation = "GET", "retrieve"
    elif parts[0] == "tasks" and len(parts) == 3 and parts[1] and parts[2] == "cancel":
        allowed, operation = "POST", "cancel"
    else:
        raise errors.not_found("Path")
    if method != allowed:
        message = f"This path takes {allowed}"
        raise errors.ApiError(405, "METHOD_NOT_ALLOWED", message, headers={"Allow": allowed})
    return operation, unquote(parts[1]) if operation in {"retrieve", "cancel"} else ""


def bearer(headers: dict[str, str]) -> str:
    """The API key of a request; 401 where there is none."""
    scheme, _, key = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        raise errors.unauthorized()
    return key.strip()


def _tag_json(tag: rules.Tag) -> dict[str, Any]:
    return {
        "id": tag.id,
        "name": tag.name,
        "displayName": tag.display_name,
        "description": tag.description,
        "costMultiplier": str(tag.multiplier),
        "isActive": tag.active,
        "sortOrder": tag.sort_order,
        "isDeprecated": not tag.active,
    }
