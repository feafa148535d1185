"""The values that a column must have to fit its name: a column ``phone`` with models of phones has no phone numbers."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable

from codevf_nb.privacy._given_names import GIVEN_NAMES
from codevf_nb.privacy._id_formats import (
    compact,
    is_card,
    is_iban,
    is_phone_of_some_country,
)
from codevf_nb.privacy._name_words import words_in

_NAME = re.compile(r"[^\W\d_][^\W\d_'’.-]*(?:['’.-][^\W\d_]+)*\.?")
_TITLE = re.compile(r"(?i)\b(?:mr|mrs|ms|miss|dr|prof|master|herr|frau|sr|sra|mme|mlle)\b\.?")
_COMPANY = re.compile(
    r"(?i)\b(?:inc|ltd|llc|gmbh|corp|co|ag|sa|spa|bv|plc|group|university|institute|department|team|county|city|"
    r"township|parish|borough|district|hospital|airport|school|college|church|club)\b\.?"
)
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]{2,8}")
_USER = re.compile(r"@?[A-Za-z][\w.-]{2,30}")
_STREET = re.compile(
    r"(?i)(?:str(?:asse|aße|eet)?|weg|allee|platz|gasse|straat|laan)\b\.?|[路街道号號区區市]|"
    r"\b(?:road|rd|ave(?:nue)?|lane|drive|blvd|boulevard|court|square|rue|calle|via|rua|avenida|piazza|place|plaza|ulica|ul|st)\b\.?"
)
_ADDRESS_NUMBER = re.compile(r"\b\d{1,5}[A-Za-z]?\b|\d+[号號]")
_NO_ADDRESS = re.compile(r"(?i)0x[0-9a-f]{6,}|[0-9a-f:.]{4,}|.*[@\\].*|\w+://.*|/.*")
_POSTCODE = re.compile(
    r"(?i)\d{4,6}(?:\.0|-\d{3,4})?|\d{3}-?\d{4}|[A-Z]\d[A-Z] ?\d[A-Z]\d|[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}|"
    r"\d{4} ?[A-Z]{2}|\d{2}-\d{3}|[A-Z]{1,2}-\d{4,5}"
)
_DATE = re.compile(
    r"(?i)\d{1,4}[-/. ]\d{1,2}[-/. ]\d{1,4}(?!\d).*|\d{1,2}\.? [^\W\d_]{3,10}\.? \d{2,4}|"
    r"[^\W\d_]{3,10}\.? \d{1,2},? \d{4}|"
    r"(?:1[89]|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])|(?:1[89]|20)\d{2}(?:\.0)?|\d{4}年\d{1,2}月\d{1,2}日|-?\d{8,13}(?:\.0)?"
)
_MAC = re.compile(r"(?i)[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5}|(?:[0-9a-f]{4}\.){2}[0-9a-f]{4}")
_DEVICE = re.compile(r"(?i)[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{16,40}|\d{15}")
_VEHICLE = re.compile(
    r"[A-HJ-NPR-Z0-9]{17}|[A-ZÄÖÜ]{1,3}[- ][A-Z]{1,2}[- ]?\d{1,4}[EH]?|"
    r"(?=.*[A-Z])(?=.*\d)[A-Z0-9]{1,4}[- ]?[A-Z0-9]{2,4}[- ]?[A-Z0-9]{0,4}|[\u4e00-\u9fff][A-Z].?[A-Z0-9]{5}"
)
_COORDINATE = re.compile(r"[-+]?\d{1,3}\.\d{4,}")
_FARTHEST = 180.0  # degrees
_POINT = re.compile(r"(?i)(?:POINT ?)?[(\[]?\s*[-+]?\d{1,3}\.\d{3,}\s*[, ]\s*[-+]?\d{1,3}\.\d{3,}\s*[)\]]?")
_EMAIL = re.compile(r"(?i)[^@\s]+(?:@|%40| at |\[at\]|\(at\))[^@\s]+\.[^\W\d_]{2,24}>?|.*[^@\s]@[^@\s]+\..*")
_NO_USER = words_in(
    """
    yes no true false none unknown admin root user guest test system public private
    """
)


def is_name(value: str) -> bool:
    """Whether a value may be a person's name: words of letters, with a capital or a known given name."""
    words = value.replace(",", " ").split()
    if _CJK.fullmatch(value):
        return True
    if not 1 <= len(words) <= 6 or len(value) > 60 or _COMPANY.search(value) or not all(map(_is_word_of_name, words)):
        return False
    return value[0].isupper() or any(word.lower() in GIVEN_NAMES for word in words)


