"""Whatever a secret or a person's data is packed in, it is found, or the file is named as not looked into."""

import base64
import bz2
import gzip
import html
import io
import json
import lzma
import random
import string
import tarfile
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codevf_nb.attachments import gather
from codevf_nb.privacy import (
    PrivateDataError,
    check,
)
from codevf_nb.privacy import (
    _archives as archives,
)
from codevf_nb.privacy import (
    _file_readers as file_readers,
)

TOKEN = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
PASSWORD = "k9Qz7" + "wLp42"
PEOPLE = [{"id": i, "email": f"a{i}@corp.de", "phone": f"+49 171 23456{i:02}"} for i in range(20)]
FRAME = pd.DataFrame(PEOPLE)
CSV = FRAME.to_csv(index=False)


def found(*files: tuple[str, bytes], texts=(), **options) -> str:
    """Return what the check says; what it could not look into where it lets all of it pass."""
    try:
        return "passes " + ", ".join(map(str, check(dict(texts), list(files), **options)))
    except PrivateDataError as error:
        return str(error)


def zipped(*members: tuple[str, bytes], comment: bytes = b"") -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
        archive.comment = comment
    return packed.getvalue()


def tarred(name: str, content: bytes, kind: int = tarfile.PAX_FORMAT, mode: str = "w") -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode=mode, format=kind) as archive:
        info = tarfile.TarInfo(name)
        info.size = len(content)
        archive.addfile(info, io.BytesIO(content))
    return packed.getvalue()


def unmarked(tar: bytes) -> bytes:
    """Make it a tar of before 1988, which nothing marks but the sum of its first block."""
    block = bytearray(tar[:512])
    block[148:156], block[257:265] = b" " * 8, bytes(8)
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block) + tar[512:]


def notebook(*outputs: dict, source: str = "x = 1", **more) -> bytes:
    cell = {"cell_type": "code", "source": source.splitlines(keepends=True), "outputs": list(outputs), **more}
    return json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4}).encode()


def workbook(frame: pd.DataFrame, *, sheets_first: bool = True) -> bytes:
    """Write what Excel writes: cells refer to texts in another file, which it writes after the sheets."""
    texts = [str(cell) for row in [list(frame.columns), *frame.to_numpy().tolist()] for cell in row]
    width, at = frame.shape[1], iter(range(len(texts)))
    rows = [
        "".join(
            f'<c r="{string.ascii_uppercase[column]}{row + 1}" t="s"><v>{next(at)}</v></c>' for column in range(width)
        )
        for row in range(len(frame) + 1)
    ]
    sheet = f"<worksheet><sheetData>{''.join(f'<row>{row}</row>' for row in rows)}</sheetData></worksheet>"
    shared = f"<sst>{''.join(f'<si><t>{html.escape(text)}</t></si>' for text in texts)}</sst>"
    members = [("xl/worksheets/sheet1.xml", sheet.encode()), ("xl/sharedStrings.xml", shared.encode())]
    return zipped(*(members if sheets_first else reversed(members)))


def document(*runs: str) -> bytes:
    """Write what Word writes: a word may be divided into runs, each with properties of its own."""
    said = "".join(f'<w:r><w:rPr><w:lang w:val="de"/></w:rPr><w:t>{html.escape(run)}</w:t></w:r>' for run in runs)
    return zipped(("word/document.xml", f"<w:document><w:body><w:p>{said}</w:p></w:body></w:document>".encode()))


# -- tables in any shape

