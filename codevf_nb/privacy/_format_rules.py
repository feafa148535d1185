"""One kind of secret with a form of its own: how a row of the table in ``formats.py`` is written and compiled.

A row has an anchor, a piece of text that is in every secret of its kind. Anchors are searched at the speed of
memory, and a pattern is tried only where its anchor is, so megabytes of numbers cost next to nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

# What a pattern may say for a character; a row reads like the vendor's description of its tokens.
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
EVERYWHERE = " "  # instead of anchors, for the few kinds that have no text in common: slower
_NOT_A_LETTER = "(?![A-Za-z0-9])"


@dataclass(frozen=True)
class Kind:
    """One kind of secret.

    Attributes:
        name: What it is called in a message.
        anchors: Pieces of text, one of which is in every secret of the kind.
        pattern: What it looks like.
        back: How many bytes before an anchor the secret may begin.
        source: Where the form is documented or was seen.
        is_url: Whether it is part of a URL, so that letters may be in front of it.
        check: What else must hold, such as a checksum or a variety of characters.
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
    """Compile a row; without anchors, the letters that the pattern begins with are its anchor."""
    if not anchors:
        start = _LITERAL_START.match(pattern)
        if start is None:
            raise ValueError(f"{name}: the pattern begins with no literal text, so anchors must be given")
        whole = start[0]
        quantified = pattern[len(whole) : len(whole) + 1] in {"?", "*", "{"}
        anchors = (whole[:-1] if quantified else whole).replace(" ", "\x00")
    for short, alphabet in _ALPHABETS.items():
        pattern = pattern.replace(short, alphabet)
    compiled = re.compile(f"(?:{pattern}){_NOT_A_LETTER}".encode())
    pieces = tuple(anchor.replace("\x00", " ").encode() for anchor in anchors.split())
    return Kind(name, pieces, compiled, source, back, is_url, check)
