"""Addresses: one spelling for each, and never another host than the one that was checked."""

import re
import string

import pytest
import requests
from hypothesis import example, given, settings
from hypothesis import strategies as st
from urllib3.util import parse_url

from codevf_nb.sdk.addresses import (
    Address,
    AddressError,
    masked_address,
    parse_hosts,
)

quick = settings(deadline=None, max_examples=200)
# Few of them, so that they meet often.
HOSTS = ("codevf.com", "eu.codevf.com", "evil.example", "localhost", "127.0.0.1", "[::1]", "xn--cdevf-jua.com")
PATHS = ("", "api/v1", "API/v1", "a-b/~c", "x")


def any_case(draw, text: str) -> str:
    return "".join(letter.upper() if draw(st.booleans()) else letter for letter in text)


@st.composite
def spellings(draw):
    """Two spellings of one address."""
    scheme, host, path = (
        draw(st.sampled_from(["http", "https"])),
        draw(st.sampled_from(HOSTS)),
        draw(st.sampled_from(PATHS)),
    )
    port = draw(st.sampled_from([None, 80, 443, 8765]))
    usual = port in (None, {"http": 80, "https": 443}[scheme])

    def spelled() -> str:
        ports = ["", ":", f":{port or {'http': 80, 'https': 443}[scheme]}"] if usual else [f":{port}", f":0{port}"]
        slashes = draw(st.sampled_from(["", "/", "//"]))
        return f"{any_case(draw, scheme)}://{any_case(draw, host)}{draw(st.sampled_from(ports))}/{path}{slashes}"

    return spelled(), spelled()


@given(spellings())
@quick
def test_one_address_has_one_spelling(pair):
    """Case, a default port and slashes at the end make no other address, and the canonical one reads as itself."""
    first, second = map(Address.parse, pair)
    assert first == second
    assert str(first) == str(second)
    assert str(first).endswith("/")
    assert Address.parse(str(first)) == first


def test_what_differs_stays_different():
    """Another scheme, host, port or path (its case too) is another address."""
    texts = [
        *("https://codevf.com/", "http://codevf.com/", "https://codevf.com:80/", "https://www.codevf.com/"),
        *("https://codevf.com/api", "https://codevf.com/API", "https://codevf.com/api/v1"),
    ]
    assert len({Address.parse(text) for text in texts}) == len(texts)


# What has made two parsers disagree, in places where it can.
ODD = (
    *"\\@#?%:;/.[]! \t\r\n\0\x7f",
    "\u3002",
    "\uff0e",
    "\u2100",
    "\xad",
    "\u200b",
    "%2f",
    "%00",
    "%40",
    "ſ",
    "K",
    "é",
    "0x",
    "//",
)
pieces = st.sampled_from([*HOSTS, *ODD, "https", "http", "://", "user", ":80", ":443", "api/v1/", "1", "127.1"])
hostile = st.lists(pieces, min_size=1, max_size=8).map(lambda parts: "https://" + "".join(parts))


def connects_to(url: str) -> tuple[str | None, str | None, int | None]:
    """What requests and urllib3 make of an address: where they would connect."""
    parsed = parse_url(str(requests.Request("GET", url).prepare().url))
    assert parsed.scheme in {"http", "https"}
    return parsed.scheme, (parsed.host or "").strip("[]"), parsed.port or {"http": 80, "https": 443}[parsed.scheme]


@given(hostile)
@example(r"https://evil.example\.codevf.com/api/v1/")
@example(r"https://127.0.0.2\@localhost/x")
@example("https://codevf.com@evil.example/")
@example("https://evil.example#@codevf.com/")
@example("https://evil.example?.codevf.com/")
@example("https://evil.example%2f.codevf.com/")
@example("https://codevf.com\u3002evil.example/")
@example("http\u017f://codevf.com/")
@example("https://[127.0.0.1]/")
@quick
def test_what_was_checked_is_what_is_connected_to(text):
    """Whatever is accepted, requests and urllib3 connect exactly there: as typed, and in the canonical spelling."""
    for read in (Address.parse, Address.link):
        try:
            address = read(text)
        except AddressError:
            continue
        assert re.fullmatch(r"[a-z0-9.-]+|[0-9a-f:.]+", address.host)
        assert connects_to(str(address)) == address.origin
        assert connects_to(text) == address.origin
        assert connects_to(f"{address}tags") == address.origin