TABLES = {
    "a title": ("people.csv", "Customers 2026\n" + CSV),
    "a blank line": ("people.csv", "\n" + CSV),
    "a comment": ("people.csv", "# exported by hand\n" + CSV),
    "a header in a comment": ("people.csv", "#" + CSV),
    "several lines in front": ("people.csv", "Report\nof: today\n\n" + CSV),
    "rows that end in a comma": ("people.csv", CSV.replace("\n", ",\n").replace("phone,", "phone", 1)),
    "ragged rows": ("people.csv", "".join(f"{line}{',x' * (i % 2)}\n" for i, line in enumerate(CSV.splitlines()))),
    "no header": ("people.csv", CSV.partition("\n")[2]),
    "semicolons": ("people.csv", CSV.replace(",", ";")),
    "bars": ("people.psv", CSV.replace(",", "|")),
    "tabs": ("people.tab", CSV.replace(",", "\t")),
    "an unclosed quote": ("people.csv", CSV.replace("0,a0", '0,"a0', 1)),
    "row numbers without a name": ("people.csv", FRAME.to_csv().replace(",id", "id", 1)),
    "another suffix": ("people.dat", CSV),
    "a backup": ("people.csv.bak", CSV),
    "no suffix": ("people", CSV),
    "JSON": ("people.json", json.dumps(PEOPLE)),
    "JSON lines": ("people.json", "\n".join(map(json.dumps, PEOPLE))),
    "JSON lines, the last one cut": ("people.ndjson", "\n".join(map(json.dumps, PEOPLE))[:-9]),
    "JSON that is cut": ("people.json", json.dumps(PEOPLE)[:-40]),
    "JSON with a comma too many": ("people.json", json.dumps(PEOPLE).replace("}]", "},]")),
    "JSON by columns": ("people.json", FRAME.to_json()),
    "JSON by rows": ("people.json", FRAME.to_json(orient="index")),
    "JSON, split": ("people.json", FRAME.to_json(orient="split")),
    "JSON without names": ("people.json", FRAME.to_json(orient="values")),
    "JSON as a table": ("people.json", FRAME.to_json(orient="table")),
    "JSON under another name": ("people.har", json.dumps({"log": {"entries": PEOPLE}})),
    "Python's own spelling": ("people.log", f"INFO got {PEOPLE}"),
    "HTML": ("people.html", FRAME.to_html()),
    "XML": ("people.xml", "<all>" + "".join(f"<p><email>{one['email']}</email></p>" for one in PEOPLE) + "</all>"),
    "Markdown": ("people.md", "| id | email |\n|---|---|\n" + "".join(f"| 1 | {p['email']} |\n" for p in PEOPLE[:2])),
    "a block in Markdown": ("notes.md", f"# Data\n\n```csv\n{CSV}```\n"),
    "text in columns": ("people.txt", FRAME.to_string()),
}  # fmt: skip


@pytest.mark.parametrize("shape", TABLES)
def test_people_are_found_in_a_table_of_any_shape(shape):
    """Whatever stands around the rows, and however they are written."""
    name, text = TABLES[shape]
    said = found((name, text.encode()))
    assert "this would leave" in said
    assert "e-mail addresses" in said
    assert "@corp" not in said


@pytest.mark.parametrize("shape", TABLES)
@pytest.mark.parametrize(
    "encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "latin-1"]
)
def test_the_encoding_hides_nothing(shape, encoding):
    """Neither with a mark in front nor without one."""
    name, text = TABLES[shape]
    assert "e-mail addresses" in found((name, text.encode(encoding)))


def test_a_column_of_passwords_is_found_below_a_title():
    """The name of a column is what makes its values secrets."""
    assert "a password" in found(("users.csv", f"Users\nid,password\n1,{PASSWORD}\n".encode()))


@pytest.mark.parametrize("budget", [5000, 20_000, None])
@pytest.mark.parametrize("extra", [{}, {"n": 1}])
def test_json_that_is_cut_to_its_budget_is_looked_at(budget, extra):
    """What is sent of a dict that is too large is no JSON any more, and is looked at all the same."""
    value = {"people": PEOPLE * 700, **extra}
    files = [(part.file_name, part.content) for part in gather(None, {"d": value}, max_bytes=budget or 1 << 20)]
    assert "e-mail addresses" in found(*files)


