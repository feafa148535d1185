"""Keyed hashes of attachments: the ledger stores an HMAC with a secret of this home, not a plain hash.

So a reader of the ledger can't test guesses of a masked value against a hash. Hashes with another home's secret can't
be compared; then the size and the number of rows are compared.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from typing import Any

_PLAIN = re.compile("[0-9a-f]{64}")


class Digests:
    """Computes keyed hashes with the secret of one home."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self._mark = self._keyed("which secret it is")[:8]

    def manifest(self, parts: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Return a manifest with plain hashes replaced by keyed hashes; keyed hashes stay unchanged."""
        return [{**part, "sha256": self.of(part["sha256"])} if "sha256" in part else {**part} for part in parts]

    def of(self, digest: str) -> str:
        """Return the keyed hash for a SHA-256; its prefix identifies the secret."""
        return f"{self._mark}-{self._keyed(digest)}" if _PLAIN.fullmatch(digest) else digest

    def _keyed(self, text: str) -> str:
        return hmac.new(self._secret, text.encode(), hashlib.sha256).hexdigest()


def forgotten(parts: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the manifest without names, for a question whose texts are deleted: size, hash and number of rows."""
    return [{name: part[name] for name in ("size", "sha256", "rows") if name in part} for part in parts]


def differ(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Return whether two attachments have different contents, as far as their hashes can be compared."""
    marks = [part.get("sha256", "").partition("-") for part in (one, other)]
    if marks[0][1] and marks[0][0] == marks[1][0]:
        return bool(marks[0][2] != marks[1][2])
    return any(one.get(fact) != other.get(fact) for fact in ("size", "rows"))
