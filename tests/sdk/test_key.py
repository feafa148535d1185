"""The key stays with the service it is for, and shows itself to nobody who only looks."""

import copy
import logging
import pickle
import threading
import traceback

import pytest

from codevf_nb.sdk import (
    APIError,
    AuthenticationError,
    CodeVFClient,
    CodeVFError,
    ConfigurationError,
)
from tests.sdk.conftest import KEY

QUESTION = ("Is this join dropping rows?", 240, 123)


def everything_shown(error: BaseException) -> str:
    """All that a verbose traceback shows: the chain, each frame's locals, the error's own attributes."""
    inner = error.__traceback__.tb_next  # without the test's own frame, which knows the key
    rendered = traceback.TracebackException(type(error), error, inner, capture_locals=True)
    return "".join(rendered.format()) + repr(vars(error)) + repr(error.__context__) + repr(error.__cause__)


@pytest.mark.parametrize("fault", ["refused", "silent", "dropped", "401", "echo", "500", "redirect", "no id", "drip"])
def test_no_traceback_shows_the_key(service, time, fault, caplog):
    """However a call fails, neither the error, its chain, its frames' locals nor the log hold the key."""
    caplog.set_level(logging.DEBUG)
    echo = {"error": {"code": "UNAUTHORIZED", "message": f"Bad header: Bearer {KEY}"}, "seen": KEY}
    faults = {
        "silent": service.silence(),
        "dropped": service.raw(b""),
        "drip": service.drip(b"HTTP/1.1 200 OK\r\n\r\n"),
        "401": service.reply({}, 401),
        "echo": service.reply(echo, 401),
        "500": service.reply({}, 500),
        "redirect": service.reply(None, 301, Location="http://example.invalid/"),
        "no id": service.reply({"echo": KEY}),
    }
    service.answers(faults.get(fault) or service.reply({}))
    url = "http://127.0.0.1:9/" if fault == "refused" else service.base_url
    timeout = 0.2 if fault in {"silent", "drip"} else 60
    client = CodeVFClient(KEY, url, timeout, 1, sleep=time.sleep)
    with pytest.raises(CodeVFError) as caught:
        client.tasks.create(*QUESTION)
    shown = everything_shown(caught.value) + caplog.text + repr(client) + str(vars(client))
    assert KEY not in shown


def test_ctrl_c_on_the_wire_shows_no_key(service, monkeypatch):
    """A KeyboardInterrupt deep in the HTTP library arrives as itself, without the frames that hold the header."""
    service.answers(service.reply({}))

    def interrupted(*_: object, **__: object) -> None:
        header = f"Bearer {KEY}"
        raise KeyboardInterrupt(len(header))

    monkeypatch.setattr("requests.Session.request", interrupted)
    with pytest.raises(KeyboardInterrupt) as caught:
        CodeVFClient(KEY, service.base_url).tags.list()
    assert KEY not in everything_shown(caught.value)


@pytest.mark.parametrize("bad", ["\n", "\r\n", " ", "\t", "\0", "é", "\u200b", "\x7f"])
@pytest.mark.parametrize("place", ["end", "start", "middle"])
def test_a_key_that_cannot_stand_in_a_header_is_refused(bad, place, monkeypatch):
    """Control characters, blanks and foreign letters are named by position; the key is shown nowhere."""
    broken = {"end": KEY + bad, "start": bad + KEY, "middle": KEY[:12] + bad + KEY[12:]}[place]
    monkeypatch.setenv("CODEVF_API_KEY", broken) if bad != "\0" else None
    with pytest.raises(AuthenticationError, match="position") as caught:
        CodeVFClient(broken if bad == "\0" else None)
    assert caught.value.status_code is None
    assert "\n" not in str(caught.value)
    rendered = "".join(
        traceback.TracebackException(
            type(caught.value), caught.value, caught.value.__traceback__.tb_next, capture_locals=True
        ).format()
    )
    assert KEY[12:] not in rendered


@pytest.mark.parametrize("key", [None, ""])
def test_no_key_at_all_says_where_one_goes(key):
    """Without a key nothing can be asked, and the line says how to give one."""
    with pytest.raises(AuthenticationError, match="CODEVF_API_KEY"):
        CodeVFClient(key)


@pytest.mark.parametrize(
    "url",
    [
        "http://codevf.com/api/v1/",
        "http://127.0.0.1.example.com/",
        "http://localhost.example.com/",
        "ftp://127.0.0.1/",
        "codevf.com",
        "https://",
        "https://user:pass@codevf.com/",
        "https://codevf.com/?key=1",
        "https://codevf.com/ api",
        "https://codevf.com\n.evil.com/",
    ],
)
def test_a_base_url_that_would_betray_the_key_is_refused(url):
    """Plain http to another machine, user names and odd addresses are refused before a connection."""
    with pytest.raises(ConfigurationError):
        CodeVFClient(KEY, url)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1/x", "http://localhost:1", "http://[::1]:1/", "https://codevf.com/api"]
)
def test_loopback_and_https_are_taken(url):
    """This machine over http, any host over https; the slash at the end is added."""
    assert CodeVFClient(KEY, url).base_url == (url if url.endswith("/") else f"{url}/")


LIVE = "cvf_live_" + "a" * 16


