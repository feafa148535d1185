"""Checks the options of a question and collects its attachments: the draft of what would be sent."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from codevf_nb import attachments, privacy
from codevf_nb.ledger.migrations import normalize_line_ends
from codevf_nb.privacy.progress import looking
from codevf_nb.questions.options import AskOptions, Defaults
from codevf_nb.questions.question import DEFAULT_PROMPT, Draft, Question, spelled
from codevf_nb.sdk.exceptions import BadRequestError
from codevf_nb.sdk.models import ServiceMode
from codevf_nb.sdk.secret import Secret
from codevf_nb.sdk.validation import (
    validate_credits,
    validate_metadata,
    validate_mode,
    validate_prompt,
    validate_schema,
)

MOST_ASKINGS = 1_000_000


def make_draft(
    options: AskOptions, defaults: Defaults, *, folder: str, own_key: Secret, is_preview: bool = False
) -> Draft:
    """Return the draft of a question: nothing is sent, and terms that were not given stay open.

    Args:
        options: The options of the question.
        defaults: The user's defaults.
        folder: The project's name where neither names one.
        own_key: The account's API key, which must not be in what is sent.
        is_preview: Read no rows of a lazy table, unless all may be counted.

    Raises:
        BadRequestError: an option is not valid.
        PrivateDataError: the draft holds secrets or personal data that were not allowed.
    """
    question, depth = _question(options, defaults), _depth(options, is_preview=is_preview)
    budget = attachments.DEFAULT_MAX_BYTES if options.max_bytes is None else options.max_bytes
    parts = attachments.gather(question.code, options.attach, options.files, budget, options.redact, depth)
    unmasked = parts
    if options.unnamed and options.redact:  # masks are random, so masked data would not identify the question
        unmasked = attachments.gather(question.code, options.attach, options.files, budget)
    question = replace(question, contents=_contents(options, unmasked))
    project = _encodable(question.project or defaults.project or folder, "the project's name")
    draft = Draft(question, parts, project, defaults)
    with looking() as tell:
        unread = privacy.check(
            draft.texts(),
            draft.files(),
            own_key=own_key,
            allow_secrets=options.allow_secrets,
            allow_personal=options.allow_personal,
            tell=tell,
        )
    return replace(draft, unread=tuple(map(str, unread)))


def _question(options: AskOptions, defaults: Defaults) -> Question:
    """Check the options, and return the question that they describe."""
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


def _depth(options: AskOptions, *, is_preview: bool) -> attachments.Depth:
    """Return how much of a lazy table is read.

    Raises:
        BadRequestError: a lazy table has no name; its rows differ from run to run, so they can't identify the question.
    """
    lazy = [name for name, value in options.attach.items() if attachments.is_lazy(value)]
    if lazy and options.unnamed:
        raise BadRequestError(
            "a lazy table needs a name, since the rows of its sample can't identify it: attach={'orders': orders}."
        )
    if options.profile == "full":
        return attachments.Depth.FULL
    return attachments.Depth.SCHEMA if is_preview else attachments.Depth.SAMPLE


def _encodable(text: str, what: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        broken = text[error.start].encode("unicode_escape").decode()
        raise BadRequestError(f"{what} holds half a character ({broken}), which no file can hold.") from None
    return text


def _contents(options: AskOptions, parts: Sequence[attachments.Attachment]) -> tuple[str, ...]:
    """Return digests of attachments without a name of their own; a name identifies the others."""
    if options.unnamed:
        return tuple(sorted(part.digest for part in parts if part.file_name not in ("cell.py", "profile.md")))
    files = options.files if options.contents_count else ()
    return tuple(sorted(hashlib.sha256(Path(file).expanduser().read_bytes()).hexdigest() for file in files))
