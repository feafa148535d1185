"""The last check before anything is sent. It reads the exact bytes, so that no private data leaves unseen."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any

from codevf_nb.privacy._file_readers import Opener
from codevf_nb.privacy._labels import is_number_of_column, shown, shown_column
from codevf_nb.privacy._parts import Part, Unread
from codevf_nb.privacy._personal_columns import is_private_text, personal_columns
from codevf_nb.privacy._personal_values import in_prose
from codevf_nb.privacy._scanner import holds_secret, secrets_at
from codevf_nb.privacy._secret_columns import secret_columns
from codevf_nb.sdk.exceptions import CodeVFError
from codevf_nb.sdk.secret import Secret

_MOST_LISTED = 5  # findings listed; more are only counted
_MOST_PER_PLACE = 20
_BATCH = 1 << 20  # bytes per batch; progress is reported after each
_OVERLAP = 1 << 14  # bytes of overlap with the batches before and after: longer than any secret
_PRIVATE = "a file, column or key whose name is private itself"


# The progress callback. Its arguments are the name of a file, the bytes read and the size.
Tell = Callable[[str, int, int], None]


class PrivateDataError(CodeVFError):
    """The content to send holds private data. The message names the location and the kind, never the data itself."""


@dataclass(frozen=True)
class Finding:
    """Private data.

    Attributes:
        what: The kind of data.
        where: Its location, for messages.
    """

    what: str
    where: str


def check(
    texts: Mapping[str, Any],
    files: Sequence[tuple[str, bytes]],
    *,
    own_key: Secret | str | None = None,
    allow_secrets: bool = False,
    allow_personal: bool = False,
    tell: Tell | None = None,
) -> tuple[Unread, ...]:
    """Check everything that would be sent for private data.

    The account's own key is refused even if secrets are allowed.

    Args:
        texts: The texts to check, by name. A value that is not text is checked as JSON.
        files: The names and contents of the files.
        own_key: The key of the account.
        allow_secrets: Whether to accept keys, tokens and passwords.
        allow_personal: Whether to accept personal data.
        tell: Called with progress: the name of a file, the bytes read, and its size.

    Returns:
        The files, or parts of files, that could not be checked.

    Raises:
        PrivateDataError: Private data was found. The message lists each location and kind, the options, and what could
            not be checked.
    """
    result = _checked(texts, files, None if own_key is None else Secret(own_key), tell)
    del texts, files, own_key  # a traceback must not show the private data
    if result.own:
        result.stop(result.own, "Remove it: it is never sent, even with --allow-secrets.")
    if result.secrets and not allow_secrets:
        result.stop(result.secrets, "Take that out, or, if it may leave, say --allow-secrets.")
    if result.personal and not allow_personal:
        result.stop(result.personal, _ways_on(result.personal))
    return tuple(result.unread)


def _checked(
    texts: Mapping[str, Any], files: Sequence[tuple[str, bytes]], own_key: Secret | None, tell: Tell | None
) -> _Check:
    result = _Check(own_key, tell)
    names = "\n".join(f"{name} {PurePath(name).stem}" for name, _ in files)  # an address ends before the suffix
    for name, value in {**texts, "a file's name": names}.items():
        if value:
            result.at(name, _as_bytes(value))
    for name, content in files:
        result.at(name, content)
    return result


@dataclass
class _Check:
    """The findings so far, and what could not be checked."""

    own_key: Secret | None
    tell: Tell | None
    own: list[Finding] = field(default_factory=list)
    secrets: list[Finding] = field(default_factory=list)
    personal: list[Finding] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)

    def at(self, name: str, content: bytes) -> None:
        """Check a text or file, and everything that it contains."""
        opener = Opener()
        known: set[str] = set()  # the kinds already found in the part that an echo repeats
        for part in opener.parts(name, content):
            own = list(_own_key_in(part, self.own_key))
            secrets, personal = list(secrets_in(part, self.tell)), list(personal_in(part))
            if not part.is_echo:
                known = {finding.what for finding in (*own, *secrets, *personal)}
                self._add(own, secrets, personal)
            else:
                self._add(*([one for one in found if one.what not in known] for found in (own, secrets, personal)))
        self.unread += opener.unread

    def _add(self, own: Sequence[Finding], secrets: Sequence[Finding], personal: Sequence[Finding]) -> None:
        for found, new in ((self.own, own), (self.secrets, secrets), (self.personal, personal)):
            found += [finding for finding in new if finding not in found]

    def stop(self, found: Sequence[Finding], ways_on: str) -> None:
        """Raise the refusal, which also lists what could not be checked."""
        unread = f" {_not_checked(self.unread)}" if self.unread else ""
        _stop(found, ways_on + unread)


def _not_checked(unread: Sequence[Unread]) -> str:
    """Return a sentence on the files that could not be checked; empty if there are none."""
    if not unread:
        return ""
    more = f" and {len(unread) - _MOST_LISTED} more" if len(unread) > _MOST_LISTED else ""
    return f"Not looked into: {', '.join(safe_name(str(one)) for one in unread[:_MOST_LISTED])}{more}."


def secrets_in(part: Part, tell: Tell | None = None) -> Iterator[Finding]:
    """Yield each secret of a part once, ordered by kind."""
    seen: set[Finding] = set()
    for what, where in _found(part, tell):
        finding = Finding(what, safe_name(where))
        if finding not in seen:
            seen.add(finding)
            yield finding
        if len(seen) >= _MOST_PER_PLACE:
            return


def personal_in(part: Part) -> Iterator[Finding]:
    """Yield what looks like personal data: columns of tables, and numbers and groups of addresses in prose."""
    for table in part.tables:
        for column, what in personal_columns(table):
            yield Finding(what, safe_name(f"{table.name} column {shown_column(list(table.columns), column)}"))
    if part.is_prose:
        for offset, what in in_prose(part.content):
            yield Finding(what, safe_name(part.locate(offset)))


def _own_key_in(part: Part, key: Secret | None) -> Iterator[Finding]:
    at = -1 if key is None else part.content.find(key.reveal().encode())
    if at >= 0:
        yield Finding("this account's own CodeVF key", safe_name(part.locate(at)))


def _found(part: Part, tell: Tell | None) -> Iterator[tuple[str, str]]:
    """Yield the kind and the location of each secret: first in the bytes, then in the columns of its tables."""
    for what, offset in _in_pieces(part, tell):
        yield what, part.locate(offset)
    for table in part.tables:
        if table.is_from_text:
            continue
        for what, column, row in secret_columns(table):
            yield what, f"{table.name} column {shown_column(list(table.columns), column)}, row {row:,}"


def _in_pieces(part: Part, tell: Tell | None) -> Iterator[tuple[str, int]]:
    """Yield the secrets in a part's bytes, batch by batch. Each batch overlaps with the ones before and after it."""
    size = len(part.content)
    for start in range(0, size, _BATCH):
        if tell is not None:
            tell(part.name, start, size)
        first, end = max(0, start - _OVERLAP), start + _BATCH
        for what, offset in secrets_at(part.content[first : end + _OVERLAP]):
            if start <= first + offset < end:
                yield what, first + offset


