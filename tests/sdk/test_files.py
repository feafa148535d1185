"""Attachments as people have them."""

import base64
import io
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from codevf_nb.sdk import (
    AttachmentLimitExceededError,
    AttachmentTooLargeError,
    BadRequestError,
    files,
    is_text_type,
    mime_type_for,
    normalize_attachments,
)

patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
PNG = b"\x89PNG\r\n\x1a\n\x00"
NAMES = st.sampled_from(["a.py", "a.csv", "a.bin", "a.ipynb", "a.png", "a.R", "a.parquet", "Makefile", "a"])


def received(attachment: dict) -> bytes:
    """The bytes that a service reads out of the API's form."""
    if is_text_type(attachment["mimeType"]):
        return attachment["content"].encode()
    return base64.b64decode(attachment["content"], validate=True)


@patient
@given(NAMES, st.binary() | st.text(st.characters(codec="utf-8")).map(str.encode))
def test_every_byte_arrives(name, content):
    """Text or binary, whatever the name: the service reads the bytes that were there, and their number."""
    (attachment,) = normalize_attachments([(name, content)])
    assert received(attachment) == content
    assert attachment["fileSize"] == len(content)
    assert attachment["fileName"] == name


@patient
@given(NAMES, st.binary() | st.text(st.characters(codec="utf-8")).map(str.encode))
def test_normalizing_twice_changes_nothing(name, content):
    """The API's form is itself a mapping that is taken."""
    once = normalize_attachments([(name, content)])
    assert normalize_attachments(once) == once


def test_all_the_ways_people_have_a_file(tmp_path):
    """A path, text that is a path, bytes, text, an open file, a pair, and both spellings of a mapping."""
    path = tmp_path / "join.py"
    path.write_text("x = 1\n")
    with path.open() as text, path.open("rb") as binary:
        assert [item["fileName"] for item in normalize_attachments([text, binary])] == ["join.py"] * 2
    path_form = {"fileName": "join.py", "mimeType": "text/x-python", "fileSize": 6, "content": "x = 1\n"}
    assert normalize_attachments([path, str(path)]) == [path_form, path_form]
    assert normalize_attachments(path) == [path_form]
    unnamed = normalize_attachments([b"\x00", "two\nlines", io.BytesIO(b"ab"), io.StringIO("ä")])
    assert [item["fileName"] for item in unnamed] == [
        "attachment-1.bin",
        "attachment-2.txt",
        "attachment-3.txt",
        "attachment-4.txt",
    ]
    assert [item["content"] for item in unnamed] == ["AA==", "two\nlines", "ab", "ä"]
    encoded = base64.b64encode(b"x = 1\n").decode()
    for mapping in (
        {"fileName": "join.py", "content": "x = 1\n"},
        {"file_name": "join.py", "content": b"x = 1\n"},
        {"fileName": "join.py", "data": encoded},
        {"file_name": "join.py", "base64": encoded, "mime_type": "text/x-python"},
        {"fileName": "join.py", "content": path},
    ):
        assert normalize_attachments([mapping]) == [path_form], mapping
    assert normalize_attachments(None) == []
    assert normalize_attachments(iter([path])) == [path_form]


def test_a_binary_mapping_takes_bytes_or_base64():
    """For an image, text is base64, and anything else is named."""
    encoded = base64.b64encode(PNG).decode()
    for content in (PNG, bytearray(PNG), memoryview(PNG), encoded, f"{encoded[:4]}\n{encoded[4:]}"):
        (item,) = normalize_attachments([{"fileName": "a.png", "content": content}])
        assert (item["content"], item["fileSize"], item["mimeType"]) == (encoded, len(PNG), "image/png")
    with pytest.raises(BadRequestError, match=r"a\.png.*base64"):
        normalize_attachments([{"fileName": "a.png", "content": "not base64!"}])


def test_text_under_a_name_that_nobody_knows_is_text():
    """Words in a file without a known type are plain text, as a pair and as a mapping."""
    for item in (("notes", "some words"), {"fileName": "notes", "content": "some words"}):
        (attachment,) = normalize_attachments([item])
        assert (attachment["mimeType"], attachment["content"]) == ("text/plain", "some words")


