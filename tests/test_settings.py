"""Which account a kernel talks to, and where a key may go."""

import json
import subprocess
import sys
from hashlib import sha256

import pytest

from codevf_nb.accounts import credentials, settings
from codevf_nb.sdk.addresses import Address
from codevf_nb.sdk.exceptions import AuthenticationError, ConfigurationError
from codevf_nb.sdk.secret import Secret


@pytest.mark.parametrize(
    ("api_key", "base_url", "environment"),
    [
        ("cvf_live_a", "https://codevf.com/api/v1/", "live"),
        ("cvf_live_a", "https://eu.codevf.com/api/v1", "live"),
        ("cvf_test_a", "https://codevf.com/api/v1/", "test"),
        ("cvf_test_a", "http://127.0.0.1:8765/api/v1/", "sandbox"),
        ("cvf_test_a", "http://localhost:8765/api/v1/", "sandbox"),
        ("cvf_test_a", "http://[::1]:8765/api/v1/", "sandbox"),
    ],
)
def test_keys_go_where_they_may(api_key, base_url, environment):
    """Live and test keys go to CodeVF's hosts over https, test keys to this machine over http too."""
    assert settings.check_host(api_key, Address.parse(base_url)) == environment


@pytest.mark.parametrize(
    ("api_key", "base_url"),
    [
        ("cvf_live_a", "http://codevf.com/api/v1/"),
        ("cvf_live_a", "http://127.0.0.1:8765/api/v1/"),
        ("cvf_live_a", "https://127.0.0.1:8765/api/v1/"),
        ("cvf_live_a", "https://codevf.com.evil.example/api/v1/"),
        ("cvf_live_a", "https://notcodevf.com/api/v1/"),
        ("cvf_live_a", "https://codevf.com@evil.example/api/v1/"),
        ("cvf_test_a", "http://192.168.1.7/api/v1/"),
        ("cvf_test_a", "https://evil.example/api/v1/"),
        ("a-key-of-no-kind", "http://127.0.0.1:8765/api/v1/"),
        ("cvf_live_a", r"https://evil.example\.codevf.com/api/v1/"),
        ("cvf_live_a", "https://codevf.com./api/v1/"),
        ("cvf_live_a", "https://evil.example%2f.codevf.com/"),
        ("cvf_test_a", "http://127.1/api/v1/"),
        ("cvf_test_a", "http://2130706433/api/v1/"),
        ("cvf_test_a", "http://0.0.0.0/api/v1/"),
        ("cvf_test_a", "http://localhost./api/v1/"),
        ("cvf_test_a", "http://[::ffff:127.0.0.1]/api/v1/"),
    ],
)
def test_keys_go_nowhere_else(api_key, base_url, monkeypatch):
    """Any other host, and plain http, is refused before anything is sent, without the key in the message."""
    monkeypatch.setenv("CODEVF_API_KEY", api_key)
    monkeypatch.setenv("CODEVF_BASE_URL", base_url)
    with pytest.raises(AuthenticationError, match="Nothing was sent") as refused:
        settings.account_from_key()
    assert api_key not in str(refused.value)
    assert "\n" not in str(refused.value)


def test_another_host_must_be_named():
    """A host of one's own is let in by the settings file, in any case of its letters, and by nothing else."""
    (settings.home() / "settings.json").write_text(json.dumps({"hosts": ["Proxy.Example"]}))
    assert settings.check_host("cvf_live_a", Address.parse("https://PROXY.example/api/v1/")) == "live"
    with pytest.raises(AuthenticationError):
        settings.check_host("cvf_live_a", Address.parse("https://example/"))


@pytest.mark.parametrize(
    "hosts", ["api.partner.example.org", None, 5, {"a.example": 1}, ["https://a.example/"], [""], [7]]
)
def test_hosts_that_are_no_list_of_hosts_are_refused(hosts, monkeypatch):
    """A text would allow each part of it, so it is refused in one line, like everything else that lists no hosts."""
    (settings.home() / "settings.json").write_text(json.dumps({"hosts": hosts}))
    monkeypatch.setenv("CODEVF_API_KEY", "cvf_live_a")
    for base_url in ("https://org/", "https://partner/", "https://a.example/", "https://codevf.com/"):
        monkeypatch.setenv("CODEVF_BASE_URL", base_url)
        with pytest.raises(ConfigurationError, match=r'"hosts" in .*settings\.json.*Nothing was sent\.$') as refused:
            settings.account_from_key()
        assert "\n" not in str(refused.value)


def test_a_password_in_the_address_is_not_shown(monkeypatch):
    """An address that is refused is repeated without what may be a secret in it."""
    monkeypatch.setenv("CODEVF_API_KEY", "cvf_live_a")
    for base_url in (
        "https://user:hunter2@codevf.com/",
        "https://codevf.com/?key=hunter2",
        "https://codevf.com/#hunter2",
    ):
        monkeypatch.setenv("CODEVF_BASE_URL", base_url)
        with pytest.raises(AuthenticationError, match="CODEVF_BASE_URL") as refused:
            settings.account_from_key()
        assert "hunter2" not in str(refused.value)


