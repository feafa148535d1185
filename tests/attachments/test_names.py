"""Expressions to attach, and file names made of them."""

import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from codevf_nb.attachments import AttachmentError, gather, resolve
from codevf_nb.attachments.names import (
    Names,
    is_plain,
    safe,
    stem,
)
from codevf_nb.sdk.files import normalize_attachments


def test_a_list_is_split_as_python_splits_it():
    """Commas in brackets and quotes are the expression's own."""
    names = {"orders": {"id": 1}, "x": [3, 4]}
    assert resolve("orders['id'], x[0:1],'a,b'", names) == {"orders['id']": 1, "x[0:1]": [3], "'a,b'": "a,b"}
    assert resolve("x", names) == {"x": [3, 4]}


def test_spelling_does_not_make_another_question():
    """Blanks and quotes don't matter to the name under which a value is part of the question."""
    assert list(resolve('d[ "a" ]', {"d": {"a": 1}})) == list(resolve("d['a']", {"d": {"a": 1}}))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("nosuch", "there is no variable 'nosuch'"),
        ("x[", "not a valid list of Python expressions"),
        ("x['k']", "x\\['k'\\]: KeyError: 'k'"),
        ("1/0", "ZeroDivisionError"),
    ],
)
def test_what_cannot_be_evaluated_is_named(text, told):
    """The expression and what Python says of it, in one line."""
    with pytest.raises(AttachmentError, match=told):
        resolve(text, {"x": {}})


def test_names_are_made_of_the_expression():
    """What can't be in a file's name is left out; equal names are told apart."""
    assert stem("orders[['id', 'total']]") == "orders_id_total"
    assert stem("con") == "_con"
    files = [part.file_name for part in gather(None, {"a.b": "x", "a_b": "y", "A_B": "z"})]
    assert files == ["a_b.txt", "a_b-2.txt", "A_B-3.txt"]


@given(st.lists(st.text(min_size=1, max_size=300), min_size=1, max_size=5))
@example(["\N{NO-BREAK SPACE}"])
def test_any_name_becomes_one_that_is_taken(wanted):
    """Whatever a file is called, its name is safe, and unique also without case."""
    names = Names()
    found = [names.unique(safe(name)) for name in wanted]
    assert len({name.casefold() for name in found}) == len(found)
    assert normalize_attachments([{"fileName": name, "content": b"x"} for name in found])
    assert not any(set(name) & set('/\\:*?"<>|') for name in found)


PASSWORD = "k9Qz7wLp42"
GIVING_AWAY = [
    f"load('ana', password='{PASSWORD}')",
    f"load(auth=('ana', '{PASSWORD}'))",
    f"load('postgresql://ana:{PASSWORD}@db/x')",
    f"db['ana:{PASSWORD}']",
    f"db[b'{PASSWORD}']",
    f"db[f'{PASSWORD}']",
    f"db['{PASSWORD} ']",
    f"'{PASSWORD}'",
    f"lambda: '{PASSWORD}'",
    f"[x for x in db if x == '{PASSWORD}']",
    f"db.get('{PASSWORD}').rows",
    f"db['rows'].query('p == \"{PASSWORD}\"')",
    f"(db := load('{PASSWORD}'))",
    f"-db['{PASSWORD}!']",
    f"no python '{PASSWORD}'",
    "cards[4012888888881881]",
]


@pytest.mark.parametrize("expression", GIVING_AWAY)
@pytest.mark.parametrize(
    "value", [{"rows": [1]}, pd.DataFrame({"a": [1]}), "text", b"\x00", pd.Series([1, 2])], ids=str
)
def test_an_expression_that_may_hold_a_password_names_nothing(expression, value):
    """Neither a file, nor what is said of it in the profile, nor what the ledger keeps."""
    parts = gather("x = 1", {expression: value})
    shown = repr([(part.file_name, part.content, part.record()) for part in parts])
    assert "attachment_1" in shown
    assert PASSWORD not in shown
    assert "4012888888881881" not in shown


def test_plain_names_stay_as_they_are():
    """A name, an attribute, a subscript by words and numbers, a label of words: also where others are numbered."""
    plain = {"orders": "orders", "a.b": "a_b", "d['a']": "d_a", "orders[['id', 'total']]": "orders_id_total"}
    plain |= {
        "x[0:1]": "x_0_1",
        "x[-1]": "x_1",
        "--figure": "figure",
        "table_1": "table_1",
        "last quarter": "last_quarter",
    }
    for name, expected in plain.items():
        (part,) = gather(None, {name: "text"})
        assert part.file_name == f"{expected}.txt"
    files = [part.file_name for part in gather(None, {"f(1)": "a", "attachment_1": "b", "f(2)": "c", "orders": "d"})]
    assert files == ["attachment_2.txt", "attachment_1.txt", "attachment_3.txt", "orders.txt"]


@settings(deadline=None)
@given(st.text(max_size=40))
def test_no_text_within_quotes_is_ever_plain(text):
    """Unless it is an identifier; whatever else stands around it."""
    for expression in (f"d[{text!r}]", f"f({text!r})", f"d[0][{text!r}].a", f"d[{text!r}, 1]", f"({text!r})"):
        assert not is_plain(expression) or (text.isidentifier() and "(" not in expression)


@pytest.mark.parametrize("name", ["con", "COM1.txt", "com¹.txt", "LPT²", "CONIN$", "conout$.csv", "nul .txt", "aux"])
def test_names_that_windows_keeps_to_itself_are_changed(name):
    """Devices are no files there, whatever comes after the dot."""
    assert safe(name) == f"_{name}"
