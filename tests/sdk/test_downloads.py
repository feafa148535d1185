"""Deliverables: a foreign address and a foreign name, neither of them trusted."""

import os
import stat

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from codevf_nb.sdk import CodeVFClient, DownloadError, TaskDeliverable
from codevf_nb.sdk.downloads import safe_file_name
from tests.sdk.conftest import KEY

patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def deliverable(service, name="review.md", path="files/review.md"):
    return TaskDeliverable(name, service.base_url + path)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "answers"


@pytest.fixture
def other(client, service):
    """A client of another service: the files' host is foreign to it."""
    return CodeVFClient(KEY, "http://127.0.0.1:9/")


def test_a_file_arrives_under_its_name(client, service, folder):
    """The bytes are stored in the folder, which is made, and the key goes to the API's own host."""
    service.answers(service.reply(b"# Review\n"))
    path = client.tasks.download(deliverable(service), folder)
    assert path == folder / "review.md"
    assert path.read_bytes() == b"# Review\n"
    assert service.requests[0].headers["Authorization"] == f"Bearer {KEY}"
    assert names(folder) == ["review.md"]


def test_another_host_never_sees_the_key(other, service, folder, own_home, monkeypatch):
    """Neither the key nor a ~/.netrc entry is sent to a host that is not the API's."""
    (own_home / ".netrc").write_text("machine 127.0.0.1 login thief password stolen\n")
    monkeypatch.setenv("NETRC", str(own_home / ".netrc"))
    service.answers(service.reply(b"x"))
    other.tasks.download(deliverable(service), folder)
    assert "Authorization" not in service.requests[0].headers


@pytest.mark.parametrize("name", ["con", "COM1", "COM¹.txt", "LPT²", "CONIN$", "CONOUT$", "conout$.a.b", "nul .txt"])
def test_names_that_windows_keeps_to_itself_are_changed(name):
    """Devices are no files there, whatever comes after the dot."""
    assert safe_file_name(name) == f"_{name}"


@pytest.mark.parametrize(
    "name",
    [
        "../up.md",
        "/etc/passwd",
        r"..\..\up.md",
        "C:\\up.md",
        "a/b/c.md",
        "..",
        ".",
        "",
        "\0",
        "a\0b",
        "x" * 500 + ".md",
        "con",
        "NUL.txt",
        "a:b",
        "\u202emd.exe",
    ],
)
def test_no_name_leaves_the_folder(client, service, folder, name):
    """Whatever a deliverable is called, one file appears, directly in the folder."""
    service.answers(service.reply(b"x"))
    path = client.tasks.download(deliverable(service, name), folder)
    assert path.parent == folder
    assert names(folder) == [path.name]
    assert names(folder.parent) == sorted({"answers", "home"})


@patient
@given(st.text())
def test_any_name_becomes_a_name(name):
    """A safe name has no separators or control characters, is not long, and is not a name for a folder."""
    safe = safe_file_name(name)
    assert safe not in {"", ".", ".."}
    assert not set(safe) & set('/\\\0:<>"|?*')
    assert len(safe.encode()) <= 255
    assert safe_file_name(safe) == safe or len(name.encode()) > 150


def test_nothing_is_overwritten_unasked(client, service, folder):
    """A file that is there stays as it is, also a link; asked for, it is replaced whole."""
    folder.mkdir()
    (folder / "review.md").write_text("mine")
    service.answers(service.reply(b"theirs"))
    with pytest.raises(DownloadError, match="overwrite=True"):
        client.tasks.download(deliverable(service), folder)
    assert service.requests == []
    assert (folder / "review.md").read_text() == "mine"
    client.tasks.download(deliverable(service), folder, overwrite=True)
    assert (folder / "review.md").read_text() == "theirs"


