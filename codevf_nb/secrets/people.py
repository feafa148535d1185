"""Numbers and addresses that belong to people, told by their form and their checksums."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

EMAIL = re.compile(r"[\w.+%-]{1,64}@(?:[\w-]{1,63}\.){1,5}[A-Za-z]{2,24}", re.ASCII)
_NOBODY = re.compile(
    r"@(?:[\w-]+\.)*(?:example\.(?:com|org|net)|\w+\.(?:example|invalid|test)|localhost)$|^(?:no-?reply|git)@",
    re.IGNORECASE,
)
_PHONE = re.compile(
    r"\+\d[\d\s().\-/]{6,20}\d|00[1-9][\d\s().\-/]{6,20}\d|\(\d{2,5}\)\s?\d[\d\s\-/]{4,12}|"
    r"\d{3}[-. ]\d{3}[-. ]\d{4}|0\d{2,5}[ /\-]\d[\d \-/]{4,12}"
)
_CARD = re.compile(
    r"(?:4\d{3}|5[1-5]\d{2}|2[2-7]\d{2}|3[47]\d{2}|6011|65\d{2})"
    r"(?:(?:[ -]?\d{4}){2}[ -]?\d{3,4}|[ -]\d{6}[ -]\d{5})(?!\d)"
)
_IBAN = re.compile(r"[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?![A-Za-z0-9])")
_SSN = re.compile(r"(?!000|666|9\d\d)\d{3}-(?!00)\d{2}-(?!0000)\d{4}")
# Characters of an IBAN by country.
_IBAN_LENGTHS = {
    country: length
    for length, countries in {
        15: "NO", 16: "BE", 18: "DK FI NL FO GL", 19: "MK SI", 20: "AT EE KZ LT LU XK BA", 21: "CH HR LI LV",
        22: "DE GB IE BG GE ME RS BH CR VA", 23: "AE GI IL", 24: "CZ ES SE SK RO SA MD PK TN", 25: "PT", 26: "TR IS",
        27: "FR GR IT MC SM", 28: "HU PL CY AL", 29: "UA BR", 31: "MT",
    }.items()
    for country in countries.split()
}  # fmt: skip

# Every digit as 0 and every capital as A: then numbers of a form are found at the speed of memory.
_SHAPES = bytes(48 if 48 <= byte <= 57 else 65 if 65 <= byte <= 90 else byte for byte in range(256))


def in_prose(content: bytes) -> Iterator[tuple[int, str]]:
    """Yield where in prose or code data about people stands, and what it is.

    One author's address in a comment is common and harmless: it takes three different ones. A card number counts where
    it is written in groups; sixteen digits in a row may be anything.
    """
    shape = content.translate(_SHAPES)
    for anchor in (b"0000 0000", b"0000-0000"):
        for at in occurrences(shape, anchor):
            found = _CARD.match(content[at : at + 32].decode("latin-1"))
            if found and shape[at - 1 : at] != b"0" and is_card(found[0]):
                yield at, "a card number"
    for at in occurrences(shape, b"AA00"):
        found = _IBAN.match(content[at : at + 48].decode("latin-1"))
        if found and not content[at - 1 : at].isalnum() and is_iban(found[0]):
            yield at, "an IBAN"
    first = content.find(b"@")
    addresses = set(_addresses_in(content))
    if len(addresses) >= 3:
        yield first, f"{len(addresses)} e-mail addresses"


def _addresses_in(content: bytes) -> Iterator[str]:
    for at in occurrences(content, b"@"):
        start = max(0, at - 64)
        window = content[start : at + 128].decode("latin-1")
        for found in EMAIL.finditer(window):
            if found.start() <= at - start < found.end() and not _NOBODY.search(found[0]):
                yield found[0].lower()


def occurrences(content: bytes, anchor: bytes) -> Iterator[int]:
    """Yield where a piece of text stands."""
    at = content.find(anchor)
    while at >= 0:
        yield at
        at = content.find(anchor, at + 1)


def has_addresses(values: Sequence[str]) -> bool:
    """Whether one of these cells is an e-mail address, or two different ones stand inside of texts."""
    inside = set()
    for value in values:
        for found in EMAIL.finditer(value) if "@" in value else ():
            if _NOBODY.search(found[0]):
                continue
            if found[0] == value:
                return True
            inside.add(found[0])
    return len(inside) >= 2


def is_card(value: str) -> bool:
    """Whether digits are a card number: the right last digit by Luhn's sum, and not one digit over and over."""
    digits = [int(char) for char in value if char.isdigit()]
    total = sum(digit if at % 2 == 0 else digit * 2 - 9 * (digit > 4) for at, digit in enumerate(reversed(digits)))
    return 13 <= len(digits) <= 19 and total % 10 == 0 and len(set(digits)) > 1


def is_iban(value: str) -> bool:
    """Whether a text is an IBAN: a country's length, and the remainder 1 by 97."""
    compact = value.replace(" ", "")
    if _IBAN_LENGTHS.get(compact[:2]) != len(compact):
        return False
    return int("".join(str(int(char, 36)) for char in compact[4:] + compact[:4])) % 97 == 1


def is_card_cell(value: str) -> bool:
    """Whether a cell is a card number, of a range that cards have."""
    return bool(_CARD.fullmatch(value)) and is_card(value)


def is_iban_cell(value: str) -> bool:
    """Whether a cell is an IBAN."""
    return bool(_IBAN.fullmatch(value)) and is_iban(value)


def is_phone_cell(value: str) -> bool:
    """Whether a cell is a phone number as people write it; digits alone may be anything."""
    return bool(_PHONE.fullmatch(value)) and 7 <= sum(char.isdigit() for char in value) <= 15


def is_ssn_cell(value: str) -> bool:
    """Whether a cell is a social security number of the United States."""
    return bool(_SSN.fullmatch(value))
