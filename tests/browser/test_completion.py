"""Tab in a cell: what is offered stands in JupyterLab's own list, and what is picked stands in the cell."""

from playwright.sync_api import expect

from tests.browser.lab import Notebook
from tests.support.pages import opened

OPTIONS = ["--max-bytes", "--max-credits", "--metadata", "--mode"]
EDIT = """() => {
    const content = window.theNotebook.content;
    content.activeCellIndex = 1;
    content.activeCell.model.sharedModel.setSource('');
    content.mode = 'edit';
    content.activeCell.editor.focus() }"""
HOLDS = "text => window.theNotebook.content.widgets[1].model.sharedModel.getSource() === text"


def tab_after(page: Notebook, text: str) -> None:
    """Type into the empty second cell, and press Tab."""
    page.page.evaluate(EDIT)
    page.page.keyboard.type(text)
    page.page.keyboard.press("Tab")


def test_tab_offers_options_and_subcommands(browser, lab):
    """What could stand here is listed, and nothing else; it is picked with a click or with Enter."""
    page = opened(browser, lab, "")
    listed = page.page.locator(".jp-Completer .jp-Completer-match")
    tab_after(page, "%%codevf --mo")
    expect(listed).to_have_text(["--mode"], timeout=20_000)
    listed.click()
    page.page.wait_for_function(HOLDS, arg="%%codevf --mode")
    tab_after(page, "%%codevf --m")
    expect(listed).to_have_text(OPTIONS, timeout=20_000)
    page.photograph("completer")
    listed.filter(has_text="--max-credits").click()
    page.page.wait_for_function(HOLDS, arg="%%codevf --max-credits")
    tab_after(page, "%codevf sp")
    expect(listed).to_have_text(["spend"], timeout=20_000)
    page.page.keyboard.press("Enter")
    page.page.wait_for_function(HOLDS, arg="%codevf spend")
