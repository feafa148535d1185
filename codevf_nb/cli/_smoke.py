"""``codevf-nb smoke``: calls every endpoint of the API once, at the configured base URL with the configured key.

It asks one question, the cheapest one, and cancels it at once. With a live key that holds real credits for a moment,
and an engineer may answer before the cancellation, so a live key needs ``--live``.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO, TypeVar

from codevf_nb.accounts import settings
from codevf_nb.display import rendering as display
from codevf_nb.sdk import CodeVFClient
from codevf_nb.sdk.exceptions import CodeVFError
from codevf_nb.sdk.models import ServiceMode, TaskResponse, calculate_final_credit_cost
from codevf_nb.sdk.statuses import TaskStatus

PROJECT = "codevf_nb smoke"
PROMPT = "This is a smoke test of a client; it is cancelled at once and needs no answer."

T = TypeVar("T")


class SmokeError(CodeVFError):
    """A step with a wrong response."""


def run(out: TextIO, *, live: bool = False, sleep: Callable[[float], object] = time.sleep) -> int:
    """Call the endpoints, and print a line per step.

    Args:
        out: Where to print.
        live: Allow a live key.
        sleep: Waits between requests; takes seconds.

    Returns:
        The exit status: 0, 1 after the first step that fails, 2 where a live key is not allowed.
    """
    try:
        account = settings.account_from_key()
        if account.is_live and not live:
            print("this key is live, and a question on it holds real credits: codevf-nb smoke --live", file=out)
            return 2
        with CodeVFClient(
            account.api_key,
            account.base_url,
            allowed_hosts=account.allowed_hosts,
            before_attempt=lambda _: sleep(_pause(account)),
        ) as client:
            print(f"{account.environment} at {account.base_url}", file=out)
            _walk(client, out)
    except CodeVFError as error:
        print(f"FAILED  {error}", file=out)
        return 1
    print("every endpoint answered, and what was made is cancelled.", file=out)
    return 0


def _pause(account: settings.Account) -> float:
    """Return the pause between requests in seconds: without a ledger the rate limit is not shared."""
    return 0.0 if account.requests_per_second is None else 1.05 / account.requests_per_second


def _walk(client: CodeVFClient, out: TextIO) -> None:
    def step(name: str, call: Callable[[], T], describe: Callable[[T], str]) -> T:
        answer = call()
        print(f"ok      {name}: {describe(answer)}", file=out)
        return answer

    step("credits/balance", client.credits.get_balance, lambda seen: f"{display.credits(seen.available)} available")
    tags = step("tags", client.tags.list, lambda seen: f"{len(seen)} tags")
    project = step("projects/create", lambda: client.projects.create(PROJECT), lambda seen: f"project {seen.id}")
    again = step("projects/create again", lambda: client.projects.create(PROJECT), lambda seen: f"project {seen.id}")
    _must(again.id == project.id, f"the same name gave project {again.id} after {project.id}")
    tag = min((tag for tag in tags if tag.is_active), key=lambda tag: tag.cost_multiplier, default=None)
    mode = ServiceMode.REALTIME_ANSWER
    least = mode.credit_range[0]
    cap = calculate_final_credit_cost(least, mode, tag.cost_multiplier if tag else 1)
    prepared = client.tasks.prepare(PROMPT, least, project.id, mode=mode, tag_id=tag.id if tag else None)
    with _cancelled_at_the_end(client, out) as made:
        task = step(
            "tasks/create", lambda: client.tasks.send(prepared), lambda seen: f"{seen.id}, at most {cap} credits"
        )
        made.append(task)
        same = step("tasks/create, same key", lambda: client.tasks.send(prepared), lambda seen: seen.id)
        _must(same.id == task.id, f"the same key made a second task, {same.id}")
        step(f"tasks/{task.id}", lambda: client.tasks.retrieve(task.id), lambda seen: seen.status)
    ended = step(f"tasks/{task.id}", lambda: client.tasks.retrieve(task.id), lambda seen: seen.status)
    _must(TaskStatus.is_final(ended.status), f"{task.id} is {ended.status} after it was cancelled")


@contextmanager
def _cancelled_at_the_end(client: CodeVFClient, out: TextIO) -> Iterator[list[TaskResponse]]:
    """Cancel every created task, also after a step that failed."""
    made: list[TaskResponse] = []
    try:
        yield made
    finally:
        for task in made:
            client.tasks.cancel(task.id)
            print(f"ok      tasks/{task.id}/cancel", file=out)


def _must(holds: bool, otherwise: str) -> None:  # noqa: FBT001 - the condition itself
    if not holds:
        raise SmokeError(otherwise)