@pytest.mark.parametrize("url", ["https://codevf.com/api/v1/", "https://EU.CodeVF.com/", "https://proxy.example.com/x"])
@pytest.mark.parametrize("key", [LIVE, "a-key-of-no-kind"])
def test_a_live_key_goes_to_hosts_that_are_codevfs_or_named(key, url):
    """CodeVF's own hosts, and those that the caller names, in any case of their letters."""
    assert CodeVFClient(key, url, allowed_hosts=["Proxy.Example.com"]).base_url.startswith("https://")


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://evil.example/", ()),
        ("https://notcodevf.com/", ()),
        ("https://codevf.com.evil.example/", ()),
        (r"https://evil.example\.codevf.com/api/v1/", ()),
        ("https://127.0.0.1/", ()),
        ("http://127.0.0.1:8765/", ["127.0.0.1"]),
        ("https://sub.proxy.example.com/", ["proxy.example.com"]),
        ("https://example.com/", "proxy.example.com"),
        ("https://codevf.com/", "proxy.example.com"),
    ],
)
@pytest.mark.parametrize("key", [LIVE, "a-key-of-no-kind"])
def test_a_live_key_goes_nowhere_else(key, url, allowed):
    """Any other host is refused when the client is made, without the key in the message; a text is no list."""
    with pytest.raises(ConfigurationError) as refused:
        CodeVFClient(key, url, allowed_hosts=allowed)
    assert key not in str(refused.value)
    assert "\n" not in str(refused.value)


def test_key_and_address_come_from_the_environment(service, monkeypatch):
    """CODEVF_API_KEY and CODEVF_BASE_URL are used where nothing is given."""
    monkeypatch.setenv("CODEVF_API_KEY", KEY)
    monkeypatch.setenv("CODEVF_BASE_URL", service.base_url)
    service.answers(service.reply({"available": 1}))
    CodeVFClient().credits.get_balance()
    assert service.requests[0].headers["Authorization"] == f"Bearer {KEY}"


def test_netrc_does_not_replace_the_key(service, own_home, monkeypatch):
    """A ~/.netrc entry for the host changes nothing about the header."""
    (own_home / ".netrc").write_text("machine 127.0.0.1 login thief password stolen\n")
    (own_home / ".netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(own_home / ".netrc"))
    service.answers(service.reply({"available": 1}))
    CodeVFClient(KEY, service.base_url).credits.get_balance()
    assert service.requests[0].headers["Authorization"] == f"Bearer {KEY}"


def test_a_proxy_from_the_environment_is_not_used_for_this_machine(service, monkeypatch):
    """The key must not leave the machine in plain text: loopback is talked to directly."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("all_proxy", "http://127.0.0.1:9")
    service.answers(service.reply({"available": 1}))
    assert CodeVFClient(KEY, service.base_url).credits.get_balance().available == 1


def test_a_proxy_from_the_environment_is_used_for_others(service, monkeypatch, time):
    """An https service is reached through the proxy that the environment names, by CONNECT, without the key."""
    monkeypatch.setenv("https_proxy", service.base_url.removesuffix("api/v1/"))
    monkeypatch.setenv("no_proxy", "")
    seen = threading.Event()

    def tunnel(handler):
        seen.set()
        service.reply({}, 403)(handler)

    service.answers(tunnel)
    service.handler.do_CONNECT = service.handler.answer
    with pytest.raises(CodeVFError) as caught:
        CodeVFClient(KEY, "https://codevf.example/", max_retries=0).tags.list()
    assert seen.is_set()
    assert "Authorization" not in service.requests[0].headers
    assert not caught.value.sent


def test_cookies_are_not_kept(service):
    """A cookie that the service sets is not sent back."""
    service.answers(service.reply({"available": 1}, Set_Cookie="a=b; Path=/"))
    client = CodeVFClient(KEY, service.base_url)
    client.credits.get_balance()
    client.credits.get_balance()
    assert "Cookie" not in service.requests[1].headers


def test_a_client_shows_a_masked_key_and_is_not_stored():
    """The repr is masked, and a key is not pickled along with its client."""
    client = CodeVFClient(KEY)
    assert repr(client) == "CodeVFClient(api_key='cvf_test_…', base_url='https://codevf.com/api/v1/')"
    for store in (pickle.dumps, copy.copy):
        with pytest.raises(TypeError):
            store(client._secret)


def test_logs_hold_neither_prompt_nor_attachments(service, created, caplog):
    """At INFO nothing of what is asked is logged; at DEBUG methods, paths, statuses and sizes."""
    service.answers(service.reply({}, 500), service.reply(created))
    caplog.set_level(logging.DEBUG)
    client = CodeVFClient(KEY, service.base_url, sleep=lambda _: None)
    client.tasks.create("The secret of the join", 240, 1, attachments=[("plan.txt", "hidden words")])
    assert "POST tasks/create attempt 2" in caplog.text
    for word in ("secret", "hidden", "plan.txt"):
        assert word not in caplog.text
    at_info = [record for record in caplog.records if record.levelno >= logging.INFO]
    assert [record.args[-1] for record in at_info] == ["ServerError"]


@pytest.mark.parametrize(
    "settings",
    [{"timeout": 0}, {"timeout": float("nan")}, {"timeout": "60"}, {"max_retries": -1}, {"max_retries": 1.5}],
)
def test_settings_that_make_no_sense_are_refused(settings):
    """A timeout or a number of retries that can't be used is named."""
    with pytest.raises(ConfigurationError, match=next(iter(settings))):
        CodeVFClient(KEY, **settings)


def test_an_error_that_quotes_another_key_hides_it(service):
    """Any CodeVF key in the service's own words is shortened."""
    service.answers(service.reply({"error": {"message": "key cvf_live_abcdef is not cvf_test_xyz"}}, 400))
    with pytest.raises(APIError, match="key cvf_live_… is not cvf_test_…"):
        CodeVFClient(KEY, service.base_url).tags.list()
