"""The rules for tokens with a known format: how a row of the table in ``_secret_formats.py`` is written and compiled.

A row has an anchor: a text that occurs in every token of its kind. To search for an anchor is very fast, and the
pattern is tried only at an anchor, so large files of numbers take little time.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

# Abbreviations for character classes, so that a row resembles the vendor's description of its tokens.
_ALPHABETS = {
    "<L>": "[A-Za-z0-9]",
    "<U>": "[A-Za-z0-9_-]",
    "<H>": "[0-9a-f]",
    "<X>": "[0-9a-fA-F]",
    "<C>": "[A-Z0-9]",
    "<l>": "[a-z0-9]",
    "<B>": "[A-Za-z0-9+/]",
    "<D>": "[0-9]",
    "<UUID>": "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
}
_LITERAL_START = re.compile(r"[A-Za-z0-9_~:/@ -]+")
EVERYWHERE = " "  # instead of anchors, for the few kinds without a common text: slower
_NOT_A_LETTER = "(?![A-Za-z0-9])"


@dataclass(frozen=True)
class Kind:
    """One kind of secret.

    Attributes:
        name: Its name in messages.
        anchors: Texts, one of which occurs in every secret of this kind.
        pattern: The format of the secret.
        back: How many bytes before an anchor the secret may start.
        source: Where the format is documented or was seen.
        is_url: Whether it is part of a URL, so that letters may precede it.
        check: An additional condition, such as a checksum or a variety of characters.
    """

    name: str
    anchors: tuple[bytes, ...]
    pattern: re.Pattern[bytes]
    source: str
    back: tuple[int, ...] = (0,)
    is_url: bool = False
    check: Callable[[re.Match[bytes]], bool] | None = None


def kind(
    name: str,
    pattern: str,
    source: str,
    *,
    anchors: str = "",
    back: tuple[int, ...] = (0,),
    is_url: bool = False,
    check: Callable[[re.Match[bytes]], bool] | None = None,
) -> Kind:
    """Compile a row. The default anchor is the literal text at the start of the pattern."""
    if not anchors:
        start = _LITERAL_START.match(pattern)
        if start is None:
            raise ValueError(f"{name}: the pattern starts with no literal text, so it needs anchors")
        whole = start[0]
        quantified = pattern[len(whole) : len(whole) + 1] in {"?", "*", "{"}
        anchors = (whole[:-1] if quantified else whole).replace(" ", "\x00")
    for short, alphabet in _ALPHABETS.items():
        pattern = pattern.replace(short, alphabet)
    compiled = re.compile(f"(?:{pattern}){_NOT_A_LETTER}".encode())
    pieces = tuple(anchor.replace("\x00", " ").encode() for anchor in anchors.split())
    return Kind(name, pieces, compiled, source, back, is_url, check)
