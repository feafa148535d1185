"""The rooms, put together for one account. Delegation only: what a thing means stands in the room it belongs to."""

from __future__ import annotations

import contextlib
import hashlib
import weakref
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from codevf_nb import attachments, privacy
from codevf_nb.accounts import settings
from codevf_nb.accounts.settings import Account
from codevf_nb.delivery import (
    AskResult,
    Submission,
    stopped,
    telling_nothing_sent,
    telling_whether_sent,
)
from codevf_nb.delivery.channel import ServiceChannel
from codevf_nb.delivery.service_info import ServiceInfo
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
from codevf_nb.ledger.migrations import normalize_line_ends
from codevf_nb.privacy.progress import looking
from codevf_nb.questions.options import PROFILES, AskOptions, Defaults
from codevf_nb.questions.question import (
    DEFAULT_PROMPT,
    Draft,
    Question,
    Terms,
    spelled,
)
from codevf_nb.sdk import CodeVFClient
from codevf_nb.sdk.exceptions import BadRequestError, InvalidTagError, NotFoundError
from codevf_nb.sdk.models import (
    CreditBalance,
    ServiceMode,
    Tag,
    TaskDeliverable,
)
from codevf_nb.sdk.parsing import cleaned
from codevf_nb.sdk.suggestions import did_you_mean
from codevf_nb.sdk.validation import (
    validate_credits,
    validate_metadata,
    validate_mode,
    validate_prompt,
    validate_schema,
)
from codevf_nb.task import Task

# For so long it is told that a question was prepared and never sent.
UNSENT_SECONDS = 24 * 3600.0
MOST_ASKINGS = 1_000_000

_sessions: weakref.WeakSet[Session] = weakref.WeakSet()


