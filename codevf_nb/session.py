"""The rooms, put together for one account. Delegation only: what a thing means stands in the room it belongs to.

A kernel has one current session. Which account it is on is settled once (see ``settings``) and changes only when
somebody says so in this kernel.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from codevf_nb import attachments, settings
from codevf_nb.ledger import Entry, Ledger, LedgerError, Limiter, Store, sqlite_url
from codevf_nb.ledger.questions import CANCEL, RETRIEVE
from codevf_nb.ledger.records import became
from codevf_nb.question import DEFAULT_PROMPT, Draft, Question
from codevf_nb.sdk import CodeVFClient
from codevf_nb.sdk.exceptions import BadRequestError, ConfigurationError, InvalidTagError
from codevf_nb.sdk.models import CreditBalance, ServiceMode, Tag
from codevf_nb.sdk.schema import to_json_schema
from codevf_nb.sdk.validation import validate_credits, validate_metadata, validate_mode, validate_prompt
from codevf_nb.sdk.waiting import next_poll
from codevf_nb.settings import Account
from codevf_nb.submission import Submission
from codevf_nb.task import Task
from codevf_nb.watcher import Polled, Watcher, Ways

if TYPE_CHECKING:
    from collections.abc import Callable

    from codevf_nb.sdk.answers import RawAnswer
    from codevf_nb.sdk.transport import Attempt

# Another process takes the polling over this long after its holder died, in seconds.
WATCH_LEASE_SECONDS = 8.0
# A balance seen within this many seconds is told again without asking.
BALANCE_SECONDS = 300.0


class Session:
    """Everything a kernel does on one account."""

    def __init__(self, account: Account, store: Store) -> None:
        self.account = account
        self.ledger = Ledger(store, account.name, account.environment)
        self._limiter = Limiter(store, account.credential, account.requests_per_second)
        self.client = CodeVFClient(account.api_key, account.base_url)
        self._submission = Submission(account, self.ledger, self._limiter, self.client, settings.user())
        self._lease_until = 0.0
        self.watcher = Watcher(
            Ways(
                poll=self._poll,
                look=self.ledger.questions.get,
                open=lambda: list(self.ledger.questions.open()),
                may_poll=self._may_poll,
                turn_in=self._limiter.free_in,
            )
        )

    # -- asking

    def draft(
        self,
        prompt: str | None = None,
        code: str | None = None,
        attach: Mapping[str, Any] | None = None,
        files: Sequence[str | Path] = (),
        mode: str | None = None,
        tag: str | int | None = None,
        max_credits: int | None = None,
        project: str | None = None,
        schema: Any = None,
        metadata: Mapping[str, Any] | None = None,
        again: int = 1,
        max_bytes: int | None = None,
    ) -> Draft:
        """Make and price what would be sent; whatever the rules forbid is told here, before anything is sent."""
        attach = attach or {}
        prompt = validate_prompt(prompt or DEFAULT_PROMPT)
        service_mode = validate_mode(mode or ServiceMode.STANDARD)
        credits = validate_credits(self._credits(max_credits, service_mode), service_mode)
        checked = validate_metadata(metadata or {})
        if again < 1:
            raise BadRequestError(f"--again counts from 1, so it can't be {again}.")
        parts = attachments.gather(code, attach, files, max_bytes or attachments.DEFAULT_MAX_BYTES)
        question = Question(
            prompt=prompt,
            project=project or Path.cwd().name or "notebook",
            mode=service_mode,
            tag=self._tag(tag),
            max_credits=credits,
            code=code,
            schema=None if schema is None else to_json_schema(schema),
            metadata=checked,
            attached=(*attach, *(Path(file).name for file in files)),
            asking=again,
        )
        return Draft(question, parts)

    def ask(self, draft: Draft) -> Task:
        """Send a question, unless it was asked before, and watch for its answer."""
        known = self._submission.known(draft)
        if known is not None:
            return self._follow(known, repeated=True)
        self.balance()
        asked = self._submission.submit(draft, self._project_id(draft.question.project))
        return self._follow(asked.entry, repeated=asked.repeated)

    def settle(self, entry: Entry) -> Task:
        """Find out what became of a question nobody heard the end of."""
        return self._follow(self._submission.settle(entry), repeated=True)

    def task(self, task_id: str | None = None) -> Task:
        """Return a task by its id, or by the first letters of it; the newest one without."""
        return self._follow(self._find(task_id), repeated=False)

    # -- what the service offers

    def tags(self, *, refresh: bool = False) -> list[Tag]:
        """Return the tags with their multipliers; from the ledger once they have been listed."""
        known = self.ledger.catalogue.tags()
        if known and not refresh:
            return known
        self.ledger.catalogue.keep_tags(self.client.tags.list(before_attempt=self._in_turn), self.ledger.clock())
        return self.ledger.catalogue.tags()

    def balance(self, *, refresh: bool = False) -> CreditBalance:
        """Return available, held and total credits; asked for again after five minutes or with ``refresh``."""
        last = self.ledger.balances.last()
        if last is not None and not refresh and 0 <= self.ledger.clock() - last.at < BALANCE_SECONDS:
            available, on_hold = Decimal(str(last.available)), Decimal(str(last.on_hold))
            return CreditBalance(available=available, on_hold=on_hold, total=available + on_hold)
        balance = self.client.credits.get_balance(before_attempt=self._in_turn)
        if balance.available is not None:
            at = time.time() if balance.at is None else balance.at.timestamp()
            self.ledger.balances.record(float(balance.available), float(balance.on_hold or 0), at)
        return balance

    # -- a task's way back

    def cancel(self, entry: Entry) -> Entry:
        """Ask the service to stop a task, and see what became of it."""
        if entry.task_id is not None and entry.is_open:
            keep = self._keep_answer(entry.id, CANCEL)
            self.client.tasks.cancel(entry.task_id, before_attempt=self._in_turn, on_answer=keep)
            entry = self._fetch(entry, self._in_turn)[0]
            self.watcher.hurry(entry.id)
        return entry

    def refresh(self, entry: Entry) -> Entry:
        """Ask the service about a task now."""
        if not entry.is_open:
            return self.ledger.questions.get(entry.id)
        return self._fetch(entry, self._in_turn)[0]

    def close(self) -> None:
        """Stop watching and let go of connections. Tasks go on at the service."""
        self.watcher.stop()
        if self._lease_until:
            self.ledger.leases.release(self._lease_name)
        self.client.close()
        self.ledger.store.close()

    # -- pieces

    @property
    def _lease_name(self) -> str:
        return f"watch {self.account.name}"

    def _credits(self, max_credits: int | None, mode: ServiceMode) -> int:
        if max_credits is not None:
            return max_credits
        if self.account.is_live:
            least, most = mode.credit_range
            raise BadRequestError(
                f"nobody pays by default: with a live key say how much this may use, -c {least} to {most:,} "
                f"({mode.value}), or once for all: %config CodeVF.max_credits = {least}. Nothing was sent."
            )
        return mode.credit_range[0]

    def _tag(self, wanted: str | int | None) -> Tag:
        active = [tag for tag in self.tags() if tag.is_active]
        if wanted is None:
            if not active:
                raise InvalidTagError("the service lists no active tag, so name one: --tag ID. Nothing was sent.")
            return min(active, key=lambda tag: (tag.cost_multiplier, tag.id))
        spelled = _spell(str(wanted))
        for tag in active:
            if spelled in {str(tag.id), _spell(tag.name), _spell(tag.display_name or "")}:
                return tag
        listed = ", ".join(f"{tag.name} ({tag.cost_multiplier}×)" for tag in active)
        raise InvalidTagError(f"tag {str(wanted)!r} is not one of {listed}. Nothing was sent.")

    def _project_id(self, name: str) -> int:
        known = self.ledger.catalogue.project(name)
        if known is None:
            known = self.client.projects.create(name, before_attempt=self._in_turn).id
            self.ledger.catalogue.keep_project(name, known)
        return known

    def _follow(self, entry: Entry, *, repeated: bool) -> Task:
        self.watcher.watch(entry, first_in=next_poll(entry.status or "", _mode(entry), elapsed=0.0))
        return Task(self, entry, repeated=repeated)

    def _find(self, task_id: str | None) -> Entry:
        if task_id is None:
            newest = [entry for entry in self.ledger.questions.latest() if entry.task_id]
            if not newest:
                raise BadRequestError("nothing has been asked on this account yet.")
            return newest[0]
        found = self.ledger.questions.task(task_id)
        if found is None:
            raise BadRequestError(f"task {task_id!r} is not in the ledger of {self.account.name}.")
        return found

    def _poll(self, question_id: int) -> Polled:
        entry, retry_after = self._fetch(self.ledger.questions.get(question_id), self._turn_taken)
        elapsed = time.time() - entry.prepared_at
        return Polled(entry, next_poll(entry.status or "", _mode(entry), elapsed=elapsed, retry_after=retry_after))

    def _fetch(self, entry: Entry, in_turn: Callable[[Attempt], None]) -> tuple[Entry, float | None]:
        keep = self._keep_answer(entry.id, RETRIEVE)
        response = self.client.tasks.retrieve(str(entry.task_id), before_attempt=in_turn, on_answer=keep)
        seen = became(response)
        seen.pop("task_id")
        return self.ledger.questions.become(entry.id, **seen), response.retry_after

    def _keep_answer(self, question_id: int, request: str) -> Callable[[RawAnswer], None]:
        def on_answer(answer: RawAnswer) -> None:
            at = None if answer.at is None else answer.at.timestamp()
            self.ledger.questions.hear(question_id, request, answer.status, answer.body, at)

        return on_answer

    def _in_turn(self, _attempt: Attempt) -> None:
        self._limiter.wait()

    def _turn_taken(self, attempt: Attempt) -> None:
        """The watcher asks for a turn before it polls, so that polling never queues ahead of a question."""
        if attempt.number > 1:
            self._limiter.wait()

    def _may_poll(self) -> bool:
        now = self.ledger.clock()
        if now > self._lease_until - WATCH_LEASE_SECONDS / 2:
            held = self.ledger.leases.hold(self._lease_name, WATCH_LEASE_SECONDS)
            self._lease_until = now + WATCH_LEASE_SECONDS if held else 0.0
        return self._lease_until > 0


def _mode(entry: Entry) -> str:
    return entry.mode or ServiceMode.STANDARD.value


def _spell(name: str) -> str:
    """Compare names as people type them: case, blanks, - and _ don't matter."""
    return name.strip().lower().replace(" ", "-").replace("_", "-")