def _as_bytes(value: Any) -> bytes:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text.encode(errors="replace")


def safe_name(where: str) -> str:
    """Return a name for a location. A name that itself contains private data is replaced, and a long name is cut."""
    if holds_secret(where):
        return "a file, column or key whose name holds a secret"
    if any(is_private_text(word) or is_private_text(word.rpartition(".")[0]) for word in where.split()):
        return _PRIVATE
    return shown(where)


def _ways_on(found: Sequence[Finding]) -> str:
    columns = [finding.where.partition(" column ")[2] for finding in found if finding.where != _PRIVATE]
    columns = [column for column in dict.fromkeys(columns) if column and not is_number_of_column(column)]
    masked = ",".join(_quoted(column) for column in columns[:_MOST_LISTED])
    mask = f"--redact {masked} masks columns of what is attached with -a; if" if masked else "If"
    return f"{mask} it may leave as it is, say --allow-personal."


def _quoted(column: str) -> str:
    """Quote a column's name in the syntax of ``--redact``."""
    if re.fullmatch(r"[^\s,\"'$()\[\]{}-][^\s,\"'()\[\]{}]*", column):
        return column
    return f"'{column}'" if '"' in column else f'"{column}"'


def _stop(found: Sequence[Finding], ways_on: str) -> None:
    listed = "; ".join(f"{finding.what} ({finding.where})" for finding in found[:_MOST_LISTED])
    more = f"; and {len(found) - _MOST_LISTED} more" if len(found) > _MOST_LISTED else ""
    raise PrivateDataError(f"this would leave: {listed}{more}. {ways_on}")
