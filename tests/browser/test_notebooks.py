"""The example notebooks, opened in JupyterLab and run from top to bottom by a person."""

import shutil

import nbformat
import pytest
from playwright.sync_api import expect

from tests.browser.lab import Notebook
from tests.support.notebooks import EVERY

# What a page says where a widget isn't there, or isn't there yet.
NO_WIDGET = ("model not found", "Error displaying widget", "Error creating widget", "Loading widget")
# What stands on the page when all has been run: by notebook and cell, counted from 0.
STANDS = {
    "01-quickstart": {5: "This inner join drops 29 of the 360 attached rows", 7: "0 credits now"},
    "02-widgets": {4: "may cost at most 612 credits", 8: "Is this join dropping rows?", 10: "available 99,742"},
    "03-dataframes-and-secrets": {11: "completed"},
    "04-structured-answers": {5: "mutable-default", 6: "severity"},
    "05-spend-analysis": {19: "lasts_until"},
    "06-when-things-go-wrong": {15: "completed", 22: "nothing is open"},
}


@pytest.mark.parametrize("path", EVERY, ids=lambda path: path.stem)
def test_run_all(browser, lab, path):
    """Every cell runs, nothing fails that isn't meant to, every widget is drawn, and the answers stand on the page."""
    running, root = lab
    shutil.copytree(path.parent / "data", root / "data")
    committed = nbformat.read(path, as_version=4)
    nbformat.write(stripped(path), root / path.name)
    page = Notebook(browser, running, path.name)
    page.run_all()
    code = [index for index, cell in enumerate(committed.cells) if cell.cell_type == "code"]
    page.executed(list(range(1, len(code) + 1)))
    for index in code:
        assert errors(page.outputs(index)) == errors(committed.cells[index].outputs), f"cell {index}"
    for index, text in STANDS[path.stem].items():
        expect(page.under(index)).to_contain_text(text, timeout=20_000)
    if path.stem == "02-widgets":
        expect(page.button(4, "Submit")).to_be_enabled()
        expect(page.button(8, "Open")).to_have_count(1)
        expect(page.button(10, "Show the table")).to_have_count(4)
        expect(page.under(10).locator("svg[role=img]")).to_have_count(4)
    for index in code:
        assert [said for said in NO_WIDGET if said in page.shown(index)] == [], f"cell {index}"
    page.photograph(f"notebook-{path.stem}")
    assert page.problems == []


def stripped(path) -> nbformat.NotebookNode:
    """A notebook as nobody has run it yet, so that all that is on the page comes from this run."""
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return notebook


def errors(outputs) -> list[tuple[str, str]]:
    """The errors a cell ended in: each kind with the first words it says, before anything that differs each time."""
    return [(one["ename"], one["evalue"][:40]) for one in outputs if one["output_type"] == "error"]
