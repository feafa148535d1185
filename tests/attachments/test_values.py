"""What is no table: data, texts, bytes, figures, images, code."""

import dataclasses
import io
import json
import json as installed
import pathlib
import sys

import matplotlib as mpl
import matplotlib.figure
import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from codevf_nb.attachments import (
    AttachmentError,
    Picture,
    figure_of,
    gather,
)


def one(value, name="v", **options):
    (part,) = gather(None, {name: value}, **options)
    return part


@dataclasses.dataclass
class Point:
    """Something of the user's."""

    x: int


def test_data_goes_as_json():
    """Dicts, lists, sets and dataclasses; what JSON doesn't know goes as text."""
    part = one({"a": {2, 1}, ("k", 1): Point(3), "p": pathlib.PurePosixPath("x")})
    assert part.file_name == "v.json"
    assert json.loads(part.content) == {"a": [1, 2], "('k', 1)": {"x": 3}, "p": "x"}


@settings(deadline=None, max_examples=40)
@given(st.lists(st.text(max_size=30), max_size=300), st.integers(200, 3000))
def test_data_keeps_to_its_budget_and_says_what_is_cut(items, budget):
    """It either is whole, or says how many of how many items it holds."""
    part = one(items, max_bytes=budget)
    assert len(part.content) <= budget
    if json.dumps(items, ensure_ascii=False, indent=1).encode() + b"\n" != part.content:
        assert f"of {len(items):,} items" in part.content.decode()


@settings(deadline=None, max_examples=40)
@given(st.text(max_size=3000), st.integers(200, 2000))
def test_a_text_keeps_to_its_budget_and_says_what_is_cut(text, budget):
    """Beginning and end stay, and what is missing in between is told in bytes."""
    content = one(text, max_bytes=budget).content
    assert len(content) <= budget
    assert content == text.encode() or b"bytes are left out" in content


def test_data_that_holds_itself_is_refused():
    """It has no end."""
    loop: list = []
    loop.append(loop)
    with pytest.raises(AttachmentError, match="v contains itself"):
        one(loop)


def test_bytes_and_paths_go_as_they_are(tmp_path):
    """Under a suffix that says what they are, or the file's own name."""
    assert one(b"%PDF-1.7 x").file_name == "v.pdf"
    assert one(b"\x00").file_name == "v.bin"
    path = tmp_path / "notes.txt"
    path.write_text("x")
    assert (one(path).file_name, one(path).content) == ("notes.txt", b"x")


def test_figures_axes_and_images_go_as_png():
    """An Axes stands for its figure; an image may be of any mode."""
    figure = mpl.figure.Figure()
    axes = figure.subplots()
    axes.plot([1, 2])
    for value in (figure, axes, Image.new("CMYK", (4, 3)), Image.new("L", (2, 2)), Picture(b"\x89PNG\r\n\x1a\n")):
        part = one(value)
        assert part.file_name == "v.png"
        assert part.content.startswith(b"\x89PNG")
    assert Image.open(io.BytesIO(one(Image.new("CMYK", (4, 3))).content)).size == (4, 3)


def test_the_figure_of_a_run_is_its_last_picture():
    """What a run has shown goes before what is open; without either it is said what would do."""
    pytest.importorskip("matplotlib.pyplot").close("all")  # what another test has left open
    shown = [{"text/plain": "x"}, {"image/png": "iVBORw=="}, {"text/html": "y"}]
    assert figure_of(shown) == Picture(b"\x89PNG")
    with pytest.raises(AttachmentError, match="--run, or store it in a variable and attach the variable, -a fig"):
        figure_of()


def test_an_open_figure_of_pyplot_is_found(monkeypatch):
    """A backend that keeps figures open has one to attach."""
    mpl.use("agg")
    pyplot = pytest.importorskip("matplotlib.pyplot")
    figure = pyplot.figure()
    try:
        assert figure_of() is figure
    finally:
        pyplot.close(figure)


def test_code_goes_as_its_source():
    """Functions, methods and classes."""
    assert one(one).content.decode().startswith("def one(value")
    assert one(Point).content.decode().startswith("@dataclasses.dataclass\nclass Point")
    assert one(Point, name="m.Point").file_name == "m_Point.py"
    with pytest.raises(AttachmentError, match="has no Python source code"):
        one(len)


def test_a_module_of_ones_own_goes_and_an_installed_one_does_not(tmp_path, monkeypatch):
    """Engineers have the standard library and installed packages too."""
    (tmp_path / "helpers_of_mine.py").write_text("X = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    import helpers_of_mine

    assert one(helpers_of_mine).content == b"X = 1\n"
    sys.modules.pop("helpers_of_mine")
    for module in (installed, pytest, sys):
        with pytest.raises(AttachmentError, match="an installed module: only your own modules"):
            one(module)


def test_what_is_nothing_of_these_is_named():
    """The error says what the value is, and what would do."""
    with pytest.raises(AttachmentError, match=r"v is a object, which can't be attached\. Supported are DataFrames"):
        one(object())


def test_tables_inside_go_as_their_values():
    """Arrays, Series and frames in a dict are lists, and one that is too large is refused with what to do."""
    value = {
        "scores": np.array([0.8, 0.9]),
        "frame": pd.DataFrame({"x": [1]}),
        "series": pl.Series([2**60 + 1, None]),
        "when": np.datetime64("2024-01-01", "ns"),
    }
    found = json.loads(one(value).content)
    assert found["scores"] == [0.8, 0.9]
    assert found["frame"] == {"x": [1]}
    assert found["series"] == [2**60 + 1, None]
    assert found["when"].startswith("2024-01-01T")
    with pytest.raises(AttachmentError, match="larger than the budget"):
        one({"x": np.zeros(10**6)})


def test_json_is_strict_and_keeps_every_key():
    """Readers that refuse NaN take it; 1 and "1" are two keys."""
    text = one({1: "a", "1": "b", "x": float("nan"), "y": [float("inf")]}).content.decode()
    found = json.loads(text, parse_constant=pytest.fail)
    assert found == {"1 (int)": "a", "1": "b", "x": "NaN", "y": ["Infinity"]}


@pytest.mark.parametrize(
    ("mode", "colour", "sent"),
    [("RGBa", (10, 10, 10, 128), "RGBA"), ("La", (10, 128), "LA"), ("PA", (1, 2), "RGBA"), ("I", 700, "I;16")],
)
def test_images_keep_their_alpha_and_their_numbers(mode, colour, sent):
    """Whatever mode they have."""
    image = Image.open(io.BytesIO(one(Image.new(mode, (3, 3), colour)).content))
    assert image.mode == sent
    assert mode != "I" or image.getpixel((0, 0)) == colour


@pytest.mark.parametrize(("mode", "colour"), [("F", 0.5), ("I", 70000)])
def test_an_image_that_png_cannot_hold_is_refused(mode, colour):
    """It would be sent all black."""
    with pytest.raises(AttachmentError, match=r"attach numpy\.asarray\(v\)"):
        one(Image.new(mode, (3, 3), colour))


def test_what_pyplot_returns_goes_as_its_figure():
    """An array of Axes, and bars."""
    figure = mpl.figure.Figure()
    axes = figure.subplots(2, 2)
    for value in (axes, axes[0, 0].bar([1], [2]), axes[0, 1].hist([1, 2])):
        assert one(value).file_name == "v.png"
