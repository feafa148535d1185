"""Undo escapes in text: JSON, URLs, HTML, quoted CSV cells and terminal colors.

``\\n`` in JSON ends in a letter, and so do ``%3D`` and the code of a color: a token after it would look like the end of
a longer word. So each line with an escape is read a second time without its escapes, which are undone at any depth
(JSON in JSON).
"""

from __future__ import annotations

import bisect
import re

_ESCAPE = re.compile(
    rb"\\(?<!\\\\)\\{0,30}(?:[\"'`nrtfbv/]|u[0-9a-fA-F]{4}(?:\[[0-9;]{0,12}m)?|(?:x1b|033|e)\[[0-9;]{0,12}m|x[0-9a-fA-F]{2})|\x1b\[[0-9;]{0,12}[A-Za-z]|"
    rb"%(?:25)*(?:[2-7][0-9A-Fa-f]|0[9ADad]|1[Bb]%(?:25)*5[Bb](?:[0-9;]|%(?:25)*3[Bb]){0,12}m)|&(?:amp;)*(?:quot|apos|amp|lt|gt|nbsp|#[0-9]{2,4}|#[xX][0-9a-fA-F]{2,4});|"
    rb"\"\"(?=\w)|\"\"(?<=\w\"\")"
)
_LETTERS = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"f": b" ", b"b": b" ", b"v": b" "}
_ENTITIES = {b"quot": b'"', b"apos": b"'", b"amp": b"&", b"lt": b"<", b"gt": b">", b"nbsp": b" "}


class Unescaped:
    """The lines of a content that have escapes, without them; ``origin`` maps back to the content."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._lines: list[tuple[int, int]] = []
        self._starts: list[int] = []
        pieces: list[bytes] = []
        at = length = 0
        while found := _ESCAPE.search(content, at):
            start = content.rfind(b"\n", 0, found.start()) + 1
            end = content.find(b"\n", found.end())
            at = end = len(content) if end < 0 else end
            pieces.append(_ESCAPE.sub(_unescape, content[start:end]))
            self._lines.append((start, end))
            self._starts.append(length)
            length += len(pieces[-1]) + 1
        self.content = b"\n".join(pieces)

    def origin(self, offset: int) -> int:
        """Return the offset in the content for an offset in the unescaped text."""
        line = bisect.bisect_right(self._starts, offset) - 1
        start, end = self._lines[line]
        at = self._starts[line]
        for found in _ESCAPE.finditer(self._content, start, end):
            if at + found.start() - start >= offset:
                break
            at += found.start() - start + len(_unescape(found))
            start = found.end()
            if at > offset:
                return found.start()
        return start + offset - at


def _unescape(found: re.Match[bytes]) -> bytes:
    escape = found[0]
    first = escape[:1]
    if first == b'"':
        return b'"'
    if first == b"%":
        return b" " if escape.endswith(b"m") else _character(int(escape[-2:], 16))
    if first == b"&":
        return _entity(escape[escape.rfind(b"&") + 1 : -1].removeprefix(b"amp;"))
    if first == b"\x1b":
        return b" "
    return _without_backslash(escape.lstrip(b"\\"))


def _entity(name: bytes) -> bytes:
    name = name.rsplit(b";", 1)[-1]
    if name[:1] != b"#":
        return _ENTITIES[name]
    return _character(int(name[2:], 16) if name[1:2] in b"xX" else int(name[1:]))


def _without_backslash(letter: bytes) -> bytes:
    if letter.endswith(b"m") and b"[" in letter:  # a terminal color
        return b" "
    if letter[:1] in b"ux" and len(letter) > 1:
        return _character(int(letter[1:], 16))
    return _LETTERS.get(letter, letter)


def _character(code: int) -> bytes:
    """Return a character. An unprintable one becomes a blank, which also ends a word."""
    return b" " if (code < 32 and code not in {9, 10}) or 0xD800 <= code <= 0xDFFF else chr(code).encode()
