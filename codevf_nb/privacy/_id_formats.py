"""Recognize numbers that identify people by format and checksum: accounts, cards, national ids, phones.

The checksums and numbering plans come from ``python-stdnum`` and ``phonenumbers``, which are imported when the first
value with a matching format is checked. This module defines the formats that people write, and which of them are
sufficient evidence without a column name.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

_PLAIN = re.compile(r"[\s.\-/]")


@dataclass(frozen=True)
class NationalId:
    """A number that a state assigns to a person.

    Attributes:
        what: Its name in messages.
        module: The module of ``stdnum`` with its checksum; None if it has no checksum.
        shape: Its format, as a regular expression.
        certain: Whether format and checksum are sufficient in any column; else the column's name must match too.
    """

    what: str
    module: str | None
    shape: re.Pattern[str]
    certain: bool


def _id(what: str, module: str | None, shape: str, *, certain: bool = True) -> NationalId:
    return NationalId(what, module, re.compile(shape), certain)


# Formats as the issuing states print them. Source: the documentation of each module of python-stdnum.
NATIONAL_IDS = (
    _id("social security numbers", "us.ssn", r"\d{3}-\d{2}-\d{4}"),
    _id("national ids", "us.itin", r"9\d\d-[5-9]\d-\d{4}"),
    _id("national ids", None, r"(?![DFIQUV])[A-Z](?![DFIQUVO])[A-Z] ?\d\d ?\d\d ?\d\d ?[A-D]"),  # United Kingdom
    _id("national ids", "it.codicefiscale", r"[A-Za-z]{6}\d\d[A-Za-z]\d\d[A-Za-z]\d{3}[A-Za-z]"),
    _id("national ids", "es.dni", r"\d{8}-?[A-Z]"),
    _id("national ids", "es.nie", r"[XYZ]-?\d{7}-?[A-Z]"),
    _id("national ids", "cn.ric", r"\d{17}[\dXx]"),
    _id("national ids", "br.cpf", r"\d{3}\.\d{3}\.\d{3}-\d\d"),
    _id("national ids", "in_.pan", r"[A-Z]{3}P[A-Z]\d{4}[A-Z]"),
    _id("national ids", "in_.aadhaar", r"[2-9]\d{3} \d{4} \d{4}"),
    _id("national ids", "kr.rrn", r"\d{6}-[1-8]\d{6}"),
    _id("national ids", "fi.hetu", r"\d{6}[-+A]\d{3}[0-9A-Y]"),
    _id("national ids", "ch.ssn", r"756\.\d{4}\.\d{4}\.\d\d"),
    _id("national ids", "mx.curp", r"[A-Z]{4}\d{6}[HM][A-Z]{5}[A-Z0-9]\d"),
    _id("national ids", "se.personnummer", r"\d{6}(?:\d\d)?[-+]\d{4}"),
    _id("national ids", "dk.cpr", r"\d{6}-\d{4}", certain=False),
    _id("national ids", "no.fodselsnummer", r"\d{6} ?\d{5}", certain=False),
    _id("national ids", "cz.rc", r"\d{6}/\d{3,4}"),
    _id("national ids", "be.nn", r"\d\d\.\d\d\.\d\d-\d{3}\.\d\d"),
    _id("national ids", "fr.nir", r"[12] ?\d\d ?\d\d ?\d\d ?\d{3} ?\d{3} ?\d\d"),
    _id("national ids", "pl.pesel", r"\d{11}", certain=False),
    _id("national ids", "de.idnr", r"\d\d ?\d{3} ?\d{3} ?\d{3}", certain=False),
    _id("national ids", "ro.cnp", r"\d{13}", certain=False),
    _id("national ids", "tr.tckimlik", r"\d{11}", certain=False),
    _id("national ids", "at.vnr", r"\d{4} \d{6}", certain=False),
    _id("national ids", "au.tfn", r"\d{3} \d{3} \d{3}", certain=False),
    _id("national ids", "ca.sin", r"\d{3}[- ]\d{3}[- ]\d{3}", certain=False),
    _id("national ids", "gb.nhs", r"\d{3}[- ]\d{3}[- ]\d{4}", certain=False),
    _id("national ids", "nl.bsn", r"\d{9}", certain=False),
)
# Grouped digits that must also be valid in a numbering plan, with the countries that use this grouping.
_PHONES = (
    (re.compile(r"(?:tel:)?\+\d[\d\s().\-/]{6,20}\d(?: ?(?:x|ext\.?) ?\d{1,6})?"), (None,)),
    (re.compile(r"00[1-9]\d{0,2}[\s\-/][\d\s().\-/]{5,16}\d"), ("DE",)),
    (re.compile(r"\(?[2-9]\d{2}\)?[-. ]{1,2}[2-9]\d{2}[-. ]\d{4}(?: ?(?:x|ext\.?) ?\d{1,6})?"), ("US",)),
    (re.compile(r"\(\d{2}\) ?9?\d{4}-\d{4}"), ("BR",)),
    (re.compile(r"\(0\d{1,4}\) ?\d[\d \-/]{4,12}"), ("DE", "GB", "IT")),
    (re.compile(r"0[1-9](?:[ .]\d\d){4}"), ("FR",)),
    (re.compile(r"0\d{1,3}-\d{2,4}-\d{4}"), ("JP", "KR")),
    (re.compile(r"0\d{2,5}[ /\-]\d[\d \-/]{4,12}"), ("DE", "GB", "IT", "NL", "AT", "CH", "AU", "FR")),
    (re.compile(r"1[3-9]\d \d{4} \d{4}"), ("CN",)),
)
_COUNTRIES = (
    "US",
    "DE",
    "GB",
    "FR",
    "ES",
    "IT",
    "IN",
    "CN",
    "BR",
    "JP",
    "AU",
    "NL",
    "PL",
    "KR",
    "MX",
    "SE",
    "CH",
    "AT",
    "PT",
    "ZA",
)
# The number ranges of cards: Visa, Mastercard, American Express, Diners, JCB, Discover, UnionPay, Maestro.
_CARD = re.compile(r"(?:4\d|5[0-8]|2[2-7]|3[0-9]|6\d)\d{11,17}")
_CARD_WRITTEN = re.compile(r"\d{13,19}|(?:\d{4}[ -]){3}\d{1,7}|\d{4}[ -]\d{6}[ -]\d{4,5}")
_IBAN_WRITTEN = re.compile(r"(?:IBAN:? ?)?[A-Za-z]{2}\d{2}[A-Za-z0-9 ]{8,40}")
_DECIMAL = re.compile(r"[+-]?\d+\.\d+|\d{4}[-./]\d\d[-./]\d\d")


@lru_cache(maxsize=64)
def _checksum(module: str) -> Callable[[str], bool]:
    is_valid: Callable[[str], bool] = importlib.import_module(f"stdnum.{module}").is_valid
    return is_valid


def is_national_id(kind: NationalId, value: str) -> bool:
    """Whether a value has the format of a national id, and a valid checksum."""
    if not kind.shape.fullmatch(value):
        return False
    return kind.module is None or _checksum(kind.module)(value)


def is_card(value: str) -> bool:
    """Whether a value is a card number: in a range of card numbers, and valid by the Luhn algorithm."""
    if not _CARD_WRITTEN.fullmatch(value):
        return False
    digits = re.sub(r"[ -]", "", value)
    return bool(_CARD.fullmatch(digits)) and len(set(digits)) > 1 and _checksum("luhn")(digits)


def is_iban(value: str) -> bool:
    """Whether a value is an IBAN with a valid checksum, in groups or not, in any case."""
    if not _IBAN_WRITTEN.fullmatch(value):
        return False
    from stdnum import iban

    number = re.sub(r"(?i)^IBAN:? ?", "", value)
    return iban.is_valid(number.upper(), check_country=False)


def is_phone(value: str) -> bool:
    """Whether a value is a phone number as people write it: grouped digits that are valid in a numbering plan."""
    if not 7 <= sum(char.isdigit() for char in value) <= 17 or _DECIMAL.fullmatch(value):
        return False
    return any(
        _is_in_plan(value, country) for shape, countries in _PHONES if shape.fullmatch(value) for country in countries
    )


def is_phone_of_some_country(value: str) -> bool:
    """Whether a value in a column of phones can be a phone number. Plain digits count if a numbering plan has them."""
    digits = sum(char.isdigit() for char in value)
    if not 8 <= digits <= 17 or _DECIMAL.fullmatch(value) or len(value) - digits > 12:
        return False
    if re.search(r"[A-Za-z]", re.sub(r"(?i)^tel:|(?:x|ext\.?) ?\d+$", "", value)):
        return False
    return (
        is_phone(value) or _is_in_plan("+" + value, None) or any(_is_in_plan(value, country) for country in _COUNTRIES)
    )


@lru_cache(maxsize=4096)
def _is_in_plan(value: str, country: str | None) -> bool:
    import phonenumbers

    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(value, country))
    except phonenumbers.NumberParseException:
        return False


def compact(value: str) -> str:
    """Return a number without blanks, points, hyphens and slashes."""
    return _PLAIN.sub("", value)
