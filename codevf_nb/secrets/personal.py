"""Columns that look like data about people: by what stands in them, and by their names where their values fit that.

A column stops a question when its values are e-mail addresses, phone numbers, card numbers, IBANs or social security
numbers, or when it is named like one of these, a person's name, an address, a birthday or a national id, and at least
half of its values could be one. So ``email_sent`` with yes and no, or ``phone_count``, stops nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from .people import has_addresses, is_card_cell, is_iban_cell, is_phone_cell, is_ssn_cell
from .places import Columns

_LOOKED_AT = 1000  # values of one column that are held to every form, spread over it

_LETTERS = re.compile(r"[^\W\d_]{2,}")
_DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}")


def _digits(least: int, most: int) -> Callable[[str], object]:
    return lambda text: least <= sum(char.isdigit() for char in text) <= most and not re.search(r"[A-Za-z]{4}", text)


# What a column may be called, in words of its name, and what its values must then be like.
_NAMED: tuple[tuple[str, str, Callable[[str], object]], ...] = (
    ("e-mail addresses", "e?mails?|e mails?|e?mail address(?:es)?", lambda text: "@" in text),
    ("phone numbers", "phones?|phone (?:number|no)|telephone|telefon|tel|mobile|handy|fax|whatsapp", _digits(6, 16)),
    (
        "names of people",
        (
            "(?:first|last|full|middle|given|family|maiden|sur) ?names?|vorname|nachname|"
            "(?:customer|patient|employee|person|contact|client|student|author|holder|recipient) names?"
        ),
        _LETTERS.search,
    ),
    (
        "postal addresses",
        (
            "(?:(?:street|home|postal|mailing|billing|shipping|customer) )?address(?:es)?(?: line)?|street(?: name)?|"
            "strasse|straße|anschrift|adresse"
        ),
        _LETTERS.search,
    ),
    ("birthdays", "dob|birth ?dates?|birth ?days?|date of birth|geburtsdatum|geburtstag", _DATE.search),
    (
        "national ids",
        (
            "ssn|social security(?: (?:number|no))?|sozialversicherungsnummer|svnr|(?:national|tax|steuer) ?id|nino|"
            "passport(?: (?:number|no))?|(?:drivers?|driving) licen[cs]e(?: (?:number|no))?|curp|cpf|dni|pesel"
        ),
        _digits(5, 20),
    ),
    ("card numbers", "(?:credit |debit )?card (?:number|no|num)|cc (?:number|no|num)|credit card", _digits(12, 19)),
    ("IBANs", "iban", re.compile("[A-Z]{2}[0-9]{2}").match),
)
_BY_NAME = tuple((what, re.compile(rf"(?:^|.* )(?:{words})(?: \d+)?"), fits) for what, words, fits in _NAMED)

# What values are like by themselves, and the share of them that must be for a column to be that.
_CONTENTS: tuple[tuple[str, Callable[[str], bool], float], ...] = (
    ("IBANs", is_iban_cell, 0.01),
    ("card numbers", is_card_cell, 0.5),
    ("social security numbers", is_ssn_cell, 0.5),
    ("phone numbers", is_phone_cell, 0.3),
)


def personal_columns(table: Columns) -> Iterator[tuple[str, str]]:
    """Yield each column of a table that looks like data about people, and what it looks like."""
    for column, values in table.columns.items():
        there = [value for value in values if value and not value.startswith("masked-")]
        what = _by_name(column, _spread(there)) or _by_content(there)
        if what:
            yield column, what


def _spread(values: Sequence[str]) -> Sequence[str]:
    return values if len(values) <= _LOOKED_AT else values[:: len(values) // _LOOKED_AT + 1]


def _by_name(column: str, values: Sequence[str]) -> str | None:
    words = " ".join(re.findall(r"[A-Z]+(?![a-zß-ÿ])|[A-ZÀ-Þ]?[a-zß-ÿ]+|\d+", column)).lower()
    for what, named, fits in _BY_NAME:
        if values and named.fullmatch(words) and sum(bool(fits(value)) for value in values) * 2 >= len(values):
            return what
    return None


def _by_content(values: Sequence[str]) -> str | None:
    if any("@" in value for value in values) and has_addresses(values):
        return "e-mail addresses"
    some = [value.strip() for value in _spread(values)]
    for what, fits, share in _CONTENTS:
        if some and sum(fits(value) for value in some) >= max(1, share * len(some)):
            return what
    return None