# -- the kernel's session

_current: Session | None = None


def current() -> Session:
    """Return this kernel's session, opening it on first use.

    Raises:
        AuthenticationError: no key, and no sandbox asked for.
    """
    if _current is None:
        if os.environ.get("CODEVF_SANDBOX") == "1":
            return use_sandbox()
        return use(settings.account_from_key())
    return _current


def use_sandbox(*, fresh: bool = False, **options: Any) -> Session:
    """Talk to a sandbox of this home's own from now on: found if it runs, else started as a process of its own."""
    from codevf_nb.sandbox import SandboxError, process

    try:
        running = process.start(settings.home(), fresh=fresh, **options)
    except SandboxError as error:
        raise ConfigurationError(str(error)) from None
    name = "sandbox" if running.generation == 1 else f"sandbox-{running.generation}"
    if _current is not None and (_current.account.name, _current.account.base_url) == (
        name,
        running.base_url,
    ):
        return _current
    return use(
        Account(
            name=name,
            environment="sandbox",
            base_url=running.base_url,
            api_key=running.api_key,
            source="%codevf sandbox",
            origin=name,
            requests_per_second=running.options.get("rate_limit"),
        )
    )


def forget() -> None:
    """Close this kernel's session; the next use opens one anew."""
    global _current  # noqa: PLW0603 - the one piece of state a kernel has
    if _current is not None:
        _current.close()
        _current = None


def use(account: Account) -> Session:
    """Make this the account that the kernel talks to."""
    global _current  # noqa: PLW0603 - as above
    url = os.environ.get("CODEVF_LEDGER")
    if url and not url.startswith(("sqlite", "postgresql")):
        raise LedgerError(f"CODEVF_LEDGER must be a sqlite or postgresql URL, not {url.split(':', 1)[0]}:…")
    session = Session(account, Store(url or sqlite_url(settings.home() / "ledger.sqlite")))
    _current = session
    return session
