"""The last look at what would be sent, on the very bytes: nothing private leaves unseen."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from codevf_nb.sdk.exceptions import CodeVFError
from codevf_nb.sdk.files import is_text_type, mime_type_for

from .naming import is_number_of_column, shown, shown_column
from .people import in_prose
from .personal import is_private_text, personal_columns
from .places import Place, unpacked
from .scanning import holds_secret, secrets_at
from .secret_columns import secret_columns

_TOLD = 5  # findings named one by one; more are counted
_MOST_PER_PLACE = 20
_PRIVATE = "a file, column or key whose name is private itself"


class PrivateDataError(CodeVFError):
    """What would be sent holds something private; the message names place and kind, never the thing itself."""


@dataclass(frozen=True)
class Finding:
    """Something private: what it is, and where it stands, for people."""

    what: str
    where: str


def check(
    texts: Mapping[str, Any],
    files: Sequence[tuple[str, bytes]],
    *,
    own_key: str | None = None,
    allow_secrets: bool = False,
    allow_personal: bool = False,
) -> None:
    """Look through everything that would leave. ``texts`` by what they are called; a value that is no text as JSON.

    The account's own key stops a question whatever is allowed.

    Raises:
        PrivateDataError: it names every place and kind, and the ways on.
    """
    given = [Place(name, _encoded(value)) for name, value in texts.items() if value]
    places = [*given, *(place for name, content in files for place in unpacked(name, content))]
    names = Place("a file's name", "\n".join(name for name, _ in files).encode(errors="replace"))
    if own_key:
        _refuse_own_key(own_key.encode(), [*places, names])
    if not allow_secrets:
        found = [finding for place in (*places, names) for finding in secrets_in(place)]
        if found:
            _stop(found, "Take that out, or, if it may leave, say --allow-secrets.")
    if not allow_personal:
        found = [finding for place in places for finding in personal_in(place)]
        if found:
            _stop(found, _ways_on(found))


def secrets_in(place: Place) -> Iterator[Finding]:
    """Yield the secrets in a place, each once, in the order of the kinds."""
    seen: set[Finding] = set()
    for what, where in _found(place):
        finding = Finding(what, _safe(where))
        if finding not in seen:
            seen.add(finding)
            yield finding
        if len(seen) >= _MOST_PER_PLACE:
            return


def personal_in(place: Place) -> Iterator[Finding]:
    """Yield what looks like data about people: columns of tables, and numbers and lists of addresses in prose."""
    for table in place.tables:
        for column, what in personal_columns(table):
            yield Finding(what, _safe(f"{table.name} column {shown_column(list(table.columns), column)}"))
    if _is_prose(place.name):
        for offset, what in in_prose(place.content):
            yield Finding(what, _safe(place.locate(offset)))


def _refuse_own_key(key: bytes, places: Sequence[Place]) -> None:
    found = [
        Finding("this account's own CodeVF key", _safe(place.locate(place.content.find(key))))
        for place in places
        if key in place.content
    ]
    if found:
        _stop(found, "Take it out: it is never sent, whatever is allowed.")


def _found(place: Place) -> Iterator[tuple[str, str]]:
    """Yield what a secret is and where it stands: in the bytes, then in columns of its tables."""
    for what, offset in secrets_at(place.content):
        yield what, place.locate(offset)
    for table in place.tables:
        for what, column, row in secret_columns(table):
            yield what, f"{table.name} column {shown_column(list(table.columns), column)}, row {row:,}"


def _is_prose(name: str) -> bool:
    """Whether a place is text for people or code: not a table, whose columns are looked at, nor a picture."""
    suffix = PurePath(name).suffix.lower()
    return suffix not in {".csv", ".tsv", ".json", ".jsonl"} and (not suffix or is_text_type(mime_type_for(name)))


def _encoded(value: Any) -> bytes:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text.encode(errors="replace")


def _safe(where: str) -> str:
    """Name a place; one whose name holds a secret or an address itself is not named, and a long name is cut."""
    if holds_secret(where):
        return "a file, column or key whose name holds a secret"
    if any(is_private_text(word) or is_private_text(word.rpartition(".")[0]) for word in where.split()):
        return _PRIVATE
    return shown(where)


def _ways_on(found: Sequence[Finding]) -> str:
    columns = [finding.where.partition(" column ")[2] for finding in found if finding.where != _PRIVATE]
    columns = [column for column in dict.fromkeys(columns) if column and not is_number_of_column(column)]
    mask = f"--redact {','.join(columns[:_TOLD])} masks columns of what is attached with -a; if" if columns else "If"
    return f"{mask} it may leave as it is, say --allow-personal."


def _stop(found: Sequence[Finding], ways_on: str) -> None:
    told = "; ".join(f"{finding.what} ({finding.where})" for finding in found[:_TOLD])
    more = f"; and {len(found) - _TOLD} more" if len(found) > _TOLD else ""
    raise PrivateDataError(f"this would leave: {told}{more}. {ways_on}")