def test_the_metadata_and_the_names_of_files_are_looked_at():
    """A name is what makes a text a phone number, in metadata as in a table."""
    assert "phone numbers" in found(texts={"metadata phone": {"phone": "+49 171 2345678"}})
    assert "a GitHub token" in found((f"{TOKEN}.txt", b"x"))
    names = [(f"a{i}@corp.de.txt", b"x") for i in range(3)]
    assert "3 e-mail addresses (a file's name" in found(*names)
    assert "a GitHub token" in found(("a.zip", zipped((f"{TOKEN}.txt", b"x"))))


# -- packed

SECRETS = {"a token": (TOKEN.encode(), "a GitHub token"), "people": (CSV.encode(), "e-mail addresses")}
CONTAINERS = {
    "zip": lambda content: zipped(("a.txt", b"x"), ("inner.dat", content)),
    "zip behind a script": lambda content: b"#!/bin/sh\nexit\n" + zipped(("inner.dat", content)),
    "gzip": gzip.compress,
    "two gzips": lambda content: gzip.compress(content[:9]) + gzip.compress(content[9:]),
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "two xz": lambda content: lzma.compress(content[:9]) + lzma.compress(content[9:]),
    "tar": lambda content: tarred("inner.dat", content),
    "an old tar": lambda content: unmarked(tarred("inner.dat", content, tarfile.USTAR_FORMAT)),
    "tar.gz": lambda content: tarred("inner.dat", content, mode="w:gz"),
    "a data URL": lambda content: b'<img src="data:application/zip;base64,' + base64.b64encode(content) + b'">',
    "an output": lambda content: notebook({"data": {"application/zip": base64.b64encode(content).decode()}}),
}


@settings(deadline=None, max_examples=120)
@given(
    what=st.sampled_from(sorted(SECRETS)),
    layers=st.lists(st.sampled_from(sorted(CONTAINERS)), min_size=1, max_size=10),
    name=st.sampled_from(["a", "a.bin", "a.zip", "a.csv", "a.txt"]),
)
def test_nothing_hides_in_any_nesting_of_containers(what, layers, name):
    """It is found, or the file is named as not looked into: never neither of them."""
    content, kind = SECRETS[what]
    for layer in layers:
        content = CONTAINERS[layer](content)
    said = found((name, content))
    assert kind in said or f"packed more than {file_readers.MAX_DEPTH} deep" in said
    if len(layers) < file_readers.MAX_DEPTH // 2:
        assert kind in said


