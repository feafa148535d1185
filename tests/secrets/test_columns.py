"""Columns about people and columns of secrets are found by name and content; those that only look like it pass."""

import json
import random

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codevf_nb.privacy import PrivateDataError, check
from codevf_nb.privacy._file_readers import Opener
from codevf_nb.privacy._id_formats import NATIONAL_IDS, is_national_id
from codevf_nb.privacy._personal_columns import personal_columns, spread
from tests.secrets.made import spelled
from tests.secrets.people import ANYWHERE, HARMLESS, IN_NAMED, NAMED, SECRET_COLUMNS, card, form, iban


def stopped(name: str, values, rows: int = 40) -> str | None:
    """The message for a table with such a column, or None where it passes."""
    column = [values[row % len(values)] for row in range(max(rows, len(values)))]
    table = pd.DataFrame({"n": range(len(column)), name: column})
    try:
        check({}, [("t.csv", table.to_csv(index=False).encode())])
    except PrivateDataError as error:
        return str(error)
    return None


def made(text: str, count: int = 40) -> list[str]:
    rng = random.Random(text)
    return [form(text, rng) for _ in range(count)]


@pytest.mark.parametrize(
    ("what", "name", "values"),
    [(what.strip(), name, values) for what, (names, values) in NAMED.items() for name in names.split(", ")],
)
def test_a_column_is_known_by_its_name_where_its_values_fit(what, name, values):
    """In several languages; empty cells and marks for a missing value count neither way."""
    what = "names of users" if name in {"user_name", "username", "nickname"} else what
    assert what in (stopped(name, values) or "")
    assert what in (stopped(name, [*values, "n/a", "-", "n/a", "", "n/a", "unknown"]) or "")
    assert stopped(name, ["yes", "no"]) is None


@pytest.mark.parametrize(("what", "text"), [(what, text) for what, texts in ANYWHERE.items() for text in texts])
def test_a_form_that_is_certain_is_found_in_any_column(what, text):
    """E-mail addresses, phones that a numbering plan knows, social security numbers."""
    assert what in (stopped("c1", made(text)) or "")


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in IN_NAMED.items() for text in texts])
def test_a_form_is_found_in_a_column_that_is_called_so(name, text):
    """Digits alone may be anything, but not in a column of phones or ids."""
    assert stopped(name, made(text))


RNG = random.Random(5)
CARDS = {
    brand: [card(prefix, length, RNG) for _ in range(40)]
    for brand, prefix, length in [
        ("Visa", "4012", 16), ("Visa, old", "4222", 13),
        ("Mastercard", "5555", 16), ("Amex", "3782", 15), ("Diners", "36", 14),
        ("JCB", "3530", 16), ("UnionPay", "62", 16), ("Discover", "644", 16), ("Maestro", "6759", 16),
    ]
}  # fmt: skip


@pytest.mark.parametrize("brand", CARDS)
def test_card_numbers_are_found_in_any_column(brand):
    """Of each brand, in digits, groups and with dashes, and as floats, which a missing value makes of them."""
    numbers = CARDS[brand]
    assert "card numbers" in stopped("c1", numbers)
    if len(numbers[0]) == 16:
        for sign in " -":
            assert "card numbers" in stopped(
                "c1", [sign.join(one[at : at + 4] for at in (0, 4, 8, 12)) for one in numbers]
            )
        assert "card numbers" in stopped("c1", [*map(int, numbers[:39]), None])


@pytest.mark.parametrize(
    ("country", "length"), [("DE", 22), ("FR", 27), ("PL", 28), ("SA", 24), ("EG", 29), ("NO", 15)]
)
def test_ibans_are_found_in_any_column(country, length):
    """In groups, in small letters, with their name in front."""
    rng = random.Random(country)
    numbers = [iban(country, length, rng) for _ in range(40)]
    for written in (
        numbers,
        [one.lower() for one in numbers],
        [" ".join(one[at : at + 4] for at in range(0, length, 4)) for one in numbers],
        [f"IBAN {one}" for one in numbers],
    ):
        assert "IBANs" in stopped("c1", written)


# One valid number of each kind, from the documentation of python-stdnum.
VALID = {
    "us.ssn": "536-90-4399",
    "us.itin": "912-90-3456",
    None: "QQ 12 34 56 C",
    "it.codicefiscale": "RCCMNL83S18D969H",
    "es.dni": "54362315K",
    "es.nie": "x2482300w",
    "cn.ric": "360426199101010071",
    "br.cpf": "390.533.447-05",
    "in_.pan": "ACUPA7085R",
    "in_.aadhaar": "2341 2341 2346",
    "kr.rrn": "971013-9019902",
    "fi.hetu": "131052-308T",
    "ch.ssn": "756.9217.0769.85",
    "mx.curp": "BOXW310820HNERXN09",
    "se.personnummer": "880320-0016",
    "cz.rc": "710319/2745",
    "be.nn": "85.07.30-033.28",
    "fr.nir": "2 95 10 99 126 111 93",
    "dk.cpr": "211062-5629",
    "no.fodselsnummer": "151086 95088",
    "pl.pesel": "44051401359",
    "de.idnr": "36 574 261 809",
    "ro.cnp": "1630615123457",
    "tr.tckimlik": "17291716060",
    "at.vnr": "1237 010180",
    "au.tfn": "123 456 782",
    "ca.sin": "123-456-782",
    "gb.nhs": "943-476-5870",
    "nl.bsn": "111222333",
}


