"""One account's session: it connects the packages, and holds no rules of its own."""

from __future__ import annotations

import contextlib
import weakref
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from codevf_nb.accounts import settings
from codevf_nb.accounts.settings import Account
from codevf_nb.delivery import (
    AskResult,
    ManualSettlement,
    Submission,
    TaskRecorder,
    before_ledger_write,
    before_sending,
    interruption_message,
)
from codevf_nb.delivery.channel import ServiceChannel
from codevf_nb.delivery.service_info import ServiceInfo
from codevf_nb.drafting import make_draft
from codevf_nb.ledger import (
    Entry,
    KnownAccount,
    Ledger,
    LedgerError,
    RateLimiter,
    Repeat,
    Store,
    present_name,
)
from codevf_nb.questions.options import AskOptions, Defaults
from codevf_nb.questions.question import Draft, Terms, spelled
from codevf_nb.sdk import CodeVFClient
from codevf_nb.sdk.exceptions import BadRequestError, InvalidTagError, NotFoundError
from codevf_nb.sdk.models import (
    CreditBalance,
    ServiceMode,
    Tag,
    TaskDeliverable,
)
from codevf_nb.sdk.parsing import replace_unstorable
from codevf_nb.sdk.suggestions import did_you_mean
from codevf_nb.sdk.validation import validate_credits, validate_mode
from codevf_nb.task import Task

# A question that was prepared and never sent is listed for this long, in seconds.
UNSENT_SECONDS = 24 * 3600.0

_sessions: weakref.WeakSet[Session] = weakref.WeakSet()