class Session:
    """Everything a kernel does on one account.

    ``unsafe`` says why its ledger can't be the real one: it then tells what it can, and asks nothing.
    """

    def __init__(self, account: Account, store: Store, unsafe: str | None = None) -> None:
        account = replace(account, name=present_name(store, account.name))
        self.account = account
        self.is_closed = False
        _sessions.add(self)
        self.unsafe = unsafe
        self.ledger = Ledger(store, account.name, account.environment)
        self.ledger.accounts.unify(account.origin, account.credential)
        self._rate_limiter = RateLimiter(store, account.credential, account.requests_per_second)
        self.client = CodeVFClient(account.api_key, account.base_url, allowed_hosts=account.allowed_hosts)
        self._submission = Submission(account, self.ledger, self._rate_limiter, self.client, settings.user())
        self._line = ServiceChannel(account, self.ledger, self._rate_limiter, self.client)
        self.watcher = self._line.watcher()
        self.folder = cleaned(settings.folder_name())
        self._service_info = ServiceInfo(account, self.ledger, self._line, self.folder)

    def prefetch(self) -> None:
        """Fetch in the background what a first question needs."""
        if not self.unsafe:
            self._service_info.prefetch()

    # -- asking

    def draft(self, prompt: str | None = None, defaults: Defaults | None = None, **given: Any) -> Draft:
        """Make what would be sent of the fields of ``AskOptions``; see ``draft_of``."""
        return self.draft_of(AskOptions(prompt, **given), defaults or Defaults())

    @telling_nothing_sent()
    def draft_of(self, options: AskOptions, defaults: Defaults, *, only_look: bool = False) -> Draft:
        """Make what would be sent; what the rules forbid is refused here, without a request.

        Where it is ``only_look``ed at, no rows of a lazy table are read, unless all may be counted.

        Nothing that was not given is resolved yet, except the project's name: see ``priced``.
        """
        question, depth = self._question(options, defaults), _depth(options, only_look=only_look)
        budget = attachments.DEFAULT_MAX_BYTES if options.max_bytes is None else options.max_bytes
        parts = attachments.gather(question.code, options.attach, options.files, budget, options.redact, depth)
        unmasked = parts
        if options.unnamed and options.redact:  # masks are random: with them the same data would be a new question
            unmasked = attachments.gather(question.code, options.attach, options.files, budget)
        question = replace(question, contents=_contents(options, unmasked))
        project = _encodable(question.project or defaults.project or self.folder, "the project's name")
        draft = Draft(question, parts, project, defaults)
        with looking() as tell:
            unread = privacy.check(
                draft.texts(),
                draft.files(),
                own_key=self.account.api_key,
                allow_secrets=options.allow_secrets,
                allow_personal=options.allow_personal,
                tell=tell,
            )
        return replace(draft, unread=tuple(map(str, unread)))

    @telling_nothing_sent()
    def priced(self, draft: Draft) -> Draft:
        """Resolve what was not given, and with it the most that the question can cost.

        Raises:
            InvalidTagError, BadRequestError: there is no such tag, or nobody said how many credits it may use.
        """
        said, defaults = draft.question, draft.defaults
        mode = said.mode or validate_mode(defaults.mode or ServiceMode.STANDARD)
        credits = self._credits(defaults.max_credits if said.max_credits is None else said.max_credits, mode)
        tag = self._fresh_tag(defaults.tag if said.tag is None else said.tag)
        return replace(draft, terms=Terms(draft.project, mode, tag, validate_credits(credits, mode)))

    def known(self, draft: Draft) -> Entry | None:
        """Return the same question where the ledger has it; nothing is sent."""
        return self._submission.known(draft)

    def ask(self, draft: Draft, on_priced: Callable[[Draft], None] | None = None) -> Task:
        """Send a question, unless it was asked before, and watch for its answer.

        ``on_priced`` is called with the priced draft before the question is sent; it is not called for a repeat.
        """
        with telling_whether_sent(), self.ledger.store.together():
            asked = self._submission.repeat(draft)
            if asked is None:
                self._check_ledger()
                draft = self.priced(draft)
                if on_priced is not None:
                    on_priced(draft)
                asked = self._submit(draft)
        return self._follow(asked.entry, asked.repeat)

    def stopped(self, draft: Draft) -> str | None:
        """Say how a question stands that a person stopped asking, or waiting for; None where it was never sent."""
        try:
            return stopped(self.known(draft))
        except LedgerError as error:
            return f"stopped, and whether it was sent isn't known: {error}. Run the cell again: it can't be paid twice."

    def settle(self, entry: Entry) -> Task:
        """Find out what became of a question nobody heard the end of, as a person asks for it."""
        return self._follow(self._submission.settle(entry, after_conflict=True))

    def settle_by_hand(self, question_id: int, task_id: str | None) -> Entry:
        """Record what a person has found out about a question: its task, or (None) that the service doesn't have it.

        That corrects a task which was taken for it, too.
        """
        entry = self.ledger.questions.find(question_id)
        if entry is None or entry.is_foreign:
            raise BadRequestError(f"there is no question {question_id} here: %codevf status lists what needs settling.")
        if task_id is None:
            return self._submission.abandon(entry)
        if entry.task_id == task_id:
            raise BadRequestError(f"question {question_id} needs no settling: {task_id} is its task already.")
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
        return self._service_info.tags(refresh=refresh)

    def tag(self, wanted: str | int | None = None) -> Tag:
        """Return an active tag by its name or id; the cheapest one unless said."""
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

        Asked for again after five minutes, with ``refresh``, and where the ledger knows that credits have moved since;
        then only for a moment, as the one from before will do.
        """
        return self._service_info.balance(refresh=refresh)

    # -- a task's way back

    def cancel(self, entry: Entry) -> Entry:
        """Ask the service to stop a task, and see what became of it."""
        if entry.task_id is not None and entry.is_open:
            entry = self._line.cancel(entry)
            self.watcher.wake()
        return entry

    def refresh(self, entry: Entry) -> Entry:
        """Ask the service about a task now, also about one that is over: what came late is taken over."""
        if entry.task_id is None or entry.is_forgotten:
            return self.ledger.questions.get(entry.id)
        entry = self._line.refresh(entry)
        self.watcher.wake()
        return entry

    def download(self, files: Sequence[TaskDeliverable], folder: Path, *, overwrite: bool = False) -> list[Path]:
        """Save the files of an answer; see ``Task.download``. Requests to the service itself take their turns."""
        return self.client.tasks.download_all(files, folder, overwrite=overwrite, **self._line.queued)

    def accounts(self) -> list[KnownAccount]:
        """Return every account of the ledger; this session's is among them."""
        return self.ledger.accounts.known(self.account.origin)

    def open_elsewhere(self) -> dict[str, int]:
        """Return how many questions of the same person are open at the same place, by the account they are under."""
        found = self.ledger.questions.open_elsewhere(self.account.origin, settings.user())
        return dict(Counter(entry.account for entry in found))

    def same_account(self, name: str, *, sure: bool = False) -> int:
        """Record that an account of the ledger is this one under an earlier key; return how many questions it had."""
        moved = self.ledger.accounts.join(name, self.account.origin, settings.user(), sure=sure)
        self.watcher.wake()
        return moved

    def saw(self, entry: Entry | None = None) -> None:
        """Record that somebody looked at an answer; without a question, at all there are."""
        if entry is None or entry.is_unread:
            with contextlib.suppress(LedgerError):  # a mark that can't be made is no reason not to show the answer
                self.ledger.pages.see(self.ledger.clock(), None if entry is None else entry.id)

    def close(self) -> None:
        """Stop watching and let go of connections. Tasks go on at the service."""
        self.is_closed = True
        self._service_info.close()
        self.watcher.stop()
        self.client.close()
        self._line.close()
        self.ledger.store.close()

    def successor(self) -> Session:
        """Return the session to go on with: this one; once it is closed, an open one of the same ledger and account."""
        if not self.is_closed:
            return self
        same = (self.ledger.store.place, self.account.name)
        others = (other for other in _sessions if (other.ledger.store.place, other.account.name) == same)
        return next((other for other in others if not other.is_closed), self)

    # -- pieces

    def _question(self, options: AskOptions, defaults: Defaults) -> Question:
        """Check what was said, and return it as the question that it makes."""
        if not 1 <= options.again <= MOST_ASKINGS:
            raise BadRequestError(f"--again counts from 1 to {MOST_ASKINGS:,}, so it can't be {options.again}.")
        mode = None if options.mode is None else validate_mode(options.mode)
        code = None if options.code is None else _encodable(normalize_line_ends(options.code), "the code")
        credits = options.max_credits
        if credits is not None:
            credits = validate_credits(credits, mode or validate_mode(defaults.mode or ServiceMode.STANDARD))
        return Question(
            prompt=validate_prompt(normalize_line_ends(options.prompt or DEFAULT_PROMPT)),
            code=code or None,
            mode=mode,
            tag=None if options.tag is None else spelled(str(options.tag)),
            max_credits=credits,
            project=(options.project or "").strip() or None,
            schema=None if options.schema is None else validate_schema(options.schema),
            metadata=validate_metadata(options.metadata),
            attached=(*options.attach, *(Path(file).name for file in options.files)),
            exception=options.exception,
            asking=options.again,
        )

    def _submit(self, draft: Draft) -> AskResult:
        """Send a priced question; where its project is gone from the service, make the project and send it again."""
        name = draft.priced.project
        with telling_nothing_sent():
            self._service_info.see_balance()
            project_id = self._project_id(name)
        try:
            return self._submission.submit(draft, project_id)
        except NotFoundError:  # of what a question names, only the project can be missing at the service
            pass
        with telling_nothing_sent():  # the refused attempt has cost nothing
            self.ledger.catalogue.forget_project(name)
            project_id = self._project_id(name)
        return self._submission.submit(draft, project_id)

    def _fresh_tag(self, wanted: str | int | None) -> Tag:
        """Return a tag with the price of today: tags that were listed more than a day ago are listed again."""
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
                f"nobody pays by default: with a live key say how much this may use, -c {least} to {most:,} "
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
        return self.ledger.questions.task(task_id) or self._submission.take_in(task_id)