FILES = {
    "a workbook": workbook(FRAME),
    "a workbook, the texts first": workbook(FRAME, sheets_first=False),
    "a page in a notebook": notebook({"data": {"text/html": FRAME.to_html()}}),
    "a page in lines": notebook({"data": {"text/html": FRAME.to_html().splitlines(keepends=True)}}),
    "an old notebook": json.dumps({"worksheets": [{"cells": [{"outputs": [{"html": FRAME.to_html()}]}]}]}).encode(),
    "JSON in a notebook": notebook({"data": {"application/json": PEOPLE}}),
    "text in a notebook": notebook({"name": "stdout", "output_type": "stream", "text": CSV}),
    "an attached CSV": notebook(attachments={"p.csv": {"text/csv": base64.b64encode(CSV.encode()).decode()}}),
    "a file in a file in Markdown": f"# File: p.html\n\n````html\n{FRAME.to_html()}\n````\n".encode(),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_people_are_found_in_office_files_and_notebooks(name):
    """By the names of their columns: a phone number alone is looked at by its column."""
    assert "phone numbers" in found(("a.bin", FILES[name])) or "e-mail addresses" in found(("a.bin", FILES[name]))


RICH = f"<si><r><t>{TOKEN[:5]}</t></r><r><rPr><sz val='11'/></rPr><t>{TOKEN[5:]}</t></r></si>"
SPLIT = {
    "Word's runs": ("a.docx", document("token: ", TOKEN[:9], TOKEN[9:])),
    "entities": ("a.html", f"<p>{TOKEN[:4]}&#{ord(TOKEN[4])};{TOKEN[5:]}</p>".encode()),
    "bold": ("a.html", f"<p>{TOKEN[:9]}<b>{TOKEN[9:]}</b></p>".encode()),
    "JSON's escapes": ("a.json", json.dumps({"a": TOKEN}).replace("g", "\\u0067").encode()),
    "a line break in JSON": ("a.json", json.dumps({"a": f"one\n{TOKEN}"}).encode()),
    "colours in a traceback": ("a.ipynb", notebook({"traceback": [f"\x1b[0;32m{TOKEN}\x1b[0m"]})),
    "a workbook's texts": ("a.xlsx", zipped(("xl/sharedStrings.xml", RICH.encode()))),
    "an archive's comment": ("a.zip", zipped(("a.txt", b"x"), comment=TOKEN.encode())),
}  # fmt: skip


@pytest.mark.parametrize("name", SPLIT)
def test_a_token_is_found_as_a_person_would_read_it(name):
    """Not only as the bytes have it."""
    assert "a GitHub token" in found(SPLIT[name])


# -- what can't be read is named

UNREADABLE = {
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "a picture"),
    "PDF": (b"%PDF-1.7\n" + bytes(range(256)), "PDF"),
    "Parquet": (b"PAR1" + bytes(range(256)), "Parquet"),
    "7-Zip": (b"7z\xbc\xaf\x27\x1c" + bytes(range(256)), "7-Zip"),
    "anything else": (bytes(range(256)) * 4, "binary"),
    "a broken gzip": (gzip.compress(b"x" * 9999)[:-12], "broken"),
    "a broken zip": (zipped(("a.txt", random.Random(1).randbytes(999)))[:-40], "broken"),
    "a broken tar": (tarred("a.txt", b"x" * 2000)[:1000], "broken"),
}


@pytest.mark.parametrize("name", UNREADABLE)
@pytest.mark.parametrize("layer", [None, "zip", "gzip"])
def test_what_cannot_be_looked_into_is_named(name, layer):
    """By itself or in an archive; the message of a refusal says it too."""
    content, why = UNREADABLE[name]
    content = CONTAINERS[layer](content) if layer else content
    assert found(("strange", content)).startswith("passes strange")
    assert why in found(("strange", content))
    assert "Not looked into: strange" in found(("a.py", f"x = '{TOKEN}'".encode()), ("strange", content))


def test_what_came_of_a_broken_file_is_looked_at():
    """A gzip that was cut off shows its first part to anyone who opens it."""
    said = found(("log.gz", gzip.compress((TOKEN + "\n" + "x" * 9999).encode(), compresslevel=0)[:-9]))
    assert "a GitHub token" in said
    assert "broken" in said


def test_an_encrypted_archive_is_named():
    """Its members can't be read; its names can."""
    content = bytearray(zipped(("a.txt", b"x")))
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(mark) + at] |= 1
    assert "a.zip › a.txt (broken or encrypted)" in found(("a.zip", bytes(content)))


def test_a_bomb_is_opened_to_a_limit_and_named(monkeypatch):
    """Zeros before it don't hide a token; what lies behind the limit is named."""
    packed = zipped(("zeros.txt", bytes(33 << 20)), ("b.txt", TOKEN.encode()))
    assert "a GitHub token" in found(("a.zip", packed))
    monkeypatch.setattr(file_readers, "MAX_UNPACKED", 1 << 20)
    assert "zeros.txt (larger than 1 MB when unpacked)" in found(("a.zip", packed))
    assert "larger than 1 MB" in found(("a.gz", gzip.compress(bytes(33 << 20))))
    assert "larger than 1 MB" in found(("a.xz", lzma.compress(bytes(33 << 20))))


