"""Recognize personal numbers and addresses by format and checksum."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from codevf_nb.privacy._id_formats import is_card, is_iban

# Top-level domains other than the two letters of a country. Other words after a dot are file suffixes or
# attributes in code.
_DOMAINS = (
    "com|org|net|edu|gov|mil|int|info|biz|app|dev|cloud|online|site|store|shop|tech|xyz|name|pro|blog|email|agency|company|group|"
    "solutions|team|digital|studio|media|news|health|bank|berlin|hamburg|london|nyc|paris|africa|asia|eus|museum|aero|jobs|mobi|"
    "world|life|live|today|space|website|academy|care|clinic|consulting|design|energy|events|finance|global|international"
)
EMAIL = re.compile(
    rf"[\w.+%-]{{1,64}}(?:@|%40)(?:[^\W_](?:[\w-]{{0,61}}[^\W_])?\.){{1,5}}(?:[A-Za-z]{{2}}|{_DOMAINS})(?![\w(-])(?!\.\w)",
    re.IGNORECASE,
)
_NOBODY = re.compile(
    r"@(?:[\w-]+\.)*(?:example\.(?:com|org|net)|\w+\.(?:example|invalid|test)|localhost|gserviceaccount\.com|"
    r"noreply\.github\.com|compute(?:-\d)?\.amazonaws\.com|internal)$|^(?:no-?reply|git|do-?not-?reply)@|\.(?:py|js|ts|md|sh|rs|so|cc)$",
    re.IGNORECASE,
)
# Addresses of lists, services and robots, or one letter as an example of a person.
_DESK = re.compile(
    r"(?i)(?:info|support|help|contact|sales|security|bugs?|webmaster|postmaster|admin|abuse|hello|team|office|press|"
    r"[\w.-]*-(?:list|devel?|users|bugs|announce|help)|user|username|email|e-?mail|name|someone|somebody|foo|bar|me|you|"
    r"your[\w.-]*|first\.last|john\.?doe|jane\.?doe)@|[a-z]@[a-z]\.|[\w.+-]+@(?:foo|bar|baz|domain|host|spam|my|yourdomain)\."
)
# The author of a file is public.
_AUTHOR = re.compile(
    rb"(?i)copyright|\b(?:authors?|maintainers?|contributors?)\b|\bmodified: |"
    rb"\b(?:written|fixed|modified|additions|updates) by\b"
)
_CARD = re.compile(r"\d{4}(?:(?:[ -]?\d{4}){2}[ -]?\d{3,4}|[ -]\d{6}[ -]\d{4,5})(?!\d)")
_IBAN = re.compile(r"[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?![A-Za-z0-9])")

# Every digit becomes 0 and every capital A: then a format is found by a fast text search.
_SHAPES = bytes(48 if 48 <= byte <= 57 else 65 if 65 <= byte <= 90 else byte for byte in range(256))


def in_prose(content: bytes) -> Iterator[tuple[int, str]]:
    """Yield the offset and the kind of personal data in prose or code.

    One e-mail address of an author in a comment is common and harmless, so at least three distinct addresses count. A
    card number counts only in groups of digits; sixteen plain digits are ambiguous.
    """
    shape = content.translate(_SHAPES)
    for anchor in (b"0000 0000", b"0000-0000"):
        for at in occurrences(shape, anchor):
            found = _CARD.match(content[at : at + 32].decode("latin-1"))
            if found and shape[at - 1 : at] != b"0" and is_card(found[0]):
                yield at, "a card number"
    for at in occurrences(shape, b"AA00"):
        found = _IBAN.match(content[at : at + 48].decode("latin-1"))
        if found and not content[at - 1 : at].isalnum() and is_iban(found[0]):
            yield at, "an IBAN"
    first = content.find(b"@")
    addresses = set(_addresses_in(content))
    if len(addresses) >= 3:
        yield first, f"{len(addresses)} e-mail addresses"


def _addresses_in(content: bytes) -> Iterator[str]:
    for at in occurrences(content, b"@"):
        start = max(0, at - 64)
        window = content[start : at + 128].decode("latin-1")
        for found in EMAIL.finditer(window):
            is_here = found.start() <= at - start < found.end()
            if is_here and not _NOBODY.search(found[0]) and not _DESK.match(found[0]) and not _is_author(content, at):
                yield found[0].lower()


def _is_author(content: bytes, at: int) -> bool:
    return bool(_AUTHOR.search(content, max(at - 200, content.rfind(b"\n", 0, at) + 1), at))


def occurrences(content: bytes, anchor: bytes) -> Iterator[int]:
    """Yield the offset of each occurrence of a text."""
    at = content.find(anchor)
    while at >= 0:
        yield at
        at = content.find(anchor, at + 1)


def has_addresses(values: Sequence[str]) -> bool:
    """Whether one of these cells is an e-mail address, or texts in them contain two different addresses."""
    inside = set()
    for value in values:
        for found in EMAIL.finditer(value) if "@" in value or "%40" in value else ():
            if _NOBODY.search(found[0].replace("%40", "@")):
                continue
            if found[0] == value:
                return True
            inside.add(found[0])
    return len(inside) >= 2
