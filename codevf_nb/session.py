"""The rooms, put together for one account. Delegation only: what a thing means stands in the room it belongs to."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from codevf_nb import attachments, secrets, settings
from codevf_nb.ledger import Entry, Ledger, LedgerError, Limiter, Repeat, Store
from codevf_nb.line import Line
from codevf_nb.question import DEFAULT_PROMPT, Draft, Question
from codevf_nb.sdk import CodeVFClient
from codevf_nb.sdk.exceptions import APIConnectionError, APIError, BadRequestError, InvalidTagError
from codevf_nb.sdk.models import CreditBalance, ServiceMode, Tag
from codevf_nb.sdk.validation import (
    validate_credits,
    validate_metadata,
    validate_mode,
    validate_prompt,
    validate_schema,
)
from codevf_nb.settings import Account
from codevf_nb.submission import Submission, stopped, telling_nothing_sent, telling_whether_sent
from codevf_nb.task import Task

# A balance seen within this many seconds is told again without asking.
BALANCE_SECONDS = 300.0
# Where credits have moved since, a new one is waited for no longer than this, and after a failure not for a while.
GLANCE_SECONDS = 3.0
NEXT_GLANCE_SECONDS = 30.0
# For so long it is told that a question was prepared and never sent.
UNSENT_SECONDS = 24 * 3600.0

log = logging.getLogger("codevf_nb.session")


class Session:
    """Everything a kernel does on one account.

    ``unsafe`` says why its ledger can't be the real one: it then tells what it can, and asks nothing.
    """

    def __init__(self, account: Account, store: Store, unsafe: str | None = None) -> None:
        self.account = account
        self.unsafe = unsafe
        self.ledger = Ledger(store, account.name, account.environment)
        self._limiter = Limiter(store, account.credential, account.requests_per_second)
        self.client = CodeVFClient(account.api_key, account.base_url)
        self._submission = Submission(account, self.ledger, self._limiter, self.client, settings.user())
        self._line = Line(account, self.ledger, self._limiter, self.client)
        self.watcher = self._line.watcher()
        self._glance_at = 0.0
        # How far the service's clock is ahead of the ledger's, in seconds, as of the last balance.
        self._ahead = 0.0

    # -- asking

    @telling_nothing_sent()
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
        redact: Sequence[str] = (),
        *,
        allow_secrets: bool = False,
        allow_personal: bool = False,
    ) -> Draft:
        """Make and price what would be sent; whatever the rules forbid is told here, before anything is sent."""
        attach = attach or {}
        prompt = validate_prompt(prompt or DEFAULT_PROMPT)
        service_mode = validate_mode(mode or ServiceMode.STANDARD)
        credits = validate_credits(self._credits(max_credits, service_mode), service_mode)
        checked = validate_metadata(metadata or {})
        if again < 1:
            raise BadRequestError(f"--again counts from 1, so it can't be {again}.")
        budget = attachments.DEFAULT_MAX_BYTES if max_bytes is None else max_bytes
        parts = attachments.gather(code, attach, files, budget, redact)
        question = Question(
            prompt=prompt,
            project=project or Path.cwd().name or "notebook",
            mode=service_mode,
            tag=self.tag(tag),
            max_credits=credits,
            code=code,
            schema=None if schema is None else validate_schema(schema),
            metadata=checked,
            attached=(*attach, *(Path(file).name for file in files)),
            asking=again,
        )
        draft = Draft(question, parts)
        secrets.check(
            draft.texts(),
            draft.files(),
            own_key=self.account.api_key,
            allow_secrets=allow_secrets,
            allow_personal=allow_personal,
        )
        return draft

    def ask(self, draft: Draft) -> Task:
        """Send a question, unless it was asked before, and watch for its answer."""
        with telling_whether_sent(), self.ledger.store.together():
            asked = self._submission.repeat(draft)
            if asked is None:
                self._check_ledger()
                with telling_nothing_sent():
                    self._see_balance()
                    project_id = self._project_id(draft.question.project)
                asked = self._submission.submit(draft, project_id)
        return self._follow(asked.entry, asked.repeat)

    def stopped(self, draft: Draft) -> str | None:
        """Say how a question stands that a person stopped asking, or waiting for; None where it was never sent."""
        try:
            return stopped(self.ledger.questions.same(draft.question.identity(self.account.name)))
        except LedgerError as error:
            return f"stopped, and whether it was sent isn't known: {error}. Run the cell again: it can't be paid twice."

    def settle(self, entry: Entry) -> Task:
        """Find out what became of a question nobody heard the end of."""
        return self._follow(self._submission.settle(entry))

    def settle_by_hand(self, question_id: int, task_id: str | None) -> Entry:
        """Record what a person has found out about a question: its task, or (None) that the service doesn't have it."""
        entry = self.ledger.questions.find(question_id)
        if entry is None or entry.task_id is not None:
            raise BadRequestError(f"question {question_id} needs no settling: %codevf status lists those that do.")
        if task_id is None:
            return self.ledger.sending.abandon(question_id, "a person says that the service doesn't have it")
        return self._follow(self._submission.adopt(entry, task_id)).entry

    def unsettled(self) -> list[tuple[Entry, str]]:
        """Return every question without a task, with what to do about it."""
        return self._submission.unsettled.all(since=self.ledger.clock() - UNSENT_SECONDS)

    def task(self, task_id: str | None = None) -> Task:
        """Return a task by its id, the newest one without; one the ledger doesn't know is fetched from the service."""
        return self._follow(self._find(task_id))

    # -- what the service offers

    def tags(self, *, refresh: bool = False) -> list[Tag]:
        """Return the tags with their multipliers; from the ledger once they have been listed."""
        known = self.ledger.catalogue.tags()
        if known and not refresh:
            return known
        self.ledger.catalogue.keep_tags(self.client.tags.list(**self._line.queued), self.ledger.clock())
        return self.ledger.catalogue.tags()

    def tag(self, wanted: str | int | None = None) -> Tag:
        """Return an active tag by its name or id; the cheapest one unless said."""
        active = [tag for tag in self.tags() if tag.is_active]
        if wanted is None:
            if not active:
                raise InvalidTagError("the service lists no active tag, so name one: --tag ID.")
            return min(active, key=lambda tag: (tag.cost_multiplier, tag.id))
        spelled = _spell(str(wanted))
        for tag in active:
            if spelled in {str(tag.id), _spell(tag.name), _spell(tag.display_name or "")}:
                return tag
        listed = ", ".join(f"{tag.name} ({tag.cost_multiplier}×)" for tag in active)
        raise InvalidTagError(f"tag {str(wanted)!r} is not one of {listed}.")

    def balance(self, *, refresh: bool = False) -> CreditBalance:
        """Return available, held and total credits.

        Asked for again after five minutes, with ``refresh``, and where the ledger knows that credits have moved since;
        then only for a moment, as the one from before will do.
        """
        last = self._recent_balance()
        if last is None or refresh:
            return self._ask_balance()
        if last.is_behind and time.monotonic() >= self._glance_at:
            try:
                return self._ask_balance(deadline=GLANCE_SECONDS)
            except (APIError, APIConnectionError) as error:  # the one from before is better than none
                log.info("the balance of %.0f s ago is told: %s", self.ledger.clock() - last.at, error)
                self._glance_at = time.monotonic() + NEXT_GLANCE_SECONDS
        available, on_hold = Decimal(str(last.available)), Decimal(str(last.on_hold))
        return CreditBalance(available=available, on_hold=on_hold, total=available + on_hold)

    # -- a task's way back

    def cancel(self, entry: Entry) -> Entry:
        """Ask the service to stop a task, and see what became of it."""
        if entry.task_id is not None and entry.is_open:
            entry = self._line.cancel(entry)
            self.watcher.wake()
        return entry

    def refresh(self, entry: Entry) -> Entry:
        """Ask the service about a task now."""
        if not entry.is_open:
            return self.ledger.questions.get(entry.id)
        entry = self._line.refresh(entry)
        self.watcher.wake()
        return entry

    def saw(self, entry: Entry | None = None) -> None:
        """Record that somebody looked at an answer; without a question, at all there are."""
        if entry is None or entry.is_unread:
            with contextlib.suppress(LedgerError):  # a mark that can't be made is no reason not to show the answer
                self.ledger.pages.see(self.ledger.clock(), None if entry is None else entry.id)

    def close(self) -> None:
        """Stop watching and let go of connections. Tasks go on at the service."""
        self.watcher.stop()
        self.client.close()
        self._line.close()
        self.ledger.store.close()

    # -- pieces

    def _ask_balance(self, deadline: float | None = None) -> CreditBalance:
        balance = self.client.credits.get_balance(**self._line.queued, deadline=deadline)
        if balance.available is not None:
            now = self.ledger.clock()
            at = now if balance.at is None else balance.at.timestamp()
            self._ahead = at - now
            self.ledger.balances.record(float(balance.available), float(balance.on_hold or 0), at)
        return balance

    def _see_balance(self) -> None:
        """Have a balance in the book from not long before a question, so that it tells what others have spent."""
        if self._recent_balance() is None:
            self._ask_balance()

    def _recent_balance(self) -> Any:
        last = self.ledger.balances.last()
        now = self.ledger.clock() + self._ahead
        return last if last is not None and abs(now - last.at) < BALANCE_SECONDS else None

    def _check_ledger(self) -> None:
        if self.unsafe:
            raise LedgerError(self.unsafe)

    def _credits(self, max_credits: int | None, mode: ServiceMode) -> int:
        if max_credits is not None:
            return max_credits
        if self.account.is_live:
            least, most = mode.credit_range
            raise BadRequestError(
                f"nobody pays by default: with a live key say how much this may use, -c {least} to {most:,} "
                f"({mode.value}), or once for all: %config CodeVF.max_credits = {least}."
            )
        return mode.credit_range[0]

    def _project_id(self, name: str) -> int:
        known = self.ledger.catalogue.project(name)
        if known is None:
            known = self.client.projects.create(name, **self._line.queued).id
            self.ledger.catalogue.keep_project(name, known)
        return known

    def _follow(self, entry: Entry, repeat: Repeat | None = None) -> Task:
        self.watcher.watch(entry)
        return Task(self, entry, repeated=repeat)

    def _find(self, task_id: str | None) -> Entry:
        if task_id is None:
            newest = [entry for entry in self.ledger.questions.latest() if entry.task_id]
            if not newest:
                raise BadRequestError("nothing has been asked on this account yet.")
            return newest[0]
        return self.ledger.questions.task(task_id) or self._submission.take_in(task_id)


def _spell(name: str) -> str:
    """Compare names as people type them: case, blanks, - and _ don't matter."""
    return name.strip().lower().replace(" ", "-").replace("_", "-")