def _depth(options: AskOptions, *, only_look: bool) -> attachments.Depth:
    """Return how much of a lazy table is read; it must have a name of its own, or its rows were the question's."""
    lazy = [name for name, value in options.attach.items() if attachments.is_lazy(value)]
    if lazy and options.unnamed:
        raise BadRequestError(
            "a lazy table needs a name, since its rows can't tell whether it is the same one: "
            "attach={'orders': orders}."
        )
    if options.profile not in (None, *PROFILES):
        raise BadRequestError(f"--profile takes {' or '.join(PROFILES)}, not {options.profile!r}.")
    if options.profile == "full":
        return attachments.Depth.FULL
    return attachments.Depth.SCHEMA if only_look else attachments.Depth.SAMPLE


def _encodable(text: str, what: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        broken = text[error.start].encode("unicode_escape").decode()
        raise BadRequestError(f"{what} holds half a character ({broken}), which no file can hold.") from None
    return text


def _contents(options: AskOptions, parts: Sequence[attachments.Attachment]) -> tuple[str, ...]:
    """Return digests of what was attached without a name; a name that was chosen stands for its contents."""
    if options.unnamed:
        return tuple(sorted(part.digest for part in parts if part.file_name not in ("cell.py", "profile.md")))
    files = options.files if options.contents_count else ()
    return tuple(sorted(hashlib.sha256(Path(file).expanduser().read_bytes()).hexdigest() for file in files))
