"""At most five files, whatever is attached."""

import json

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from codevf_nb.attachments import Picture, gather
from codevf_nb.sdk.files import normalize_attachments

PNG = Picture(b"\x89PNG\r\n\x1a\n")


@settings(deadline=None, max_examples=60)
@given(
    tables=st.integers(0, 7), texts=st.integers(0, 4), pictures=st.integers(0, 3), blobs=st.integers(0, 4),
    code=st.booleans(),
)  # fmt: skip
def test_whatever_is_attached_becomes_at_most_five_files(tables, texts, pictures, blobs, code):
    """Nothing is left out: every file stands by itself or is named in what it was put into; names are unique."""
    named = {f"t{i}": pd.DataFrame({"a": [i]}) for i in range(tables)}
    named |= {f"d{i}": [i] for i in range(texts)} | {f"p{i}": PNG for i in range(pictures)}
    named |= {f"b{i}": b"\x00" for i in range(blobs)}
    parts = gather("x = 1" if code else None, named)
    assert len(parts) <= 5
    normalize_attachments([{"fileName": part.file_name, "content": part.content} for part in parts])
    names = [part.file_name for part in parts]
    assert len({name.casefold() for name in names}) == len(names)
    held = [name.partition(",")[0] for part in parts for name in (part.holds or (part.file_name,))]
    expected = [f"t{i}.csv" for i in range(tables)] + [f"d{i}.json" for i in range(texts)]
    expected += [f"p{i}.png" for i in range(pictures)] + [f"b{i}.bin" for i in range(blobs)]
    expected += (["cell.py"] if code else []) + (["profile.md"] if tables else [])
    assert sorted(held) == sorted(expected)
    assert not code or "cell.py" in names


def test_no_more_is_put_together_than_must_be():
    """Five files stay five; of seven, the three smallest notes become one page."""
    five = {"t": pd.DataFrame({"a": [1]}), "d": [1], "e": "text"}
    assert len(gather("x", five)) == 5
    parts = gather("x", {**five, "f": [2], "g": "y" * 5000})
    assert [part.file_name for part in parts] == ["cell.py", "t.csv", "profile.md", "notes.md", "g.txt"]
    assert parts[3].holds == ("d.json", "e.txt", "f.json")


def test_small_tables_share_a_page_and_its_budget():
    """The largest tables keep a CSV of their own; the page fits the budget of one file."""
    named = {f"t{i}": pd.DataFrame({"a": range(i * 3000 + 1)}) for i in range(6)}
    parts = gather("x", named, max_bytes=10_000)
    names = [part.file_name for part in parts]
    assert names == ["cell.py", "t4.csv", "t5.csv", "tables.md", "profile.md"]
    page = parts[3]
    assert len(page.content) < 10_500
    assert page.holds[0] == "t0.csv, 1 of 1 rows"
    assert "of 9,001 rows" in page.holds[3]
    assert "# File: t0.csv\n\n```csv\na\n0\n```" in page.content.decode()


def test_a_fence_is_longer_than_any_inside():
    """Text that holds a fence doesn't end its own."""
    named = {f"s{i}": f"```\n{i}" for i in range(6)}
    (page,) = [part for part in gather(None, named) if part.holds]
    assert "````text\n```\n0\n````" in page.content.decode()


def test_only_binary_files_end_in_a_zip_and_always_in_the_same_one():
    """The same files make the same bytes, so nothing seems to have changed."""
    named = {f"b{i}": bytes([i]) for i in range(7)}
    first, second = gather("x", named), gather("x", named)
    assert first == second
    assert first[-1].file_name == "files.zip" or any(part.file_name == "files.zip" for part in first)


def test_the_record_tells_what_was_put_together():
    """The ledger keeps the names of the files inside, as JSON."""
    record = gather(None, {f"s{i}": "x" for i in range(6)})[0].record()
    assert json.loads(json.dumps(record))["holds"] == ["s0.txt", "s1.txt"]
