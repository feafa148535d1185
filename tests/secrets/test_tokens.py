"""Every kind of token is found by its form, wherever a person would read one."""

import html
import json
import urllib.parse

import pytest

from codevf_nb.privacy._scanner import secrets_at
from codevf_nb.privacy._secret_formats import KINDS
from tests.secrets.formats import FORMATS, URLS
from tests.secrets.made import shape, spelled

SHAPES = [(name, one) for name, (shapes, _) in FORMATS.items() for one in shapes]
IN_A_PLACE_ONLY = {"an Azure signed URL"}  # a signature alone, without the URL it signs, may be anything


def found_in(text: str) -> set[str]:
    return {what for what, _ in secrets_at(text.encode())}


def test_every_kind_has_an_example_and_a_source():
    """A row that is added without a shape to try it with fails here, and so does a shape without a row."""
    assert {kind.name for kind in KINDS} == set(FORMATS)
    assert all(kind.source for kind in KINDS)
    matched = {
        kind for kind in KINDS for name, one in SHAPES if name == kind.name and kind.pattern.search(shape(one).encode())
    }
    assert [kind.name for kind in KINDS if kind not in matched] == []


@pytest.mark.parametrize(("name", "one"), SHAPES)
def test_a_token_is_found_in_quotes_and_where_it_usually_is(name, one):
    """In an assignment that says nothing, and in the URL, header or setting of its service."""
    for seed in range(3):
        token = shape(one, seed)
        place = FORMATS[name][1].replace("{}", token, 1)
        assert name in found_in(place)
        if name not in IN_A_PLACE_ONLY:
            assert name in found_in(f'val = "{token}"')


@pytest.mark.parametrize("line", URLS)
def test_a_url_with_a_password_or_a_token_is_found(line):
    """Of databases, web pages and repositories; also with signs in the password, or percent-encoded."""
    assert "a URL with a password" in found_in(f"x = '{spelled(line)}'")
    assert "a URL with a password" in found_in(f"see <{spelled(line)}> for more")


AROUND = {
    "after a slash": "https://api.corp.de/x/{}",
    "in a clone URL": "git+https://{}@github.com/u/r.git",
    "after _": "old_{}",
    "after -": "proj-{}",
    "after +": "'a'+{}",
    "after =": "x={}&y=1",
    "after %3D": "a%3D{}",
    "after %20": "Bearer%20{}",
    "after %253D": "a%253D{}",
    "before /": "{}/x",
    "before _": "{}_old",
    "before -": "{}-old",
    "before +": "{}+'a'",
    "before %20": "{}%20x",
    "after a line break in JSON": r"line one\n{}",
    "after a tab in JSON": r"line one\t{}",
    "before a line break in JSON": r"{}\nline two",
    "after a line break in JSON in JSON": r"line one\\n{}",
    "after a colour": "\x1b[0;32m{}\x1b[0m",
    "after a colour in JSON": r"\u001b[0;32m{}\u001b[0m",
    "in doubled quotes": '1,"{""x"": ""{}""}",2',
    "in escaped quotes": r"{\"x\": \"{}\"}",
    "in a page, quoted": "x=&#x27;{}&#x27;",
    "in a page": "x=&quot;{}&quot;",
    "in an element": "<td>{}</td>",
    "in backticks": "`{}`",
    "in brackets": "[{}](x)",
    "at the end of a sentence": "it is {}.",
}
# Alphabets that hold the sign themselves: there the token is longer, and found all the same, or its end can't be known.
PLAIN = [(name, one) for name, one in SHAPES if not set(" \"'%") & set(shape(one)) and name not in IN_A_PLACE_ONLY]


@pytest.mark.parametrize("place", AROUND)
def test_a_token_is_found_at_any_boundary(place):
    """At each edge that a person sees: signs, escapes of JSON, URLs, HTML and CSV, and a terminal's colours."""
    missed = [
        (name, one)
        for name, one in PLAIN
        if name not in found_in("x " + AROUND[place].replace("{}", shape(one)) + " y")
    ]
    assert missed == []


@pytest.mark.parametrize(
    "escaped",
    [
        json.dumps,
        lambda text: json.dumps(json.dumps(text)),
        html.escape,
        urllib.parse.quote,
        lambda text: text.encode("unicode_escape").decode(),
    ],
    ids=["json", "json in json", "html", "url", "unicode_escape"],
)
def test_a_token_is_found_in_a_text_that_is_escaped(escaped):
    """The whole text as it is stored elsewhere, at any depth."""
    for name, one in SHAPES:
        text = f"a line\n\x1b[0;31m{FORMATS[name][1].replace('{}', shape(one), 1)}\x1b[0m\n"
        assert name in found_in(escaped(text)), (name, escaped(text))


def test_the_place_of_what_is_found_is_right_in_escaped_text():
    """So that line and column in the message are those of the file."""
    token = shape("ghp_<L36>")
    text = 'a\n{"x": "one\\n\\u001b[0;31m' + token + '\\u001b[0m"}\nb\n'
    assert [at for what, at in secrets_at(text.encode()) if what == "a GitHub token"] == [text.index(token)]


def test_a_piece_of_base64_is_no_token():
    """A picture holds every short text once it is large enough, at its slashes too."""
    blob = shape("<L200>") + "/" + shape("AKIA<Q16>") + "/" + shape("<L200>")
    assert found_in(f'"image/png": "{blob}"') == set()
    assert "an AWS access key" in found_in("/content/drive/MyDrive/projects/customers/" + shape("AKIA<Q16>"))
