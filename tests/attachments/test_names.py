"""Expressions to attach, and file names made of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codevf_nb.attachments import AttachmentError, gather, resolve
from codevf_nb.attachments.names import Names, safe, stem
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
        ("x[", "no list of Python expressions"),
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
def test_any_name_becomes_one_that_is_taken(wanted):
    """Whatever a file is called, its name is safe, and unique also without case."""
    names = Names()
    found = [names.unique(safe(name)) for name in wanted]
    assert len({name.casefold() for name in found}) == len(found)
    assert normalize_attachments([{"fileName": name, "content": b"x"} for name in found])
    assert not any(set(name) & set('/\\:*?"<>|') for name in found)
