"""The routes `/_sandbox/…`, which inspect, control and stop the sandbox. They are not part of the API."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

from codevf_nb.sandbox import _errors as errors
from codevf_nb.sandbox._app import App, bearer
from codevf_nb.sandbox._clock import iso
from codevf_nb.sandbox._faults import Faults
from codevf_nb.sandbox._messages import Reply, Request, error_reply, json_reply
from codevf_nb.sandbox._rules import used_by
from codevf_nb.sandbox._task import Answer
from codevf_nb.sandbox.options import to_credits

PREFIX = "/_sandbox/"


class Control:
    """The control functions of the routes and of `Sandbox`. The routes need the first API key."""

    def __init__(self, app: App, faults: Faults, stop: Callable[[], None]) -> None:
        self.app = app
        self.engine = app.engine
        self.faults = faults
        self.stop = stop
        self.about: dict[str, Any] = {"pid": os.getpid()}

    def reply(self, request: Request) -> Reply:
        """Answer a request to a control route."""
        verbs: dict[tuple[str, str], Callable[[dict[str, Any]], Any]] = {
            ("GET", "alive"): lambda _: self.about,
            ("GET", "state"): lambda _: self.state(),
            ("POST", "stop"): lambda _: self.stop(),
            ("POST", "reset"): lambda _: self.engine.reset(),
            ("POST", "advance"): lambda body: self.engine.clock.advance(float(body["seconds"])),
            ("POST", "fault"): lambda body: self.faults.add(str(body["rule"])),
            ("POST", "answer"): lambda body: self.answer(**body),
            ("POST", "end"): lambda body: self.engine.end(body["task_id"], body["status"]),
            ("POST", "top-up"): lambda body: self.engine.top_up(body.get("api_key", self.key), body["credits"]),
        }
        try:
            verb = verbs.get((request.method, request.path.removeprefix(PREFIX)))
            if verb is None or not request.path.startswith(PREFIX):
                raise errors.not_found("Path")
            if bearer(request.headers) != self.key:
                raise errors.unauthorized("the sandbox's own routes need its first API key")
            body = json.loads(request.body or b"{}")
            return json_reply(200, verb(body) or {"done": True})
        except errors.ApiError as error:
            return error_reply(error)
        except (
            errors.SandboxError,
            ValueError,
            TypeError,
            KeyError,
            AttributeError,
            RecursionError,
        ) as error:
            return error_reply(errors.ApiError(400, "bad_control", f"{type(error).__name__}: {error}"))

    @property
    def key(self) -> str:
        """The first API key."""
        return self.engine.options.api_key

    def state(self) -> dict[str, Any]:
        """Return the state as JSON: time, options, tasks, faults."""
        self.engine.settle()
        return {
            "now": iso(self.engine.clock.now()),
            "options": self.engine.options.public_options(),
            "requests": self.app.count,
            "faults": self.faults.counts(),
            "tasks": self.tasks(),
        }

    def tasks(self) -> list[dict[str, Any]]:
        """Return the current state of every task, oldest first."""
        with self.engine.lock:
            self.engine.settle()
            return [task.snapshot(self.app.origin) for task in self.engine.tasks.values()]

    def answer(
        self,
        task_id: str,
        message: str = "",
        deliverables: list[dict[str, Any]] | None = None,
        credits_used: float | None = None,
        result: object = None,
    ) -> None:
        """Answer an open task by hand.

        Args:
            task_id: The id of the task.
            message: The text of the answer.
            deliverables: Files, each with `fileName`, and with `url` or with `content`, which the sandbox serves.
            credits_used: The cost, in credits. Default: the base share of the hold.
            result: The data, for a task with a `responseSchema`.

        Raises:
            SandboxError: There is no open task with this id, or an argument is not valid.
        """
        task = self.engine.tasks.get(task_id)
        used = used_by(task.hold, 0, 0) if task and credits_used is None else to_credits(credits_used or 0)
        items = [dict(item) for item in deliverables or []]
        for item in items:
            if not item.get("fileName") or not ("url" in item or "content" in item):
                raise errors.SandboxError("a deliverable needs a fileName, and a url or its content")
        self.engine.answer(task_id, Answer(used, message, result, items))