def test_a_link_is_replaced_not_followed(client, service, folder, tmp_path):
    """Overwriting a link leaves what it pointed to untouched."""
    folder.mkdir()
    (tmp_path / "target").write_text("mine")
    (folder / "review.md").symlink_to(tmp_path / "target")
    service.answers(service.reply(b"theirs"))
    with pytest.raises(DownloadError):
        client.tasks.download(deliverable(service), folder)
    client.tasks.download(deliverable(service), folder, overwrite=True)
    assert (tmp_path / "target").read_text() == "mine"
    assert not (folder / "review.md").is_symlink()


def test_a_file_past_the_limit_leaves_nothing(client, service, folder):
    """The limit is exact, and a file that passes it leaves no part behind."""
    service.answers(service.reply(b"x" * 101))
    with pytest.raises(DownloadError, match="more than 100 bytes"):
        client.tasks.download(deliverable(service), folder, max_bytes=100)
    assert names(folder) == []
    service.answers(service.reply(b"x" * 100))
    assert client.tasks.download(deliverable(service), folder, max_bytes=100).stat().st_size == 100


@pytest.mark.parametrize("overwrite", [True, False])
@pytest.mark.parametrize("fault", ["404", "truncated", "dropped", "drip"])
def test_a_failed_download_leaves_the_folder_as_it_was(client, service, folder, fault, overwrite):
    """An error is one line, and an older file survives."""
    folder.mkdir()
    if overwrite:
        (folder / "review.md").write_text("mine")
    faults = {
        "truncated": service.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf"),
        "dropped": service.raw(b""),
        "drip": service.drip(b"HTTP/1.1 200 OK\r\n\r\n"),
    }
    service.answers(faults.get(fault) or service.reply(b"gone", 404))
    with pytest.raises(DownloadError, match=r"review\.md"):
        client.tasks.download(deliverable(service), folder, overwrite=overwrite, timeout=0.2)
    assert names(folder) == (["review.md"] if overwrite else [])
    assert not overwrite or (folder / "review.md").read_text() == "mine"


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/a",
        "ftp://127.0.0.1/a",
        "file:///etc/passwd",
        "",
        "a.md",
        "https://",
        "http://[bad/",
        "//x/a",
    ],
)
def test_only_https_or_this_machine_is_fetched(client, folder, url):
    """Other addresses are refused before anything is opened."""
    with pytest.raises(DownloadError, match="https"):
        client.tasks.download(TaskDeliverable("a.md", url), folder)
    assert not folder.exists()


def test_a_redirect_is_checked_like_the_address_itself(client, service, folder):
    """Redirects are followed to allowed addresses only, and not for ever."""
    service.answers(service.reply(None, 302, Location="/files/b"), service.reply(b"x"))
    assert client.tasks.download(deliverable(service), folder).read_bytes() == b"x"
    service.answers(service.reply(None, 302, Location="http://example.com/b"))
    with pytest.raises(DownloadError, match="https"):
        client.tasks.download(deliverable(service, "b.md"), folder)
    service.answers(service.reply(None, 302, Location="/round"))
    with pytest.raises(DownloadError, match="redirects more than"):
        client.tasks.download(deliverable(service, "b.md"), folder)
    assert names(folder) == ["review.md"]


def test_an_expired_address_says_what_to_do(client, service, folder):
    """An address that is gone is often an old one: ask for the task again."""
    service.answers(service.reply(b"", 403))
    with pytest.raises(DownloadError, match="retrieve the task again"):
        client.tasks.download(deliverable(service), folder)


