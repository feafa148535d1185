"""Finds questions whose identity was computed by the first version, from resolved terms instead of given options.

That identity (``Question.identity_1``) contains the project, the mode, the tag and the credits that a question was
asked with. The row has all of these except the tag's id, so a candidate with the same texts is the same question if
one of the possible ids gives its identity, and if its terms match the options that are given now.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import product
from operator import eq

from codevf_nb.ledger import Entry, Ledger
from codevf_nb.ledger.changes import changes
from codevf_nb.ledger.migrations import text_digest
from codevf_nb.questions.question import Draft, spelled
from codevf_nb.sdk.models import ServiceMode, Tag

# The ids that a tag may have had that the service no longer lists.
_TAG_IDS = range(1, 100)


def same(ledger: Ledger, draft: Draft) -> Entry | None:
    """Return this account's same question with an earlier identity, the most likely of several; None without one."""
    if not ledger.questions.has_first_identities():
        return None
    names, tags = ledger.accounts.names(), ledger.catalogue.tags()
    found = [entry for entry in _candidates(ledger, draft) if entry.account == names[0]]
    found = [entry for entry in found if _is_same(ledger, entry, draft, names, tags)]
    found = found or _forgotten(ledger, draft, names, tags)
    usual = (draft.project, *_mode_and_credits(draft))
    # Of several candidates, the one whose terms match those of today best.
    return max(found, key=lambda one: sum(map(eq, _terms(one), usual)), default=None)


def elsewhere(ledger: Ledger, draft: Draft, origin: str, asked_by: str) -> list[Entry]:
    """Return the same questions with an earlier identity, asked by the same person under another key."""
    if not ledger.questions.has_first_identities():
        return []
    here, tags = (ledger.accounts.names()[0], origin, asked_by), ledger.catalogue.tags()
    others = [entry for entry in _candidates(ledger, draft) if entry.account != here[0]]
    others = [entry for entry in others if (entry.origin, entry.asked_by) == here[1:]]
    return [entry for entry in others if _is_same(ledger, entry, draft, [entry.account], tags)]


def _candidates(ledger: Ledger, draft: Draft) -> list[Entry]:
    """Return the questions with the same texts, the newest first."""
    return ledger.questions.with_texts(text_digest(draft.question.prompt, draft.question.code))


def _is_same(ledger: Ledger, entry: Entry, draft: Draft, names: Iterable[str], tags: Iterable[Tag]) -> bool:
    """Whether a row is this question: it has the same identity, and no given option contradicts it."""
    question = draft.question
    if None in (entry.project, entry.mode, entry.max_credits):
        return False
    asked = (question.project, question.mode, question.max_credits)
    if any(now is not None and now != then for now, then in zip(asked, _terms(entry), strict=True)):
        return False
    as_then = replace(question, prompt=entry.prompt or "", code=entry.code)
    spellings = {tag.id: {str(tag.id), spelled(tag.name), spelled(tag.display_name or "")} for tag in tags}
    for name, tag_id in product(names, {*spellings, *_TAG_IDS}):
        if as_then.identity_1(name, *_terms(entry)[:2], tag_id, entry.max_credits or 0) == entry.identity:
            known = spellings.get(tag_id, set()) | {str(tag_id), spelled(entry.tag or "")}
            return (question.tag is None or question.tag in known) and _has_same_contents(ledger, entry, draft)
    return False


def _has_same_contents(ledger: Ledger, entry: Entry, draft: Draft) -> bool:
    """Compare contents that the earlier identity did not contain: attachments without a name, and an exception."""
    about_contents = bool(draft.question.contents or draft.question.exception)
    return not (about_contents and changes(entry.attachments, ledger.store.digests.manifest(draft.manifest())))


def _forgotten(ledger: Ledger, draft: Draft, names: Sequence[str], tags: Iterable[Tag]) -> list[Entry]:
    """Find questions whose texts were deleted, by the identity that they would have if they were asked today."""
    mode, credits = _mode_and_credits(draft)
    identities = [
        draft.question.identity_1(name, draft.project, mode, tag.id, credits) for name, tag in product(names, tags)
    ]
    found = ledger.questions.among(names[:1], identities)
    return [entry for entry in found if entry.is_forgotten and _has_same_contents(ledger, entry, draft)]


def _mode_and_credits(draft: Draft) -> tuple[str, int]:
    question, defaults = draft.question, draft.defaults
    mode = question.mode or ServiceMode.of(defaults.mode or ServiceMode.STANDARD)
    return mode.value, question.max_credits or defaults.max_credits or mode.credit_range[0]


def _terms(entry: Entry) -> tuple[str, str, int]:
    return entry.project or "", entry.mode or "", entry.max_credits or 0
