"""Questions of ledgers whose identity held what the options resolved to, found again by what the user said.

That identity (``Question.identity_1``) was made of the project, the mode, the tag and the credits that a question was
asked under. The row has all of these but the tag's number, so a candidate with the same texts is the same question if
its identity comes out again, and if it was asked under what the user says now.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from operator import eq

from codevf_nb.ledger import Catalogue, Entry, Questions
from codevf_nb.ledger.changes import changes
from codevf_nb.ledger.migrations import text_digest
from codevf_nb.question import Draft, Question, spelled
from codevf_nb.sdk.models import ServiceMode, Tag

# The numbers that a tag may have had which the service no longer lists.
_TAG_IDS = range(1, 100)


def same(questions: Questions, catalogue: Catalogue, draft: Draft, account: str) -> Entry | None:
    """Return the same question of an earlier ledger, the newest of several; None where there is none."""
    if not questions.has_first_identities():
        return None
    tags = catalogue.tags()
    candidates = questions.of_texts(text_digest(draft.question.prompt, draft.question.code))
    found = [entry for entry in candidates if _is_same(entry, draft.question, account, tags)]
    found = found or _forgotten(questions, draft, account, tags)
    usual = (draft.project, *_mode_and_credits(draft))
    # Of several that it can be, the one that was asked under what it would be asked under today.
    entry = max(found, key=lambda one: sum(map(eq, _terms(one), usual)), default=None)
    about_contents = bool(draft.question.contents or draft.question.exception)
    if entry is not None and about_contents and changes(entry.attachments, draft.manifest()):
        return None
    return entry


def _is_same(entry: Entry, said: Question, account: str, tags: Iterable[Tag]) -> bool:
    """Whether a row is this question: its identity comes out again, and nothing that was said contradicts it."""
    if entry.account != account or None in (entry.project, entry.mode, entry.max_credits):
        return False
    asked = (said.project, said.mode, said.max_credits)
    if any(now is not None and now != then for now, then in zip(asked, _terms(entry), strict=True)):
        return False
    as_then = replace(said, prompt=entry.prompt or "", code=entry.code)
    names = {tag.id: {str(tag.id), spelled(tag.name), spelled(tag.display_name or "")} for tag in tags}
    for tag_id in {*names, *_TAG_IDS}:
        if as_then.identity_1(account, *_terms(entry)[:2], tag_id, entry.max_credits or 0) == entry.identity:
            spellings = names.get(tag_id, set()) | {str(tag_id), spelled(entry.tag or "")}
            return said.tag is None or said.tag in spellings
    return False


def _forgotten(questions: Questions, draft: Draft, account: str, tags: Iterable[Tag]) -> list[Entry]:
    """Find questions whose texts were deleted: by the identity that they would have if they were asked today."""
    mode, credits = _mode_and_credits(draft)
    identities = [draft.question.identity_1(account, draft.project, mode, tag.id, credits) for tag in tags]
    return [entry for entry in questions.among([account], identities) if entry.is_forgotten]


def _mode_and_credits(draft: Draft) -> tuple[str, int]:
    said, defaults = draft.question, draft.defaults
    mode = said.mode or ServiceMode.of(defaults.mode or ServiceMode.STANDARD)
    return mode.value, said.max_credits or defaults.max_credits or mode.credit_range[0]


def _terms(entry: Entry) -> tuple[str, str, int]:
    return entry.project or "", entry.mode or "", entry.max_credits or 0