@pytest.mark.parametrize("kind", NATIONAL_IDS, ids=lambda kind: str(kind.module))
def test_each_national_id_has_a_valid_example(kind):
    """A row of the table without one fails here; what is certain by itself is found in any column."""
    value = VALID[kind.module].upper().replace("QQ", "AB")
    value = {"kr.rrn": "850101-1234569"}.get(kind.module, value)
    assert kind.shape.fullmatch(value)
    if kind.module != "kr.rrn":
        assert is_national_id(kind, value)
    if kind.certain and kind.module != "kr.rrn":
        assert kind.what in (stopped("c1", [value]) or "")


@pytest.mark.parametrize(("name", "values"), HARMLESS)
def test_a_column_that_only_looks_like_it_passes(name, values):
    """Values decide, not one word of a name; coordinates, prices, part numbers and orders are no phones."""
    assert stopped(name, values) is None


@pytest.mark.parametrize(("name", "value"), SECRET_COLUMNS)
def test_a_column_of_secrets_is_found(name, value):
    """A column called a key is none of hashes; names are split into words."""
    assert stopped(name, [spelled(value, seed) for seed in range(5)], rows=5)
    assert stopped(name, ["masked-0123456789ab"]) is None


def test_secrets_in_pairs_of_columns_are_found():
    """As settings are kept in tables, and as melt makes them."""
    table = pd.DataFrame({"name": ["HOST", "DB_PASSWORD"], "value": ["db.corp.de", spelled("{P}")]})
    with pytest.raises(PrivateDataError, match=r"a password \(t\.csv column value, row 2\)"):
        check({}, [("t.csv", table.to_csv(index=False).encode())])


def test_json_in_a_cell_is_looked_at():
    """For passwords, and for names with values that are about people."""
    assert "a password" in stopped("payload", [json.dumps({"user": "ana", "password": spelled("{P}")})])
    assert stopped("rec", [json.dumps({"dob": "1980-01-02", "first_name": "Anna", "phone": "+49 30 1234567"})])
    assert stopped("rec", [str({"dob": "1980-01-02", "first_name": "Anna"})])


@pytest.mark.parametrize("period", [2, 3, 4, 5, 7, 10])
@pytest.mark.parametrize("rows", [1001, 2002, 3001, 4004, 9999])
def test_no_rhythm_of_rows_hides_people(period, rows):
    """Tables made by melt and stack repeat; the values looked at are spread without a rhythm."""
    phones = ["x" if row % period == 0 else "+49 171 2345678" for row in range(rows)]
    chosen = spread(phones, 1000)
    assert len(chosen) == 1000
    assert abs(sum(one == "x" for one in chosen) / 1000 - 1 / period) < 0.1
    assert "phone numbers" in stopped("c1", phones, rows=rows)


COORDINATES = {"lat": ["48.137154", "52.520008"], "lon": ["11.576124", "13.404954"], "zip": ["80331", "10115"]}
OF_THINGS = (
    {"airport": ["MUC", "BER"]},
    {"station_id": ["a1", "b2"]},
    {"city": ["München", "Berlin"]},
    {"depth": [10, 35]},
)
OF_PEOPLE = (
    {"customer_id": [17, 18]},
    {"first_name": ["Anna", "Ben"]},
    {"device_id": ["a", "b"]},
    {"email": ["a@b.de", "c@d.de"]},
)


@settings(max_examples=60, deadline=None)
@given(
    places=st.sets(st.sampled_from(sorted(COORDINATES)), min_size=1),
    things=st.sampled_from(OF_THINGS),
    people=st.none() | st.sampled_from(OF_PEOPLE),
)
def test_coordinates_are_of_people_unless_the_table_lists_things(places, things, people):
    """Airports, shops and quakes have coordinates and postcodes that are nobody's; those of customers are not."""
    columns = {**{name: COORDINATES[name] for name in places}, **things, **(people or {})}
    table = pd.DataFrame({name: values * 20 for name, values in columns.items()}).to_csv(index=False).encode()
    found = {
        what for part in Opener().parts("t.csv", table) for one in part.tables for what, _ in personal_columns(one)
    }
    assert (places <= found) if people else not found
