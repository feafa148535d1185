"""Mask the values of columns. Within one question, equal values get equal masks, so joins still work.

A mask is a keyed hash. Its salt is random for each question and never stored, so a mask can't be reversed, not even by
hashing all possible values. Nulls stay nulls. The frequency of each value remains visible.

A column is masked under every name that the user may know it by: all columns with this name, a level of an index or of
a header with several levels, and a key in dicts, records, models and rows at any depth.
"""

from __future__ import annotations

import hashlib
import hmac
import numbers
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from codevf_nb.attachments._fields import named_parts
from codevf_nb.attachments._json_values import fields_of, ordered
from codevf_nb.attachments.attachment import AttachmentError, is_a

if TYPE_CHECKING:
    import pandas as pd

    from codevf_nb.attachments._rows import Rows

_LARGEST_EXPONENT = 400  # beyond the range of a float, so only another Decimal can be equal
_LONGEST = 1000  # characters of an object that is written as its repr


class Mask:
    """The columns to mask in all attachments of one question. The case of a name is ignored.

    Args:
        columns: The name of one column, or several names. Each name is used unchanged, also with commas and blanks; a
            tuple names a column by the levels of its header.
        salt: The key of the hash; random by default.
    """

    def __init__(self, columns: str | Iterable[object] = (), salt: bytes | None = None) -> None:
        self.columns = tuple(dict.fromkeys([columns] if isinstance(columns, str) else columns))
        self._wanted = {_folded(name) for name in self.columns}
        self._known: dict[object, str] = {}
        self._salt = salt or secrets.token_bytes(32)
        self._masked = 0

    def covers(self, *names: object) -> bool:
        """Whether a column with these names is masked. The names are stored for ``check``."""
        if not self.columns:
            return False
        spellings = {spelling: name for name in names for spelling in _spellings(name)}
        for spelling, name in spellings.items():
            self._known.setdefault(spelling, _text(name))
        return not self._wanted.isdisjoint(spellings)

    def check(self) -> None:
        """Refuse a name that no attached value has: a typo would send the column unmasked.

        Raises:
            AttachmentError: A name is unknown; the message lists the known columns.
        """
        for name in self.columns:
            if _folded(name) not in self._known:
                there = list(dict.fromkeys(self._known.values()))
                listed = ", ".join(there[:20]) or "none"
                called = " ".join(_text(name).split())
                raise AttachmentError(
                    f"--redact {called}: no attached value has this column (columns: {listed}). Files are sent "
                    "unchanged: attach a DataFrame to mask columns."
                )

    def rows(self, rows: Rows, labels: Sequence[object] = ()) -> Rows:
        """Return rows with their masked columns, and with masked values inside cells.

        Args:
            rows: The rows to mask.
            labels: The original labels of the columns, before they were made unique.

        Returns:
            The masked rows.
        """
        if not self.columns:
            return rows
        changed = {}
        for number, names in enumerate(zip(rows.header, labels or rows.header, strict=True)):
            is_covered = self.covers(*names)
            if is_covered or not rows.holds_single_values(number):
                column = self._column(rows.header[number], rows.column(number), is_covered)
                if column is not None:
                    changed[number] = column
        return rows.with_columns(changed) if changed else rows

    def _column(self, name: str, column: pd.Series[Any], is_covered: bool) -> pd.Series[Any] | None:  # noqa: FBT001 - private
        """Return a masked column, or None if nothing in it is masked."""
        if is_covered:
            values = column.astype(object)
            return values.where(values.isna(), values.map(self.value))
        if column.dtype.kind != "O":
            return None
        before = self._masked
        try:
            named = column.map(self.json)
        except RecursionError:
            raise AttachmentError(f"a cell of column {name} contains itself, so it can't be masked.") from None
        return named.astype(object) if self._masked > before else None

    def json(self, value: Any) -> Any:
        """Return a value with all masked names replaced in it, at any depth. Records become dicts."""
        if isinstance(value, str | bytes | int | float | None):
            return value
        if isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], str) and self.covers(value[0]):
            return [value[0], self._under_name(value[1])]  # an item of an Arrow map
        named = named_parts(value)
        if named is not None:
            return self._named(value, named)
        if isinstance(value, list | tuple | set | frozenset) or is_a(value, "collections", "deque"):
            return [self.json(inner) for inner in (ordered(value) if isinstance(value, set | frozenset) else value)]
        if is_a(value, "numpy", "ndarray") and value.ndim and (value.dtype.names or value.dtype.kind == "O"):
            return [self.json(inner) for inner in value]
        return value

    def _named(self, value: Any, named: Mapping[Any, Any]) -> Any:
        covered = [key for key in named if self.covers(key)]
        if isinstance(value, Mapping) or fields_of(value) is not None or is_a(value, "numpy", "void"):
            return {
                key: self._under_name(inner) if key in covered else self.json(inner) for key, inner in named.items()
            }
        if isinstance(value, tuple):
            return [self._under_name(inner) if key in covered else self.json(inner) for key, inner in named.items()]
        if not covered:  # written as its repr
            return value
        return {
            key: self._under_name(inner) if key in covered else str(inner)[:_LONGEST] for key, inner in named.items()
        }

    def _under_name(self, value: Any) -> Any:
        """Mask a value under a masked name. Each value of a list is masked, so that it still joins with a column."""
        if isinstance(value, list | tuple | set | frozenset):
            return [self._under_name(inner) for inner in value]
        return None if value is None else self.value(value)

    def value(self, value: Any) -> str:
        """Return the mask of a value. Values that a join treats as equal have the same mask."""
        self._masked += 1
        digest = hmac.new(self._salt, _canonical(value).encode(errors="backslashreplace"), hashlib.sha256)
        return f"masked-{digest.hexdigest()[:12]}"


