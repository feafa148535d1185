"""The state of the service: tasks, credits and time, without HTTP. All methods are thread-safe."""

from __future__ import annotations

import functools
import hashlib
import math
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Concatenate, ParamSpec, TypeVar
from urllib.parse import quote

from codevf_nb.sandbox import _errors as errors
from codevf_nb.sandbox import _rules as rules
from codevf_nb.sandbox._account import Account, Project
from codevf_nb.sandbox._clock import Clock, in_service_hours, iso
from codevf_nb.sandbox._task import ENDS, Answer, Task
from codevf_nb.sandbox._validation import Draft
from codevf_nb.sandbox.options import Options, check_key, to_credits

KEPT_ATTACHMENTS = 100
"""The number of tasks that keep the text of their attachments. Older tasks keep only its digest."""

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True)
class IdempotencyRecord:
    """The request and the task of an idempotency key."""

    key: str
    digest: str
    task_id: str
    at: datetime


def _locked(method: Callable[Concatenate[Engine, P], R]) -> Callable[Concatenate[Engine, P], R]:
    @functools.wraps(method)
    def held(self: Engine, /, *args: P.args, **kwargs: P.kwargs) -> R:
        with self.lock:
            return method(self, *args, **kwargs)

    return held


class Engine:
    """The state of one sandbox."""

    def __init__(self, options: Options, clock: Clock | None = None) -> None:
        self.options = options
        self.lock = threading.RLock()
        self.clock = clock or Clock(options.clock)
        self.on_change: Callable[[], None] = lambda: None
        self.reset()

    @_locked
    def reset(self) -> None:
        """Delete all tasks and projects, and restore the first credits of each account. The clock is not changed."""
        self.accounts = {key: Account(key, to_credits(self.options.credits)) for key in self.options.keys}
        self.tasks: dict[str, Task] = {}
        self.remembered: dict[str, IdempotencyRecord] = {}
        self.created = 0
        self.projects_created = 0
        self.files: dict[str, str] = {}
        self._open: dict[str, Task] = {}
        self.on_change()

    # -- accounts --------------------------------------------------------------------------------------------

    @_locked
    def account(self, key: str) -> Account:
        """Return the account of an API key. Raise the error 401 for an unknown key, and for every live key."""
        if key.startswith("cvf_live_"):
            raise errors.unauthorized(
                "this is a sandbox, and it refuses cvf_live_ keys so that no real key is sent to it"
            )
        if key not in self.accounts:
            raise errors.unauthorized()
        return self.accounts[key]

    @_locked
    def add_key(self, key: str, amount: float) -> None:
        """Add an account."""
        check_key(key)
        self.accounts.setdefault(key, Account(key, to_credits(amount)))
        self.on_change()

    @_locked
    def arrive(self, account: Account) -> None:
        """Admit a request of an account, or raise the error 429."""
        rate, now = self.options.rate_limit, self.clock.now()
        wait = account.wait(now, rate)
        if wait and rate:
            raise errors.rate_limited(now, wait, rate)

    @_locked
    def balance(self, key: str) -> Account:
        """Return the account, after all tasks that are due are settled."""
        self.settle()
        return self.account(key)

    @_locked
    def top_up(self, key: str, amount: float) -> None:
        """Add credits to an account."""
        self.account(key).top_up(to_credits(amount))
        self.on_change()

    @_locked
    def create_project(self, key: str, name: str, description: str | None) -> tuple[Project, bool]:
        """Return the project with this name, and whether it is new."""
        projects = self.account(key).projects
        if name in projects:
            return projects[name], False
        self.projects_created += 1
        project = projects[name] = Project(self.projects_created, name, description, self.clock.now())
        self.on_change()
        return project, True

    # -- tasks -----------------------------------------------------------------------------------------------

    @_locked
    def replayed(self, key: str, draft: Draft) -> Task | None:
        """Return the earlier task of this idempotency key, or None. Raise the error 409 for another request."""
        self._forget()
        known = self.remembered.get(draft.idempotency_key or "")
        if known is None:
            return None
        if known.key != key:
            raise errors.idempotency_conflict("This idempotency key was used with another API key")
        if known.digest != draft.digest:
            raise errors.idempotency_conflict("This idempotency key was used with another request body")
        return self.task(key, known.task_id)

    @_locked
    def create(self, key: str, draft: Draft, review: Callable[[Draft], Answer] | None) -> Task:
        """Hold the credits and create the task. Without `review`, it is answered by hand."""
        self.settle()
        account = self.account(key)
        if all(project.id != draft.project_id for project in account.projects.values()):
            raise errors.not_found(f"Project {draft.project_id}")
        if draft.hold > account.available:
            raise errors.insufficient_credits(account.available, draft.hold)
        answer = review(draft) if review else None
        account.hold(draft.hold)
        task = self._new_task(key, draft)
        if answer is not None:
            task.due_at = task.created_at + timedelta(seconds=self._answer_after())
            task.answer = answer
            self._place_files(task, answer, task.due_at)
        if draft.idempotency_key:
            self.remembered[draft.idempotency_key] = IdempotencyRecord(key, draft.digest, task.id, task.created_at)
        self.on_change()
        return task

    @_locked
    def task(self, key: str, task_id: str) -> Task:
        """Return a task. Raise the error 404 if it is unknown or belongs to another account."""
        self.settle()
        task = self.tasks.get(task_id)
        if task is None or task.key != key:
            raise errors.not_found("Task")
        return task

    def next_poll(self, task: Task) -> int | None:
        """Return the seconds until the next useful poll of a task, or None if the task is final or this is not known.

        On the virtual clock, the next poll is useful at once.
        """
        if not task.is_open:
            return None
        if self.clock.virtual:
            return 0
        if task.due_at is None:
            return None
        left = math.ceil((task.due_at - self.clock.now()).total_seconds())
        return max(1, left) if left <= rules.HINT_SECONDS else None

    @_locked
    def cancel(self, key: str, task_id: str) -> Task:
        """Cancel an open task and release its hold. A cancelled task is not changed."""
        task = self.task(key, task_id)
        if task.is_open:
            self.end(task_id, "cancelled")
        elif task.status != "cancelled":
            raise errors.not_cancellable(task.status)
        return task

    @_locked
    def end(self, task_id: str, status: str) -> None:
        """End an open task without an answer. The status is one of `ENDS`."""
        if status not in ENDS:
            raise errors.SandboxError(f"status {status!r}: one of {', '.join(ENDS)}")
        self._close(self._open_task(task_id), status, Decimal(0), self.clock.now())
        self.on_change()

    @_locked
    def answer(self, task_id: str, answer: Answer) -> None:
        """Answer an open task now. Its cost can't be above its hold."""
        task = self._open_task(task_id)
        if not 0 <= answer.credits_used <= task.hold:
            raise errors.SandboxError(f"{answer.credits_used} credits can't be charged to a hold of {task.hold}")
        now = self.clock.now()
        task.answer = answer
        self._place_files(task, answer, now)
        self._close(task, "completed", answer.credits_used, now)
        self.on_change()

    @_locked
    def settle(self) -> None:
        """Update the status of every open task by the clock."""
        now = self.clock.now()
        for task in list(self._open.values()):
            status = task.status_at(now)
            if status == "completed" and task.answer is not None and task.due_at is not None:
                self._close(task, status, task.answer.credits_used, task.due_at)
                self.on_change()
            else:
                task.status = status

    @_locked
    def restore(self, tasks: list[Task], remembered: dict[str, IdempotencyRecord]) -> None:
        """Restore the tasks of a saved state."""
        self.tasks = {task.id: task for task in tasks}
        self._open = {task.id: task for task in tasks if task.is_open}
        self.files = {path: text for task in tasks if task.answer for path, text in task.answer.files.items()}
        self.remembered = remembered

    # -- inside ----------------------------------------------------------------------------------------------

    def _open_task(self, task_id: str) -> Task:
        self.settle()
        if task_id not in self._open:
            raise errors.SandboxError(f"there is no open task {task_id}")
        return self._open[task_id]

    def _close(self, task: Task, status: str, used: Decimal, at: datetime) -> None:
        self.accounts[task.key].settle(task.hold, used)
        task.status, task.ended_at = status, at
        del self._open[task.id]

    def _new_task(self, key: str, draft: Draft) -> Task:
        self.created += 1
        task = Task(
            id="task_" + self._token(str(self.created))[:20],
            key=key,
            project_id=draft.project_id,
            prompt=draft.prompt,
            mode=draft.mode,
            max_credits=draft.max_credits,
            tag=draft.tag,
            hold=draft.hold,
            created_at=self.clock.now(),
            metadata=draft.metadata,
            idempotency_key=draft.idempotency_key,
            attachments=[attachment.record() for attachment in draft.attachments],
            response_schema=draft.response_schema,
        )
        self.tasks[task.id] = self._open[task.id] = task
        old = list(self.tasks)[-KEPT_ATTACHMENTS - 1 : -KEPT_ATTACHMENTS]
        for attachment in self.tasks[old[0]].attachments if old else ():
            attachment["sent"] = None
        return task

    def _place_files(self, task: Task, answer: Answer, at: datetime) -> None:
        """Give each file of an answer an address that can't be guessed, like a signed URL."""
        for item in answer.deliverables:
            item.setdefault("uploadedAt", iso(at))
            content = item.pop("content", None)
            if content is not None:
                token = self._token(f"{task.key} {task.id} {item['fileName']}")
                item["url"] = f"/files/{token}/{quote(item['fileName'], safe='')}"
                answer.files[item["url"]] = content
        self.files |= answer.files

    def _answer_after(self) -> float:
        slow = self.options.slow_outside_hours and not in_service_hours(self.clock.now())
        return self.options.answer_after * (rules.OUTSIDE_HOURS_FACTOR if slow else 1)

    def _token(self, what: str) -> str:
        return hashlib.sha256(f"{self.options.seed} {what}".encode()).hexdigest()[:40]

    def _forget(self) -> None:
        oldest = self.clock.now() - timedelta(seconds=rules.IDEMPOTENCY_SECONDS)
        self.remembered = {key: known for key, known in self.remembered.items() if known.at > oldest}