def test_text_that_is_no_utf8_travels_as_bytes():
    """A Latin-1 CSV is sent in base64 under a binary type, so that nobody reads the base64 as its rows."""
    (item,) = normalize_attachments([("a.csv", "ä".encode("latin-1"))])
    assert item["mimeType"] == "application/octet-stream"
    assert item["content"] == "5A=="


@pytest.mark.parametrize(
    ("name", "mime_type", "text"),
    [
        ("a.ipynb", "application/x-ipynb+json", True),
        ("a.toml", "application/toml", True),
        ("a.R", "text/x-r", True),
        ("a.parquet", "application/vnd.apache.parquet", False),
        ("a.PY", "text/x-python", True),
        ("a.csv", "text/csv", True),
        ("a.md", "text/markdown", True),
        ("a.sql", "text/x-sql", True),
        ("a.yaml", "application/yaml", True),
        ("a.yml", "application/yaml", True),
        ("a.log", "text/plain", True),
        ("a.json", "application/json", True),
        ("a.svg", "image/svg+xml", True),
        ("a.png", "image/png", False),
        ("a.pdf", "application/pdf", False),
        ("Dockerfile", "text/plain", True),
        (r"C:\data\a.py", "text/x-python", True),
        ("a.strange", "application/octet-stream", False),
        ("noname", "application/octet-stream", False),
    ],
)
def test_types_are_found_by_name(name, mime_type, text):
    """The type of a file is the same on every machine, and says whether it travels as text."""
    assert mime_type_for(name) == mime_type
    assert is_text_type(mime_type) is text


def test_the_sixth_attachment_is_found_before_a_file_is_read():
    """Six are refused by number alone."""
    with pytest.raises(AttachmentLimitExceededError, match="6 attachments; at most 5"):
        normalize_attachments(["missing.csv"] * 6)


def test_an_attachment_over_the_limit_is_named(tmp_path, monkeypatch):
    """The file, its size and the limit stand in the line; exactly the limit is taken."""
    monkeypatch.setattr(files, "MAX_ATTACHMENT_BYTES", 10)
    path = tmp_path / "big.log"
    path.write_bytes(b"x" * 11)
    for item in (path, ("big.log", b"x" * 11), ("big.log", io.BytesIO(b"x" * 99))):
        with pytest.raises(AttachmentTooLargeError, match=r"big\.log.*11 bytes"):
            normalize_attachments([item])
    assert normalize_attachments([("ok.log", b"x" * 10)])[0]["fileSize"] == 10


@pytest.mark.parametrize(
    ("item", "words"),
    [
        ("missing.csv", "missing.csv.*note.txt"),
        (3.5, "float"),
        ({"fileName": "a.py"}, "no content"),
        ({"fileName": 7, "content": "x"}, "must be text"),
        ({"fileName": "a\nb.py", "content": "x"}, "control"),
        ({"fileName": "  ", "content": "x"}, "characters"),
        ({"fileName": "a" * 300, "content": "x"}, "300"),
        (("a.py", None), "NoneType"),
        (("a.py", "\ud800"), "surrogate"),
    ],
)
def test_what_cannot_be_attached_is_named(item, words):
    """One line says which attachment is wrong, and what would be right."""
    with pytest.raises(BadRequestError, match=words):
        normalize_attachments([item])


def test_a_folder_is_no_file(tmp_path):
    """A folder is refused, and the line says so."""
    with pytest.raises(BadRequestError, match="is a folder"):
        normalize_attachments([tmp_path])


@pytest.mark.skipif(sys.platform == "win32", reason="permissions differ there")
def test_a_broken_link_is_named(tmp_path):
    """A path that leads nowhere is refused with the system's words."""
    (tmp_path / "a.csv").symlink_to(tmp_path / "gone.csv")
    with pytest.raises(BadRequestError, match="No such file"):
        normalize_attachments([tmp_path / "a.csv"])


def test_a_sentence_is_text_and_a_pair_is_never_a_path(tmp_path, monkeypatch):
    """Only what looks like a file's name is taken for one; in a pair, text is content even if such a file is there."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.csv").write_text("1\n")
    assert normalize_attachments(["Look at this."])[0]["content"] == "Look at this."
    assert normalize_attachments([("b.txt", "a.csv")])[0]["content"] == "a.csv"
    assert normalize_attachments(["a.csv"])[0]["content"] == "1\n"
