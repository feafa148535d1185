"""Find secrets in bytes: tokens by format, and values with a name such as ``password``."""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterator

from codevf_nb.privacy._assignments import assigned_secrets
from codevf_nb.privacy._calls import secrets_by_place
from codevf_nb.privacy._escapes import Unescaped
from codevf_nb.privacy._format_rules import Kind
from codevf_nb.privacy._personal_values import occurrences
from codevf_nb.privacy._randomness import is_random, is_varied
from codevf_nb.privacy._secret_formats import KINDS

_IN_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]*")
_LONGEST = 8_000  # the maximum length of a secret in bytes
_BLOB = 48  # a "token" with this many base64 characters around it is part of an image
_URL = re.compile(
    rb"(?P<user>[^\s:/@\"'<>\\`]{0,80})(?::(?P<value>[^\s\"'<>`]{3,200}?))?@(?P<host>[A-Za-z0-9\[_][A-Za-z0-9.:\[\]_-]*)"
)
_SCHEME = re.compile(rb"[A-Za-z][A-Za-z0-9+.-]{1,30}$")
_NO_PASSWORD = re.compile(
    rb"(?i)[{$<%*\[(].*|\.{2,}.*|.*[{}].*|[*xX.]+|password|passwd|pass|pw|pwd|secret|token|\d{1,5}(?:[/?#].*)?|your.*|my_?.*|.*\.(?:com|org|io|net|dev)/.*"
)
_DEMO = (b"scott", b"tiger")  # Oracle's demonstration account, in every manual
_ORACLE = re.compile(rb"jdbc:oracle:\w+:(?P<user>[\w$#]{1,60})/(?P<value>[^\s@\"'<>]{3,100})@")
_PGPASS = re.compile(rb"(?m)^[\w.*-]{1,200}:(?:\d{2,5}|\*):[\w*$.-]{1,80}:[\w*$.-]{1,80}:(?P<value>[^\s:]{3,200})$")


def secrets_at(content: bytes) -> Iterator[tuple[str, int]]:
    """Yield the kind and the offset of each secret. Escaped text is read as it is, and again without its escapes."""
    yield from _read(content)
    unescaped = Unescaped(content)
    if unescaped.content:
        for what, offset in _read(unescaped.content):
            yield what, unescaped.origin(offset)


def holds_secret(text: str) -> bool:
    """Whether a short text, such as the name of a file or column, contains a secret."""
    return next(secrets_at(text.encode(errors="replace")), None) is not None


def _read(content: bytes) -> Iterator[tuple[str, int]]:
    runs = _Runs(content)
    for kind in KINDS:
        for start in _starts(kind, content, runs):
            yield kind.name, start
    yield from _urls(content)
    yield from _lines_with_passwords(content)
    yield from secrets_by_place(content)
    yield from assigned_secrets(content)


class _Runs:
    """The long words of a text with the characters of tokens. Code has few of them, and numbers almost none.

    The two hundred anchors are searched only in these words, which makes the check fast.
    """

    _WORD = re.compile(rb"[A-Za-z0-9_.~:/$|=+%-]{13,}")
    _INSIDE = re.compile(rb"[A-Za-z0-9_.~:/$|=+%-]+")

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._starts: list[int] = []
        self._origins: list[int] = []
        words = []
        length = 0
        for found in self._WORD.finditer(content):
            words.append(found[0])
            self._starts.append(length)
            self._origins.append(found.start())
            length += len(found[0]) + 1
        self._words = b" ".join(words)

    def places(self, anchor: bytes) -> Iterator[int]:
        """Yield each offset of an anchor in the content."""
        if not self._INSIDE.fullmatch(anchor):
            yield from occurrences(self._content, anchor)
            return
        for at in occurrences(self._words, anchor):
            word = bisect.bisect_right(self._starts, at) - 1
            yield self._origins[word] + at - self._starts[word]


def _starts(kind: Kind, content: bytes, runs: _Runs) -> Iterator[int]:
    if not kind.anchors:
        found_at = (found.start() for found in kind.pattern.finditer(content))
        yield from (at for at in found_at if _is_there(kind, content, at))
    for anchor in kind.anchors:
        for at in runs.places(anchor):
            for back in kind.back:
                if at >= back and _is_there(kind, content, at - back):
                    yield at - back
                    break


def _is_there(kind: Kind, content: bytes, at: int) -> bool:
    if not kind.is_url and content[at - 1 : at].isalnum() and at:
        return False
    found = kind.pattern.match(content, at, at + _LONGEST)
    if (
        found is None
        or not is_varied(found[0])
        or b"EXAMPLE" in found[0]
        or (kind.check is not None and not kind.check(found))
    ):
        return False
    return kind.is_url or not _is_inside_base64(content, at, found.end())


def _is_inside_base64(content: bytes, start: int, end: int) -> bool:
    """Whether a token is part of a longer base64 text, which contains any short pattern by chance."""
    if content[start - 1 : start] in {b"+", b"/", b"-", b"_"}:
        before = content[max(0, start - _BLOB) : start]
        if len(before) == _BLOB and _IN_BASE64.fullmatch(before) and is_random(before):
            return True
    after = content[end : end + _BLOB]
    return len(after) == _BLOB and after[:1] in b"+/-_" and bool(_IN_BASE64.fullmatch(after)) and is_random(after)


def _urls(content: bytes) -> Iterator[tuple[str, int]]:
    for at in occurrences(content, b"://"):
        if content.find(b"@", at + 3, at + 320) < 0:
            continue
        found = _URL.match(content, at + 3, at + 320)
        scheme = _SCHEME.search(content[max(0, at - 32) : at])
        if found is None or scheme is None:
            continue
        if (found["user"], found["value"]) == _DEMO or found["user"] == found["value"]:
            continue
        if _is_password(found["value"]) or _is_token(found["user"], found["value"]):
            yield "a URL with a password", at - len(scheme[0])
    for at in occurrences(content, b"jdbc:oracle:"):
        oracle = _ORACLE.match(content, at, at + 320)
        if oracle and _is_password(oracle["value"]):
            yield "a URL with a password", at


def _is_password(value: bytes | None) -> bool:
    return value is not None and not _NO_PASSWORD.fullmatch(value)


def _is_token(user: bytes, password: bytes | None) -> bool:
    """Whether the user part of a URL is a token, as in ``https://TOKEN@github.com``."""
    return password in {None, b"x-oauth-basic"} and is_random(user, 20) and b"." not in user


def _lines_with_passwords(content: bytes) -> Iterator[tuple[str, int]]:
    """Yield the lines of a ``.pgpass`` file: host, port, database, user and password."""
    for port in (b":5432:", b":5433:", b":6432:", b":*:"):
        for at in occurrences(content, port):
            start = content.rfind(b"\n", max(0, at - 200), at) + 1
            found = _PGPASS.match(content, start, min(len(content), at + 400))
            if found and _is_password(found["value"]):
                yield "a password", start
