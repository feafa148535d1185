"""Masks for columns that must not be read: the same value gets the same mask within one question, so joins still work.

A mask is a keyed hash under a salt that is drawn for each question and kept nowhere, so it can't be turned back, not
even by trying all values. Nulls stay nulls.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from .attachment import AttachmentError

if TYPE_CHECKING:
    import pandas as pd


class Mask:
    """The columns to mask in everything that one question attaches, spelled in any case."""

    def __init__(self, columns: Iterable[str] = (), salt: bytes | None = None) -> None:
        listed = [name.strip() for text in columns for name in text.split(",")]
        self.columns = tuple(dict.fromkeys(filter(None, listed)))
        self._folded = {name.casefold() for name in self.columns}
        self._there: dict[str, str] = {}
        self._salt = salt or secrets.token_bytes(32)

    def covers(self, column: object) -> bool:
        """Whether a column is to be masked; that it was asked for is remembered for ``check``."""
        name = str(column)
        if self._folded:
            self._there.setdefault(name.casefold(), name)
        return name.casefold() in self._folded

    def check(self) -> None:
        """Refuse a name that nothing attached has: a slip of the finger would send what was to be masked.

        Raises:
            AttachmentError: it names the first such column, and those there are.
        """
        for name in self.columns:
            if name.casefold() not in self._there:
                listed = ", ".join(list(self._there.values())[:20]) or "no column at all"
                raise AttachmentError(
                    f"--redact {name}: nothing attached has such a column (there is {listed}). Files are sent as they "
                    "are: attach a DataFrame to mask columns."
                )

    def frame(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return a frame with its columns masked; the frame itself stays as it is."""
        numbers = [number for number, name in enumerate(frame.columns) if self.covers(name)]
        if not numbers:
            return frame
        frame = frame.copy(deep=False)
        for number in numbers:
            column = frame.iloc[:, number].astype(object)
            masked = column.where(column.isna(), column.map(self.value))
            frame.isetitem(number, masked.array)
        return frame

    def json(self, value: Any) -> Any:
        """Return nested dicts and lists with the values under these names masked, at any depth."""
        if isinstance(value, dict):
            return {
                key: self.value(inner) if self.covers(key) and inner is not None else self.json(inner)
                for key, inner in value.items()
            }
        return [self.json(inner) for inner in value] if isinstance(value, list | tuple) else value

    def value(self, value: Any) -> str:
        """Return what stands for a value; 7 and 7.0, which a join takes for the same, have the same mask."""
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        digest = hmac.new(self._salt, str(value).encode(errors="backslashreplace"), hashlib.sha256)
        return f"masked-{digest.hexdigest()[:12]}"