def test_broken_settings_are_told():
    """A settings file that can't be read is named, not ignored."""
    (settings.home() / "settings.json").write_text("{")
    with pytest.raises(ConfigurationError, match=r"settings\.json"):
        settings.stored()
    (settings.home() / "settings.json").write_text("[]")
    with pytest.raises(ConfigurationError, match="list"):
        settings.stored()


def test_the_environment_goes_before_the_kept_key(monkeypatch):
    """CODEVF_API_KEY is used where it is set, else the kept one; the account says where its key came from."""
    credentials.save("cvf_test_kept", settings.home())
    monkeypatch.setenv("CODEVF_BASE_URL", "http://127.0.0.1:8765/api/v1")
    kept = settings.account_from_key()
    assert kept.api_key.reveal() == "cvf_test_kept"
    assert kept.source.endswith("credentials.json")
    monkeypatch.setenv("CODEVF_API_KEY", "cvf_test_named")
    named = settings.account_from_key()
    assert (named.api_key.reveal(), named.source) == ("cvf_test_named", "CODEVF_API_KEY")
    assert named.name != kept.name


def test_the_key_is_in_no_repr(monkeypatch):
    """An account can be printed; its credential tells nothing of the key."""
    monkeypatch.setenv("CODEVF_API_KEY", "cvf_test_secret")
    monkeypatch.setenv("CODEVF_BASE_URL", "http://127.0.0.1:8765/api/v1/")
    account = settings.account_from_key()
    assert "secret" not in repr(account) + account.credential + account.name
    assert account.origin == account.base_url


def test_the_same_key_is_the_same_account_on_every_machine(monkeypatch):
    """The account's name depends on key and address alone, so that the same question has the same key everywhere."""
    monkeypatch.setenv("CODEVF_API_KEY", "cvf_live_a")
    first = settings.account_from_key()
    assert first.name == "live-" + sha256(f"https://codevf.com/api/v1/ {first.credential}".encode()).hexdigest()[:6]
    for spelling in ("https://codevf.com/api/v1", "HTTPS://CodeVF.com:443/api/v1//", "https://CODEVF.COM:0443/api/v1/"):
        monkeypatch.setenv("CODEVF_BASE_URL", spelling)
        assert settings.account_from_key() == first


def test_the_home_is_private(tmp_path, monkeypatch):
    """A home that had to be made is the user's alone."""
    monkeypatch.setenv("CODEVF_NB_HOME", str(tmp_path / "deep" / "home"))
    assert settings.home().stat().st_mode & 0o777 == 0o700


def test_a_relative_home_is_refused(monkeypatch, tmp_path):
    """Another working folder would be another ledger, so the name in full is asked for, and nothing is made."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CODEVF_NB_HOME", "data")
    with pytest.raises(ConfigurationError, match=r"'data', which depends on the working folder.*/data\."):
        settings.home()
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    "content", [b'["x"]', b"null", b'{"api_key": 5}', b'{"api_key": " "}', b"{}", b"", b"\xff", b"[" * 100_000]
)
def test_odd_credentials_are_one_line(content):
    """What a key can't be read from is named with what it should look like, and not shown; it can be forgotten."""
    path = settings.home() / "credentials.json"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(ConfigurationError, match=r"credentials\.json") as refused:
        credentials.load(settings.home())
    assert "\n" not in str(refused.value)
    assert credentials.forget(settings.home())
    assert credentials.load(settings.home()) is None


def test_credentials_of_an_editor_with_a_byte_order_mark():
    """A file that Notepad has saved is read."""
    path = settings.home() / "credentials.json"
    path.write_text('\ufeff{"api_key": "cvf_test_a"}', encoding="utf-8")
    path.chmod(0o600)
    assert credentials.load(settings.home()) == (Secret("cvf_test_a"), str(path))


def test_a_key_that_others_can_read():
    """It is used, with a warning that says how to keep it; a key that is saved is private from its first byte."""
    path = settings.home() / "credentials.json"
    path.write_text('{"api_key": "cvf_test_a"}')
    path.chmod(0o644)
    with pytest.warns(UserWarning, match=r"mode 0644\): chmod 600"):
        assert credentials.load(settings.home()) == (Secret("cvf_test_a"), str(path))
    with path.open() as before:
        credentials.save("cvf_test_b", settings.home())
        assert "cvf_test_b" not in before.read(), "what was readable to others never holds the new key"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in settings.home().iterdir()] == ["credentials.json"]


@pytest.mark.parametrize("content", [b"[" * 100_000, b"\xff", b'{"defaults": ["x"]}'])
def test_odd_settings_are_one_line(content):
    """Whatever the file holds, one line names it."""
    (settings.home() / "settings.json").write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"settings\.json") as refused:
        settings.stored()
    assert "\n" not in str(refused.value)


STORE = """
import sys
from codevf_nb.accounts import settings
for number in range(60):
    settings.store(**{f"{sys.argv[1]} {number}": number})
"""


def test_processes_that_store_settings_lose_none():
    """Three processes that store sixty settings each have stored all of them, and readers find a whole file always."""
    settings.store(hosts=["proxy.example"])
    writers = [subprocess.Popen([sys.executable, "-c", STORE, name]) for name in "abc"]
    while any(writer.poll() is None for writer in writers):
        assert settings.stored()["hosts"] == ["proxy.example"]
    assert [writer.returncode for writer in writers] == [0, 0, 0]
    assert len(settings.stored()) == 181