def test_a_folder_that_cannot_be_written_is_named(client, service, tmp_path):
    """A file where the folder should be is one line, and nothing is fetched."""
    (tmp_path / "taken").write_text("")
    with pytest.raises(DownloadError, match="can't be written"):
        client.tasks.download(deliverable(service), tmp_path / "taken")
    assert service.requests == []


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:{}/x",
        "https://127.0.0.1:{}/x",
        "https://localhost:{}/x",
        "https://a.localhost:{}/x",
        "https://0.0.0.0:{}/x",
        "https://[::ffff:127.0.0.1]:{}/x",
        "https://2130706433:{}/x",
        r"http://127.0.0.1:{}/\@localhost/x",
        r"https://files.example\@127.0.0.1:{}/x",
    ],
)
def test_a_service_elsewhere_names_no_file_of_this_machine(service, folder, address):
    """An address of this machine is fetched only where the service itself is on this machine."""
    service.answers(service.reply(b"a local secret"))
    live = CodeVFClient("cvf_live_" + "a" * 16, "https://codevf.com/api/v1/")
    port = service.base_url.split(":")[2].split("/")[0]
    with pytest.raises(DownloadError, match="not fetched"):
        live.tasks.download(TaskDeliverable("x.txt", address.format(port)), folder)
    assert service.requests == []
    assert not folder.exists()


def test_a_redirect_to_an_odd_address_is_not_followed(client, service, folder):
    """What a redirect names is read as strictly as the address of the file itself."""
    service.answers(service.reply(b"", 302, Location=r"http://127.0.0.2\@localhost/x"))
    with pytest.raises(DownloadError, match="not fetched"):
        client.tasks.download(deliverable(service), folder)
    assert len(service.requests) == 1


NAMES = st.text(st.sampled_from("aAéE\u0301.-2/:\0 "), max_size=5) | st.sampled_from(
    ["fix.patch", "FIX.patch", "fix-2.patch"]
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(found=st.lists(st.tuples(NAMES, st.booleans()), max_size=6))
def test_all_are_saved_whatever_one_of_them_does(client, service, tmp_path_factory, found):
    """Of any names: each file that is to be had is there, under a name of its own, and a repeat finds the same."""
    folder = tmp_path_factory.mktemp("answer")
    files = [TaskDeliverable(name, f"{service.base_url}files/{number}") for number, (name, _) in enumerate(found)]
    contents = [f"file {number}".encode() for number, (_, works) in enumerate(found) if works]
    replies = [
        service.reply(f"file {number}".encode() if works else b"gone", 200 if works else 404)
        for number, (_, works) in enumerate(found)
    ]

    def save(**options):
        service.answers(*replies, service.reply(b"", 500))
        if all(works for _, works in found):
            return client.tasks.download_all(files, folder, **options)
        with pytest.raises(DownloadError) as caught:
            client.tasks.download_all(files, folder, **options)
        assert str(caught.value).count("status 404") == len(found) - len(contents)
        return caught.value.saved

    saved = save()
    assert [path.read_bytes() for path in saved] == contents
    assert len({path.name.casefold() for path in saved}) == len(saved)
    assert names(folder) == sorted(path.name for path in saved)
    assert save() == save(overwrite=True) == saved


def test_files_have_the_rights_of_any_new_file(client, service, folder):
    """The umask decides who may read them."""
    service.answers(service.reply(b"x"))
    before = os.umask(0o027)
    try:
        path = client.tasks.download(deliverable(service), folder)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_each_request_with_the_key_takes_its_turn(client, other, service, folder):
    """Also those that a redirect makes; what goes elsewhere, without the key, needs none."""
    turns, heard = [], []
    hooks = {"before_attempt": turns.append, "on_answer": heard.append, "overwrite": True}
    moved = service.reply(b"", 302, Location=service.base_url + "files/there.md")
    service.answers(moved, service.reply(b"x"), service.reply(b"", 429))
    client.tasks.download_all([deliverable(service)], folder, **hooks)
    assert [turn.path for turn in turns] == ["/api/v1/files/review.md", "/api/v1/files/there.md"]
    with pytest.raises(DownloadError, match="status 429"):
        client.tasks.download_all([deliverable(service)], folder, **hooks)
    assert [answer.status for answer in heard] == [302, 200, 429]
    service.answers(service.reply(b"x"))
    other.tasks.download_all([deliverable(service)], folder, **hooks)
    assert (len(turns), len(heard)) == (3, 3)
