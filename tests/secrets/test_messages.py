"""Messages name places and never show what was found; a place that is private itself is named by its number."""

import json

import pytest

from codevf_nb.privacy import PrivateDataError, check
from tests.secrets.made import shape, spelled


def message(name: str, content: str) -> str:
    with pytest.raises(PrivateDataError) as error:
        check({}, [(name, content.encode())])
    return str(error.value)


@pytest.mark.parametrize(
    ("name", "content", "shown", "values"),
    [
        (
            "people.csv",
            "Anna Meier,+49 171 2345678,536-22-1234\nBen Kurz,+49 171 2345679,536-22-1235\n",
            ["number 2", "number 3"],
            ["234567", "536-22", "Anna"],
        ),
        ("cards.csv", "4012888888881881\n5555555555554444\n", ["number 1"], ["4012", "5555"]),
        ("list.csv", "anna@corp.de\nben@corp.de\n", ["number 1"], ["corp.de"]),
        ("list.csv", ",x\na@corp.de,1\nb@corp.de,2\n", ["number 1"], ["corp.de"]),
        ("people.json", json.dumps({"anna@corp.de": "+49 171 2345678"}), ["number 1"], ["corp.de", "171"]),
        ("anna@corp.de.csv", "x\nben@corp.de\n", ["private itself"], ["corp.de"]),
        ("t.csv", "anna@corp.de,x\n" + shape("ghp_<L36>") + ",1\n", ["number 1, row 1"], ["corp.de", "ghp_"]),
        (shape("d_ghp_<L36>") + ".json", json.dumps({"a": shape("ghp_<L36>")}), ["name holds a secret"], ["ghp_"]),
    ],
)
def test_a_place_that_is_private_itself_is_named_by_its_number(name, content, shown, values):
    """In tables without a header, keys of a dict, names of files; and no hint repeats it."""
    told = message(name, content)
    assert all(piece in told for piece in shown)
    assert not any(value in told for value in values)
    assert "--redact" not in told


def test_a_long_name_is_cut():
    """A column's name of thousands of characters is not printed whole."""
    told = message("long.csv", f"a,{'x' * 3000} password\n1,{spelled('{P}')}\n")
    assert "a password (long.csv column xxx" in told
    assert len(told) < 300


def test_the_ways_on_are_a_sentence():
    """Also where no column can be masked."""
    assert "). If it may leave as it is, say --allow-personal." in message(
        "cell.py", "# a@corp.de, b@corp.de, c@corp.de\n"
    )
