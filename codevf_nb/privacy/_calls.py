"""Find secrets by their position: an argument of a call, an option of a command, a clause of SQL.

To add a kind, add a row: a text that always occurs, a pattern with the secret as group ``value``, and a check of the
value. Add an example of each to ``tests/secrets/spellings.txt``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from codevf_nb.privacy._assignments import is_strong
from codevf_nb.privacy._name_words import is_placeholder
from codevf_nb.privacy._personal_values import occurrences
from codevf_nb.privacy._randomness import is_random


@dataclass(frozen=True)
class Usage:
    """A position in which a secret has no name. ``fits`` checks the value."""

    what: str
    anchors: tuple[bytes, ...]
    pattern: re.Pattern[bytes]
    fits: Callable[[bytes], bool]


def _is_literal(value: bytes) -> bool:
    """Whether a quoted password is a literal, and not a placeholder, a variable or a sentence."""
    return len(value) >= 3 and b" " not in value and not is_placeholder(value.decode(errors="replace"))


def _is_long_and_random(value: bytes) -> bool:
    return is_random(value, 16)


_ARG = rb"[ \t\r\n]{0,12}[fbru]{0,2}[\"'][^\"'\r\n]{0,100}[\"'][ \t]{0,4},"
_SECRET = rb"[ \t\r\n]{0,12}[fbru]{0,2}[\"'](?P<value>[^\"'\r\n{}]{3,200})[\"']"
USAGES = (
    Usage("a password", (b"auth=(", b"auth = ("), re.compile(rb"auth ?= ?\(" + _ARG + _SECRET), _is_literal),
    Usage("a password", (b".login(",), re.compile(rb"\.login\(" + _ARG + _SECRET), is_strong),
    Usage("a password", (b"BasicAuth(", b"DigestAuth("), re.compile(rb"\w{5,6}Auth\(" + _ARG + _SECRET), _is_literal),
    Usage("a password", (b"URL.create(",), re.compile(rb"URL\.create\((?:" + _ARG + rb"){2}" + _SECRET), _is_literal),
    Usage(
        "a secret key",
        (b"Credential(", b"Fred(", b"Fernet(", b"NewsApiClient(", b"TimeSeries(", b"Session(", b"InferenceClient("),
        re.compile(rb"\w{4,15}\((?:" + _ARG + rb")?" + _SECRET),
        _is_long_and_random,
    ),
    Usage(
        "a password", (b"mysql", b"mariadb"), re.compile(rb"\w+ [^\n]{0,80}?-p(?P<value>[^\s\"'$]{3,100})"), is_strong
    ),
    Usage("a password", (b"sshpass -p",), re.compile(rb"sshpass -p[ ]?[\"']?(?P<value>[^\s\"'$]{3,100})"), _is_literal),
    Usage(
        "a password",
        (b"| sudo -S",),
        re.compile(rb"echo [\"']?(?P<value>[^\s\"'$|]{3,100})[\"']? ?\| sudo -S"),
        _is_literal,
    ),
    Usage(
        "a password",
        (b"curl ",),
        re.compile(rb"curl [^\n]{0,200}?(?:-u|--user)[ =]?[\"']?[\w.@-]{1,80}:(?P<value>[^\s\"'$]{3,100})"),
        _is_literal,
    ),
    Usage(
        "a password",
        (b"IDENTIFIED BY", b"identified by"),
        re.compile(rb"(?i:identified by)(?: password)? [\"'](?P<value>[^\"'\n]{3,100})"),
        _is_literal,
    ),
    Usage(
        "a password",
        (b"ogin", b"redentials"),
        re.compile(rb"\w{4,10}(?: with| as|:)? [\w.@-]{2,60} ?/ ?(?P<value>[^\s\"'$/]{6,60})"),
        is_strong,
    ),
)
_REACH = 120  # the maximum distance in bytes from the start of a pattern to its anchor


def secrets_by_place(content: bytes) -> Iterator[tuple[str, int]]:
    """Yield each secret: its kind and its offset."""
    for usage in USAGES:
        for anchor in usage.anchors:
            for at in occurrences(content, anchor):
                found = _around(usage, content, at, at + len(anchor))
                if found and usage.fits(found["value"].rstrip(b".,;")):
                    yield usage.what, found.start()


def _around(usage: Usage, content: bytes, at: int, end: int) -> re.Match[bytes] | None:
    """Match a pattern that contains an anchor; the match starts in the line of the anchor."""
    start = max(content.rfind(b"\n", 0, at) + 1, at - _REACH)
    found = usage.pattern.search(content, start, end + 420)
    return found if found and found.start() <= at < found.end() else None