class Session:
    """Everything that a kernel does on one account."""

    def __init__(self, account: Account, store: Store, unsafe: str | None = None) -> None:
        """Connect an account with a ledger.

        Args:
            account: The account.
            store: The database of the ledger.
            unsafe: Why this is not the real ledger; the session then shows what it has, and asks nothing.
        """
        account = replace(account, name=present_name(store, account.name))
        self.account = account
        self.is_closed = False
        _sessions.add(self)
        self.unsafe = unsafe
        self.ledger = Ledger(store, account.name, account.environment)
        self.ledger.accounts.merge_respelled_address(account.origin, account.credential)
        self._rate_limiter = RateLimiter(store, account.credential, account.requests_per_second)
        self.client = CodeVFClient(account.api_key, account.base_url, allowed_hosts=account.allowed_hosts)
        recorder = TaskRecorder(self.ledger, self._rate_limiter, self.client)
        self._submission = Submission(account, self.ledger, self._rate_limiter, self.client, recorder, settings.user())
        self._manual = ManualSettlement(account, self.ledger, recorder)
        self._channel = ServiceChannel(account, self.ledger, self._rate_limiter, self.client)
        self.watcher = self._channel.watcher()
        self.folder = replace_unstorable(settings.folder_name())
        self._service_info = ServiceInfo(account, self.ledger, self._channel, self.folder)

    def prefetch(self) -> None:
        """Fetch in the background what a first question needs."""
        if not self.unsafe:
            self._service_info.prefetch()

    # -- asking

    def draft(self, prompt: str | None = None, defaults: Defaults | None = None, **given: Any) -> Draft:
        """Return the draft of a question from the fields of ``AskOptions``; see ``draft_of``."""
        return self.draft_of(AskOptions(prompt, **given), defaults or Defaults())

    @before_sending()
    def draft_of(self, options: AskOptions, defaults: Defaults, *, is_preview: bool = False) -> Draft:
        """Return the draft of a question, checked without a request; see ``drafting.make_draft``."""
        return make_draft(options, defaults, folder=self.folder, own_key=self.account.api_key, is_preview=is_preview)

    @before_sending()
    def priced(self, draft: Draft) -> Draft:
        """Return a draft with mode, tag, credits and the highest possible cost.

        Raises:
            InvalidTagError: the service has no such tag.
            BadRequestError: the account is live, and no option or default sets the credits.
        """
        question, defaults = draft.question, draft.defaults
        mode = question.mode or validate_mode(defaults.mode or ServiceMode.STANDARD)
        credits = self._credits(defaults.max_credits if question.max_credits is None else question.max_credits, mode)
        tag = self._fresh_tag(defaults.tag if question.tag is None else question.tag)
        return replace(draft, terms=Terms(draft.project, mode, tag, validate_credits(credits, mode)))

    def known(self, draft: Draft) -> Entry | None:
        """Return the same question where the ledger has it; nothing is sent."""
        return self._submission.known(draft)

    def ask(self, draft: Draft, on_priced: Callable[[Draft], None] | None = None) -> Task:
        """Send a question, unless it was asked before, and watch for its answer.

        Args:
            draft: The draft of the question.
            on_priced: Called with the priced draft before the question is sent; not called for a repeat.

        Returns:
            The task; its ``repeated`` is set where it was asked before.

        Raises:
            CodeVFError: it was not asked, or its outcome is unknown; the message says which.
        """
        with before_ledger_write(), self.ledger.store.reuse_connection():
            asked = self._submission.repeat(draft)
            if asked is None:
                self._check_ledger()
                draft = self.priced(draft)
                if on_priced is not None:
                    on_priced(draft)
                asked = self._submit(draft)
        return self._follow(asked.entry, asked.repeat)

    def interruption_message(self, draft: Draft) -> str | None:
        """Return what Ctrl-C has stopped, and what to do next; None where the question was never sent."""
        try:
            return interruption_message(self.known(draft))
        except LedgerError as error:
            return f"stopped, and whether it was sent isn't known: {error}. Run the cell again: it can't be paid twice."

    def resolve(self, entry: Entry) -> Task:
        """Resolve the unknown outcome of a question, because a person asks for it."""
        return self._follow(self._submission.resolve(entry, after_conflict=True))

    def settle_by_hand(self, question_id: int, task_id: str | None) -> Entry:
        """Record what a person has found out about a question; it also corrects a wrong task.

        Args:
            question_id: The question.
            task_id: Its task; None where the service doesn't have the question.

        Raises:
            BadRequestError: there is no such question, or the task can't be the question's.
        """
        entry = self.ledger.questions.find(question_id)
        if entry is None or entry.is_foreign:
            raise BadRequestError(
                f"there is no question {question_id} here: %codevf status lists the questions with an unknown outcome."
            )
        if task_id is None:
            return self._manual.mark_not_sent(entry)
        if entry.task_id == task_id:
            raise BadRequestError(f"{task_id} is the task of question {question_id} already.")
        return self._follow(self._manual.assign_task(entry, task_id)).entry

    def unsettled(self) -> list[tuple[Entry, str]]:
        """Return every question without a task, with what to do about it."""
        return self._submission.unsettled.all(since=self.ledger.clock() - UNSENT_SECONDS)

    def task(self, task_id: str | None = None) -> Task:
        """Return a task by its id, or the newest one; fetch a task that the ledger doesn't have from the service."""
        return self._follow(self._find(task_id))

    # -- what the service offers

    def tags(self, *, refresh: bool = False) -> list[Tag]:
        """Return the tags with their multipliers; from the ledger once they have been listed."""
        return self._service_info.tags(refresh=refresh)

    def tag(self, wanted: str | int | None = None) -> Tag:
        """Return an active tag by its name or id; the cheapest one without.

        Raises:
            InvalidTagError: the service lists no such active tag.
        """
        active = [tag for tag in self.tags() if tag.is_active]
        if wanted is None:
            if not active:
                raise InvalidTagError("the service lists no active tag, so name one: --tag ID.")
            return min(active, key=lambda tag: (tag.cost_multiplier, tag.id))
        name = spelled(str(wanted))
        for tag in active:
            if name in {str(tag.id), spelled(tag.name), spelled(tag.display_name or "")}:
                return tag
        listed = ", ".join(f"{tag.name} ({tag.cost_multiplier}×)" for tag in active)
        likely = did_you_mean(str(wanted), [tag.name for tag in active])
        raise InvalidTagError(f"tag {str(wanted)!r} is not one of {listed}{likely}.")

    def balance(self, *, refresh: bool = False) -> CreditBalance:
        """Return available, held and total credits.

        It is requested again after five minutes, with ``refresh``, and where the ledger has recorded movements since;
        in that case with a short deadline, after which the previous balance is returned.
        """
        return self._service_info.balance(refresh=refresh)

    # -- tasks

    def cancel(self, entry: Entry) -> Entry:
        """Ask the service to cancel a task, and return its new state."""
        if entry.task_id is not None and entry.is_open:
            entry = self._channel.cancel(entry)
            self.watcher.wake()
        return entry

    def refresh(self, entry: Entry) -> Entry:
        """Fetch a task from the service now, also one that is final: late results and charges are recorded."""
        if entry.task_id is None or entry.is_forgotten:
            return self.ledger.questions.get(entry.id)
        entry = self._channel.refresh(entry)
        self.watcher.wake()
        return entry

    def download(self, files: Sequence[TaskDeliverable], folder: Path, *, overwrite: bool = False) -> list[Path]:
        """Save the files of an answer; see ``Task.download``. Requests to the service take turns of the rate limit."""
        return self.client.tasks.download_all(files, folder, overwrite=overwrite, **self._channel.queued)

    def accounts(self) -> list[KnownAccount]:
        """Return every account of the ledger, with this session's."""
        return self.ledger.accounts.known(self.account.origin)

    def open_elsewhere(self) -> dict[str, int]:
        """Return the number of the same person's open questions at the same origin, by account."""
        found = self.ledger.questions.open_elsewhere(self.account.origin, settings.user())
        return dict(Counter(entry.account for entry in found))

    def same_account(self, name: str, *, sure: bool = False) -> int:
        """Record that an account of the ledger is this one under an earlier key; return the number of its questions."""
        moved = self.ledger.accounts.join(name, self.account.origin, settings.user(), sure=sure)
        self.watcher.wake()
        return moved

    def mark_read(self, entry: Entry | None = None) -> None:
        """Mark the answer of a question as read; without a question, all answers."""
        if entry is None or entry.is_unread:
            with contextlib.suppress(LedgerError):  # the answer is shown although the mark can't be recorded
                self.ledger.pages.mark_seen(self.ledger.clock(), None if entry is None else entry.id)

    def close(self) -> None:
        """Stop watching and close connections. Tasks continue at the service."""
        self.is_closed = True
        self._service_info.close()
        self.watcher.stop()
        self.client.close()
        self._channel.close()
        self.ledger.store.close()

    def successor(self) -> Session:
        """Return this session; once it is closed, an open one of the same ledger and account."""
        if not self.is_closed:
            return self
        same = (self.ledger.store.place, self.account.name)
        others = (other for other in _sessions if (other.ledger.store.place, other.account.name) == same)
        return next((other for other in others if not other.is_closed), self)

    # -- pieces

    def _submit(self, draft: Draft) -> AskResult:
        """Send a priced question; where the service no longer has its project, create the project and send it again."""
        name = draft.priced.project
        with before_sending():
            self._service_info.ensure_recent_balance()
            project_id = self._project_id(name)
        try:
            return self._submission.submit(draft, project_id)
        except NotFoundError:  # a question refers to nothing else that the service may have deleted
            pass
        with before_sending():  # the refused attempt has cost nothing
            self.ledger.catalogue.forget_project(name)
            project_id = self._project_id(name)
        return self._submission.submit(draft, project_id)

    def _fresh_tag(self, wanted: str | int | None) -> Tag:
        """Return a tag with its present price: tags that were listed more than a day ago are listed again."""
        self._service_info.refresh_old_tags()
        return self.tag(wanted)

    def _check_ledger(self) -> None:
        if self.unsafe:
            raise LedgerError(self.unsafe)

    def _credits(self, max_credits: int | None, mode: ServiceMode) -> int:
        if max_credits is not None:
            return max_credits
        if self.account.is_live:
            least, most = mode.credit_range
            raise BadRequestError(
                f"a live key has no default for credits: set how many this question may use, -c {least} to {most:,} "
                f"({mode.value}), or once for all: %config CodeVF.max_credits = {least}."
            )
        return mode.credit_range[0]

    def _project_id(self, name: str) -> int:
        return self._service_info.project_id(name)

    def _follow(self, entry: Entry, repeat: Repeat | None = None) -> Task:
        self.watcher.watch(entry)
        return Task(self, entry, repeated=repeat)

    def _find(self, task_id: str | None) -> Entry:
        if task_id is None:
            newest = [entry for entry in self.ledger.questions.latest() if entry.task_id]
            if not newest:
                raise BadRequestError("nothing has been asked on this account yet.")
            return newest[0]
        return self.ledger.questions.task(task_id) or self._manual.import_task(task_id)