def column_names(text: str) -> list[str]:
    """Split a comma-separated list of columns. Quotes enclose a name that contains commas.

    Args:
        text: The list as the user typed it.

    Returns:
        The names.

    Raises:
        AttachmentError: A quote is not closed.
    """
    found, rest = [], text.strip()
    while rest:
        quote = rest[0] if rest[0] in "\"'" else ""
        end = rest.find(quote, 1) if quote else len(rest.partition(",")[0])
        if end < 0:
            raise AttachmentError(f"--redact {text}: a quote is not closed.")
        found.append(rest[1:end] if quote else rest[:end].strip())
        rest = rest[end + len(quote) :].strip()
        if rest and not rest.startswith(","):
            raise AttachmentError(f"--redact {text}: a comma is missing after {found[-1]}.")
        rest = rest[1:].strip()
    return [name for name in found if name.strip()]


def _folded(name: object) -> object:
    """Normalize a name for comparison: case and surrounding blanks are ignored."""
    return tuple(map(_folded, name)) if isinstance(name, tuple) else " ".join(str(name).split()).casefold()


def _text(name: object) -> str:
    return " / ".join(_text(part) for part in name if part not in {"", None}) if isinstance(name, tuple) else str(name)


def _spellings(label: object) -> Iterator[object]:
    """Yield every name of a column: with several levels, each level, the first levels, and all levels together."""
    yield _folded(label)
    if isinstance(label, tuple):
        yield _folded(_text(label))
        for number, part in enumerate(label, 1):
            yield _folded(label[:number])
            if part not in {"", None}:
                yield _folded(part)


def _canonical(value: Any) -> str:
    """Return the same text for equal values of any type. A text never equals a number."""
    if is_a(value, "numpy", "generic") and not isinstance(value, str | bytes | float):
        value = _of_numpy(value)
    if isinstance(value, str):
        return f"text {value}"
    if isinstance(value, datetime | timedelta):
        return _timestamp_text(value)
    if isinstance(value, Decimal) and (not value.is_finite() or abs(value.adjusted()) > _LARGEST_EXPONENT):
        return f"number {value.normalize() if value.is_finite() else float(value)}"
    if isinstance(value, numbers.Complex) and not isinstance(value, numbers.Real) and value.imag == 0:
        value = value.real
    if isinstance(value, numbers.Real | Decimal):
        try:
            return f"number {Fraction(value)}"  # type: ignore[arg-type]
        except (ValueError, OverflowError):  # infinity
            return f"number {float(value)}"
    return f"{type(value).__name__} {value}"


def _of_numpy(value: Any) -> Any:
    if value.dtype.kind in "mM":
        import pandas as pd

        return pd.Timestamp(value) if value.dtype.kind == "M" else pd.Timedelta(value)
    return value.item()


def _timestamp_text(value: datetime | timedelta) -> str:
    import pandas as pd

    if isinstance(value, timedelta):
        return f"span {pd.Timedelta(value).isoformat()}"
    moment = pd.Timestamp(value)
    return f"moment {(moment if moment.tz is None else moment.tz_convert('UTC')).isoformat()}"
