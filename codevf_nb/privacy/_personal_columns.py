"""Find columns with personal data: by their values, and by their names if the values fit the name.

Values alone are sufficient if a checksum, a numbering plan or a fixed format makes them certain; plain digits are
ambiguous. A name is sufficient if enough values can be of its kind, so ``email_sent`` with yes and no, or
``phone_count``, is not refused. Cells that represent a missing value are ignored.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Iterator, Sequence

from codevf_nb.privacy._column_names import is_about_places, is_place, kinds_of
from codevf_nb.privacy._columns import Columns
from codevf_nb.privacy._id_formats import (
    NATIONAL_IDS,
    is_card,
    is_iban,
    is_national_id,
    is_phone,
)
from codevf_nb.privacy._name_words import words_in, words_of
from codevf_nb.privacy._personal_values import has_addresses
from codevf_nb.privacy._value_patterns import LIKE

_LOOKED_AT = 1000  # values of one column that are compared with every format, evenly spread
_ENOUGH = 8  # this many distinct values with a valid checksum are no coincidence
_MISSING = words_in(
    """
    n/a na nan none null nil nat unknown unbekannt missing ? - -- . .. … keine no_data
    """
)
_WHOLE_FLOAT = re.compile(r"\d{7,19}\.0")
_DIGIT = re.compile(r"\d")
# Most numbers in tables have this format, and no personal number has it.
_DECIMAL = re.compile(r"[+-]?\d*\.\d+(?:[eE][+-]?\d+)?")
_STRUCTURED = re.compile(r"\s*[{\[].*[}\]]\s*", re.DOTALL)
# The minimum share of values that must fit a kind if the column's name matches.
_SHARE = {"names of people, perhaps": 0.2}
_CALLED = {
    "names of people, perhaps": "names of people",
    "house numbers": "postal addresses",
    "postcodes": "postal addresses",
}
# If a column's name has one of these words, grouped digits are neither a phone nor a social security number.
_THINGS = words_in(
    """
    invoice order product item part sku upc ean isbn issn article serial model ref reference code version
    tracking ticket batch lot date time timestamp price amount range bracket delta size dimension rechnung
    bestellung artikel
    """
)
_Form = tuple[str, Callable[[str], bool], float, bool]
# What values are like by themselves, the share of them that must be, and whether the checksum holds among
# other numbers.
_CONTENTS: tuple[_Form, ...] = (
    ("IBANs", is_iban, 0.01, True),
    ("card numbers", is_card, 0.5, True),
    *((one.what, lambda value, one=one: is_national_id(one, value), 0.5, True) for one in NATIONAL_IDS if one.certain),
    ("phone numbers", is_phone, 0.3, False),
)
_DIGITS_ONLY = tuple(
    one for one in NATIONAL_IDS if not one.certain and one.module in {"pl.pesel", "de.idnr", "ro.cnp", "tr.tckimlik"}
)


def personal_columns(table: Columns) -> Iterator[tuple[str, str]]:
    """Yield each column of a table that looks like personal data, and the kind."""
    found = list(_columns_about_people(table))
    if all(is_place(column) for column, _ in found) and is_about_places(table.columns):
        return
    yield from found


def _columns_about_people(table: Columns) -> Iterator[tuple[str, str]]:
    for column, values in table.columns.items():
        if _holds_addresses(values):
            yield column, "e-mail addresses"
            continue
        there = _present(spread([value for value in values if value], 4 * _LOOKED_AT))
        what = what_is_in(column, there) or _inside_cells(there)
        if what:
            yield column, what


def what_is_in(column: str, values: Sequence[str]) -> str | None:
    """Return the kind of personal data in a column, or None.

    Args:
        column: The column's name.
        values: The values that are not missing.
    """
    if not values:
        return None
    some = spread(values, _LOOKED_AT)
    if _holds_addresses(values):
        return "e-mail addresses"
    return _by_name(column, some) or _by_content(column, some)


def is_private_text(text: str) -> bool:
    """Whether a text alone, such as a column's name, identifies a person: an address, a phone, a card, an id."""
    text = text.strip()
    return bool(text) and (what_is_in("", [text]) is not None or sum(char.isdigit() for char in text) >= 9)


def spread(values: Sequence[str], count: int) -> Sequence[str]:
    """Choose values from the whole column: one at a varying position in each range, so that no period hides them."""
    if len(values) <= count:
        return values
    part = len(values) / count
    return [values[int((at + at * 0.6180339887 % 1) * part)] for at in range(count)]


def _present(values: Sequence[str]) -> list[str]:
    """Return the values that are not missing. Integers that a missing value converted to floats are restored."""
    found = []
    for value in values:
        text = value.strip()
        if text[:1].isdigit():  # a fast path: most values of most tables
            found.append(text[:-2] if text.endswith(".0") and _WHOLE_FLOAT.fullmatch(text) else text)
        elif text and text.lower() not in _MISSING and not text.startswith("masked-"):
            found.append(text)
    return found


def _by_name(column: str, values: Sequence[str]) -> str | None:
    for kind in kinds_of(column):
        fits = LIKE[kind]
        if sum(bool(fits(value)) for value in values) >= _SHARE.get(kind, 0.5) * len(values):
            return _CALLED.get(kind, kind)
    return None


def _holds_addresses(values: Sequence[str]) -> bool:
    """Whether any cell of a column is an e-mail address; every cell is checked."""
    joined = "\n".join(values)
    return ("@" in joined or "%40" in joined) and has_addresses(values)


def _by_content(column: str, some: Sequence[str]) -> str | None:
    in_things = bool(_THINGS.intersection(words_of(column)))
    shaped = [
        value for value in some if 7 <= len(value) <= 45 and _DIGIT.search(value) and not _DECIMAL.fullmatch(value)
    ]
    if not shaped:
        return None
    for what, fits, share, has_checksum in _CONTENTS:
        if in_things and (not has_checksum or what == "social security numbers"):
            continue
        if len(shaped) >= share * len(some) and sum(map(fits, shaped)) >= max(1, share * len(some)):
            return what
    return "national ids" if _all_have_a_checksum(shaped, some) else None


def _all_have_a_checksum(shaped: Sequence[str], some: Sequence[str]) -> bool:
    """Whether so many plain numbers have the checksum of an id that it can't be a coincidence."""
    if len(set(shaped)) < _ENOUGH or len(shaped) < 0.95 * len(some):
        return False
    for one in _DIGITS_ONLY:
        right = sum(is_national_id(one, value) for value in shaped)
        if right >= 0.95 * len(some):
            return True
    return False


def _inside_cells(values: Sequence[str]) -> str | None:
    """Check the names and values in cells that contain JSON or a dict."""
    some = [value for value in spread(values, 50) if value[0] in "{[" and _STRUCTURED.fullmatch(value)]
    if len(some) * 2 < min(len(values), 50):
        return None
    named: dict[str, list[str]] = {}
    for value in some:
        _collect(_parsed(value), "", named)
    found = (what_is_in(name, _present(inside)) for name, inside in named.items())
    return next((what for what in found if what), None)


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    try:
        return ast.literal_eval(text) if len(text) < 20_000 else None
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return None


def _collect(value: object, name: str, named: dict[str, list[str]]) -> None:
    if isinstance(value, dict):
        for key, inner in value.items():
            _collect(inner, str(key), named)
    elif isinstance(value, list | tuple):
        for inner in value:
            _collect(inner, name, named)
    elif value is not None and not isinstance(value, bool):
        named.setdefault(name, []).append(str(value))