@pytest.mark.parametrize(
    "text",
    [
        *("", "codevf.com", "//codevf.com/", "https:/codevf.com/", "https://", "https:///x", "ftp://codevf.com/"),
        *(" https://codevf.com/", "https://codevf.com/ ", "https://codevf.com/\n", "https://codevf.com/a b/"),
        *("https://user@codevf.com/", "https://u:p@codevf.com/", "https://@codevf.com/", "https://:p@codevf.com/"),
        *(r"https://codevf.com\x/", r"https://codevf.com/\x", "https:\\\\codevf.com/", "https://codevf.com/\0"),
        *("https://codevf.com/?a=b", "https://codevf.com/#a", "https://codevf.com/?", "https://codevf.com/#"),
        *("https://code%76f.com/", "https://codevf.com/a%2fb/", "https://cödevf.com/", "https://codevf.com/ö/"),
        *("https://codevf.com./", "https://.codevf.com/", "https://codevf..com/", "https://-codevf.com/"),
        *("https://codevf-.com/", "https://co_devf.com/", f"https://{'a' * 64}.com/", f"https://{'a.' * 126}com/"),
        *("https://codevf.com:0/", "https://codevf.com:65536/", "https://codevf.com:-1/", "https://codevf.com:8 0/"),
        *("https://codevf.com:٤٤٣/", "https://codevf.com:443:443/", "https://codevf.com:000443/", "https://codevf.com:x/"),
        *("https://127.1/", "https://2130706433/", "https://0x7f000001/", "https://0177.0.0.1/", "https://0x7f.0.0.1/"),
        *("https://127.0.0.1.1/", "https://a.127.0.0.256/", "https://0.0.0.0/", "https://[::]/", "https://127.0.0.1./"),
        *("https://[::ffff:127.0.0.1]/", "https://[::ffff:7f00:1]/", "https://[fe80::1%25eth0]/", "https://[::1/"),
        *("https://::1/", "https://[127.0.0.1]/", "https://[codevf.com]/", "https://[]/", "https://[::1]x/"),
        *("https://codevf.com//api/", "https://codevf.com/api/../x/", "https://codevf.com/./api/", "https://codevf.com/.."),
    ],
)  # fmt: skip
def test_what_is_no_address_of_a_service(text):
    """Anything with two readings, or with a part that a service's address hasn't, is refused in one line."""
    with pytest.raises(AddressError) as refused:
        Address.parse(text)
    assert "\n" not in str(refused.value)
    assert str(refused.value)[0].islower()


@pytest.mark.parametrize(
    ("host", "loopback", "this_machine"),
    [
        *((name, True, True) for name in ("localhost", "127.0.0.1", "127.255.255.254", "[::1]", "[0:0:0:0:0:0:0:1]")),
        *((name, False, True) for name in ("a.localhost", "localhost.localdomain")),
        *((name, False, False) for name in ("128.0.0.1", "126.255.255.255", "[::2]", "codevf.com", "notlocalhost")),
        *((name, False, False) for name in ("localhost.example", "notlocalhost.localdomain", "10.0.0.1")),
    ],
)
def test_this_machine(host, loopback, this_machine):
    """127.0.0.0/8, ::1 and localhost; names below localhost may be this machine, and no key goes there over http."""
    address = Address.parse(f"http://{host}/")
    assert (address.is_loopback, address.may_be_this_machine) == (loopback, this_machine)


@pytest.mark.parametrize(
    ("text", "mine"),
    [
        *((f"https://{host}/", True) for host in ("codevf.com", "EU.codevf.com", "a.b.codevf.com", "named.example")),
        *((f"https://{host}/", False) for host in ("notcodevf.com", "codevf.com.evil.example", "a.named.example")),
        *((f"https://{host}/", False) for host in ("xn--cdevf-jua.com", "com", "codevf.co", "[::1]")),
        *((f"http://{host}/", False) for host in ("codevf.com", "named.example", "localhost")),
    ],
)
def test_where_a_live_key_may_go(text, mine):
    """CodeVF's hosts and those that are named, over https."""
    assert Address.parse(text).may_have_live_key(parse_hosts(["Named.example"])) is mine


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("https://Files.example/A%20b.md?sig=a%2Fb#frag", "https://files.example/A%20b.md?sig=a%2Fb"),
        ("HTTPS://files.example:443", "https://files.example/"),
        ("https://files.example?sig=1", "https://files.example/?sig=1"),
        ("https://files.example/a b.md", "https://files.example/a b.md"),
        ("https://files.example/ä//../x", "https://files.example/ä//../x"),
        ("https://[2001:DB8::1]:8443/x", "https://[2001:db8::1]:8443/x"),
    ],
)
def test_the_address_of_a_file_keeps_its_path(text, kept):
    """A signed address is of no use when a letter of its path or query changes; only its host has one spelling."""
    assert str(Address.link(text)) == kept


@pytest.mark.parametrize(
    "given", [["a.example:443"], ["[::1"], ["a..b"], ["127.1"], [b"a.example"], b"a.example", ["a b"]]
)
def test_what_is_no_list_of_hosts(given):
    """Bare hosts in a list, nothing else."""
    with pytest.raises(AddressError, match=r"holds|must be a list"):
        parse_hosts(given)


def test_hosts_are_compared_as_addresses_have_them():
    """Upper case and the long form of an IPv6 address are the same host."""
    assert parse_hosts(("A.Example", "[0:0::1]", "10.0.0.1")) == {"a.example", "::1", "10.0.0.1"}


@given(st.text(string.ascii_letters + "/:.@", max_size=20))
@quick
def test_a_message_shows_no_password(text):
    """What stands before an @, after a ? or a # is left out of a message."""
    for address in ("https://hunter2@{}", "https://u:hun/ter2hunter2@{}", "https://{}?hunter2", "https://{}#hunter2"):
        assert "hunter2" not in masked_address(address.format(text))
    assert masked_address("https://codevf.com/x") == "'https://codevf.com/x'"