def _is_word_of_name(word: str) -> bool:
    return bool(_NAME.fullmatch(word.strip("()\"'")))


def is_known_name(value: str) -> bool:
    """Whether a value alone is a person's name: it has a common given name, or a title and two more words."""
    if not is_name(value):
        return False
    words = re.findall(r"[^\W\d_]+", value)
    if any(word.lower() in GIVEN_NAMES and word[0].isupper() for word in words):
        return True
    return (bool(_TITLE.search(value)) and len(words) >= 3) or (bool(_CJK.fullmatch(value)) and len(value) in {2, 3})


def is_two_names(value: str) -> bool:
    """Whether a value is two to four capitalized words, like names of people, but also of many things."""
    words = value.split()
    return (is_name(value) and 2 <= len(words) <= 4 and all(word[:1].isupper() for word in words)) or is_known_name(
        value
    )


def is_user(value: str) -> bool:
    """Whether a value may be the name of an account or of a person."""
    return (value.lower() not in _NO_USER and bool(_USER.fullmatch(value))) or is_two_names(value)


def is_address(value: str) -> bool:
    """Whether a value may be a postal address: letters, and a number or a word for a street."""
    if _NO_ADDRESS.fullmatch(value) or not re.search(r"[^\W\d_]{2}|[\u4e00-\u9fff]", value):
        return False
    return bool(_ADDRESS_NUMBER.search(value) or _STREET.search(value))


def is_public_ip(value: str) -> bool:
    """Whether a value is a public address of a device, not one of a private network or of documentation."""
    try:
        return ipaddress.ip_address(value.partition("/")[0].strip("[]")).is_global
    except ValueError:
        return bool(_MAC.fullmatch(value)) and not int(value[1], 16) & 2  # the bit of locally administered addresses


def is_place(value: str) -> bool:
    """Whether a value is a coordinate with a precision of ten meters, or a pair of coordinates."""
    if _COORDINATE.fullmatch(value):
        return abs(float(value)) <= _FARTHEST
    return bool(_POINT.fullmatch(value))


def is_id(value: str) -> bool:
    """Whether a value may be the number of an id, passport or license: mostly digits, in any grouping."""
    plain = compact(value)
    digits = sum(char.isdigit() for char in plain)
    return (
        5 <= digits <= 20
        and 6 <= len(plain) <= 20
        and plain.isalnum()
        and plain.isascii()
        and not re.search(r"[a-z]{3}", plain)
    )


def is_account(value: str) -> bool:
    """Whether a value may be a bank account number."""
    plain = compact(value)
    return is_iban(value) or (plain.isdigit() and 6 <= len(plain) <= 24)


def is_card_or_pan(value: str) -> bool:
    """Whether a value is a card number, or one with some digits replaced by stars."""
    return is_card(value) or (bool(re.fullmatch(r"(?:[\d*xX]{4}[ -]?){3}\d{1,7}", value)) and not value.isdigit())


LIKE: dict[str, Callable[[str], object]] = {
    "e-mail addresses": _EMAIL.fullmatch,
    "phone numbers": is_phone_of_some_country,
    "names of people": is_name,
    "names of people, perhaps": is_known_name,
    "names of users": is_user,
    "postal addresses": is_address,
    "house numbers": re.compile(r"\d{1,4} ?[A-Za-z]?(?:[-/]\d{1,4})?").fullmatch,
    "postcodes": _POSTCODE.fullmatch,
    "birthdays": _DATE.fullmatch,
    "national ids": is_id,
    "card numbers": is_card_or_pan,
    "bank accounts": is_account,
    "addresses of devices": is_public_ip,
    "ids of devices": _DEVICE.fullmatch,
    "vehicles of people": _VEHICLE.fullmatch,
    "places of people": is_place,
}