def test_reading_a_packed_file_stops_at_the_limit():
    """No more is ever held than one piece past the limit."""
    room = archives.ByteBudget(1 << 20)
    content, trouble = room.read(gzip.GzipFile(fileobj=io.BytesIO(gzip.compress(bytes(64 << 20)))))
    assert len(content) <= (2 << 20)
    assert "larger" in trouble


# -- our own packing

KEY = "cvf_" + "live_8f3kd92kd0aQ"


@settings(deadline=None, max_examples=40)
@given(
    kind=st.sampled_from(["xlsx", "csv", "json", "text", "log", "picture", "table", "gz"]),
    others=st.lists(st.sampled_from(["xlsx", "text", "json", "table", "picture"]), max_size=8),
)
def test_what_is_found_in_one_file_is_found_when_it_is_put_together_with_others(tmp_path_factory, kind, others):
    """To keep to five files, files are put into pages and archives, which hide nothing, nor the account's own key."""
    folder, rng = tmp_path_factory.mktemp("files"), random.Random(1)
    named, files = {}, []

    def add(name: str, what: str, said: str) -> None:
        made = {
            "xlsx": lambda: zipped(("xl/sharedStrings.xml", said.encode())),
            "gz": lambda: gzip.compress(said.encode()),
            "log": said.encode,
            "csv": f"a,b\n1,{said}\n".encode,
            "picture": lambda: b"\x89PNG\r\n\x1a\n" + said.encode(),
        }
        if what in made:
            path = folder / f"{name}.{'png' if what == 'picture' else what}"
            path.write_bytes(made[what]())
            files.append(path)
        else:
            values = {"json": {"a": [said]}, "text": f"line\n{said}\n", "table": pd.DataFrame({"a": [1], "b": [said]})}
            named[name] = values[what]

    add("first", kind, f"{TOKEN} {KEY}")
    for number, other in enumerate(others):
        add(f"other{number}", other, "".join(rng.choices(string.ascii_letters, k=900)))
    parts = [(part.file_name, part.content) for part in gather("x = 1", named, files)]
    assert len(parts) <= 5
    assert "a GitHub token" in found(*parts)
    assert "own CodeVF key" in found(*parts, own_key=KEY, allow_secrets=True, allow_personal=True)


def test_a_column_of_people_is_found_wherever_its_table_ends(tmp_path: Path):
    """Tables and texts that share a page are read one by one."""
    page = gather(None, {f"t{i}": pd.DataFrame({"n": range(9 - i)}) for i in range(6)} | {"p": FRAME[["phone"]]})
    assert "phone numbers (p.csv column phone)" in found(*((part.file_name, part.content) for part in page))
    named = {f"s{i}": f"text {i}" for i in range(6)} | {"d": PEOPLE}
    notes = [(part.file_name, part.content) for part in gather(None, named)]
    assert "phone numbers (d.json column phone)" in found(*notes)


# -- what passes as before


def test_harmless_files_pass_and_are_looked_into():
    """Nothing is stopped, and nothing is named, of tables, pages and notebooks without people."""
    frame = pd.DataFrame(
        {"id": range(30), "price": [i * 1.5 for i in range(30)], "sku": [f"A-{i:05}" for i in range(30)]}
    )
    for name, content in {
        "t.csv": frame.to_csv().encode(),
        "t.html": frame.to_html().encode(),
        "t.json": frame.to_json().encode(),
        "t.xlsx": workbook(frame),
        "t.ipynb": notebook({"data": {"text/html": frame.to_html(), "text/plain": frame.to_string()}}),
        "t.txt": frame.to_string().encode(),
        "t.zip": zipped(("t.csv", frame.to_csv().encode())),
        "t.docx": document("Dear all, ", "the price is 12.50, and 3 are left."),
        "cell.py": b"[x for x in (1, 2)]\nd = {'name': 'Anna', 'address': home}\n",
    }.items():
        assert found((name, content)) == "passes ", name
