"""The six endpoints: from a request to a call, and from a call to a reply. No sockets are used here."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from codevf_nb.sandbox import _errors as errors
from codevf_nb.sandbox import _rules as rules
from codevf_nb.sandbox._account import Account
from codevf_nb.sandbox._clock import iso, number
from codevf_nb.sandbox._engine import Engine
from codevf_nb.sandbox._messages import Reply, Request, error_reply, json_reply
from codevf_nb.sandbox._task import Answer
from codevf_nb.sandbox._validation import (
    Draft,
    parse_json,
    read_project,
    read_task,
)

KEPT_REQUESTS = 10_000


@dataclass
class Call:
    """A request that reached its operation: its key is known, its rate is allowed, and its body is JSON."""

    operation: str
    account: Account
    task_id: str
    body: Any

    @property
    def claim(self) -> str | None:
        """The idempotency key that is in flight during this call."""
        key = self.body.get("idempotencyKey") if isinstance(self.body, dict) else None
        return key.lower() if self.operation == "create" and isinstance(key, str) else None


EXACT = {
    ("projects", "create"): ("POST", "projects"),
    ("tasks", "create"): ("POST", "create"),
    ("credits", "balance"): ("GET", "balance"),
    ("tags",): ("GET", "tags"),
}


class App:
    """The API of one engine. The addresses of deliverables start with `origin`."""

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
        """Log a request to the API and advance the virtual clock. The caller sets the status of the log entry."""
        self.engine.clock.on_request()
        entry: list[Any] = [method, path, None, self.engine.clock.now()]
        self.log.append(entry)
        self.count += 1
        return entry

    def admit(self, request: Request) -> Call:
        """Return the call for a request. Raise ApiError if the request does not reach its operation."""
        operation, task_id = route(request.method, request.path)
        account = self.engine.account(bearer(request.headers))
        self.engine.arrive(account)
        body = parse_json(request.body) if operation in {"projects", "create"} else None
        call = Call(operation, account, task_id, body)
        if call.claim is not None and call.claim in self._in_flight:
            raise errors.idempotency_in_flight()
        return call

    def begin(self, call: Call) -> None:
        """Mark the idempotency key of a call as in flight, until `finish`."""
        if call.claim is not None:
            self._in_flight.add(call.claim)

    def finish(self, call: Call) -> None:
        """End a call that was answered, or that will never be answered."""
        if call.claim is not None:
            self._in_flight.discard(call.claim)

    def perform(self, call: Call) -> Reply:
        """Carry out a call. Its effects are committed."""
        try:
            return self._operations[call.operation](call)
        except errors.ApiError as error:
            return error_reply(error)

    def file(self, path: str) -> Reply:
        """Return a deliverable of this sandbox. The address is sufficient; no key is needed."""
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
        """Advance the virtual clock to the next poll, after a poll of an open task."""
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
        """Return the newest requests: method, path, status (None if no response was sent), time of the sandbox."""
        return [(method, path, status, at) for method, path, status, at in list(self.log)]


def route(method: str, path: str) -> tuple[str, str]:
    """Return the operation and the task id for a path of the API. Raise the error 404 or 405 for other paths."""
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
    """Return the API key of a request. Raise the error 401 if there is none."""
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
