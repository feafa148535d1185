"""Secrets that are known by the name they are given to, and texts that only speak of secrets."""

import pytest

from codevf_nb.privacy import PrivateDataError, check
from codevf_nb.privacy._calls import USAGES
from codevf_nb.privacy._scanner import secrets_at
from tests.secrets.made import spelled
from tests.support.spellings import HARMLESS, SPELLINGS


@pytest.mark.parametrize("line", SPELLINGS)
def test_a_named_secret_is_found_in_each_spelling(line):
    """In Python, shells, SQL, files of settings, headers, cookies, prose, and in other languages."""
    for seed in range(2):
        assert list(secrets_at(spelled(line, seed).encode()))


@pytest.mark.parametrize("line", HARMLESS)
def test_what_only_looks_like_a_secret_passes(line):
    """Commands, paths, values that are names, code, prose, accounts of machines, hashes."""
    text = spelled(line)
    check({"the prompt": text}, [("cell.py", text.encode()), ("notes.md", text.encode())])


def test_every_usage_has_a_spelling():
    """A row of ``calls.py`` without an example fails here."""
    texts = [spelled(line).encode() for line in SPELLINGS]
    assert [usage for usage in USAGES if not any(usage.pattern.search(text) for text in texts)] == []


PIECES = ("Tr9", "xQz7", "Kw4")


@pytest.mark.parametrize(
    "value",
    [
        *(sign + "".join(PIECES) + "!" for sign in "$%[{<"),
        *("Tr" + word + "97!" for word in ("todo", "your", "xxx", "example")),
        "Replace" + "97!",
        "...".join(PIECES[:2]),
        "xxx".join(PIECES[:2]),
        "'".join(PIECES[:2]),
    ],
)
def test_a_piece_of_a_placeholder_makes_no_placeholder(value):
    """A placeholder is one as a whole; a password may begin with any sign and hold any word."""
    assert list(secrets_at(f'password = "{value}"'.encode()))


@pytest.mark.parametrize(
    "value",
    [
        "<your password>",
        "xxxxxxxx",
        "changeme",
        "YOUR_PASSWORD",
        "...",
        "***",
        "${PW}",
        "{{ pw }}",
        "%(pw)s",
        "{password}",
    ],
)
def test_a_placeholder_is_no_password(value):
    """Marks of where a password goes."""
    assert not list(secrets_at(f'password = "{value}"'.encode()))


def test_nothing_of_a_secret_is_in_the_message():
    """Whatever the spelling."""
    for line in SPELLINGS:
        with pytest.raises(PrivateDataError) as error:
            check({}, [("cell.py", spelled(line).encode())])
        assert not any(piece in str(error.value) for piece in (spelled("{P}"), spelled("{V}"), spelled("{K}")))
