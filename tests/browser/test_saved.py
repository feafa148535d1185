"""A notebook that is saved with a view on show: what it shows when it is opened again."""

import pytest
import requests
from playwright.sync_api import expect

from tests.browser.lab import Notebook
from tests.support.pages import ASK, LOST, PICK, answer, ledger_says, opened

VIEWS = (ASK, PICK, PICK, "%codevf inbox", "%codevf dashboard")
# What stands in each view's place when there is no kernel any more to answer its clicks.
TEXTS = (
    "Running this cell again finds the answer and costs nothing; so does %codevf show task_",
    "finds the answer and costs nothing.",
    "%%codevf PROMPT --mode MODE",
    "%codevf tasks lists all",
    "%codevf balance, %codevf budget",
)


def with_every_view(browser, lab, *more) -> Notebook:
    """A notebook with an open question, a picker that has asked, one that hasn't, the inbox and the dashboard."""
    page = opened(browser, lab, *VIEWS, *more, after=600)
    for index in range(1, 6):
        page.run(index)
    page.button(2, "Submit").click()
    for index in (1, 2):
        expect(page.button(index, "Cancel")).to_be_visible(timeout=20_000)
    expect(page.button(3, "Submit")).to_be_enabled(timeout=20_000)
    expect(page.button(4, "Open")).to_have_count(2, timeout=20_000)
    expect(page.button(5, "Show the table")).to_have_count(4)
    return page


def shut_down(page: Notebook, lab) -> None:
    """End the kernel as Lab's menu does."""
    page.page.evaluate("() => window.theNotebook.sessionContext.shutdown()")


def end_from_elsewhere(page: Notebook, lab) -> None:
    """End the kernel as the server does when nobody used it for long, or as another page does."""
    known = page.page.evaluate("() => window.theNotebook.sessionContext.session.kernel.id")
    place = f"{lab.url}/api/kernels/{known}"
    requests.delete(place, params={"token": lab.token}, timeout=30).raise_for_status()


def unload(page: Notebook, lab) -> None:
    """Take the extension out of a kernel that goes on."""
    page.run(6)


# How it ends, and on which versions: on the old ones one end stands for all.
ENDS = [(shut_down, {}), (shut_down, {"old": True}), (end_from_elsewhere, {}), (unload, {})]


@pytest.mark.parametrize(
    ("end", "lab"), ENDS, ids=["shut-down", "shut-down-old", "from-elsewhere", "unload"], indirect=["lab"]
)
def test_when_its_kernel_ends_each_view_becomes_text(browser, lab, end):
    """The page shows the text at once, and the notebook that is saved then says nowhere that something is lost."""
    running, _ = lab
    page = with_every_view(browser, lab, "%unload_ext codevf_nb")
    end(page, running)
    for index, text in enumerate(TEXTS, 1):
        expect(page.under(index)).to_contain_text(text)
        expect(page.under(index).locator(".jupyter-widgets")).to_have_count(0)
        (output,) = page.outputs(index)
        assert set(output["data"]) == {"text/plain", "text/html"}
    page.photograph(f"ended-{end.__name__}")
    page.command("docmanager:save")
    page.page.context.close()
    if end is unload:  # its kernel has not ended yet
        end_all(running)
    again = Notebook(browser, running, "test.ipynb")
    for index, text in enumerate(TEXTS, 1):
        expect(again.under(index)).to_contain_text(text)
    assert LOST not in again.page.content()
    assert "Error" not in again.shown(1)
    again.photograph(f"ended-{end.__name__}-opened-again")


def end_all(lab) -> None:
    """End every kernel that a server has."""
    place, token = f"{lab.url}/api/sessions", {"token": lab.token}
    for session in requests.get(place, params=token, timeout=30).json():
        requests.delete(f"{place}/{session['id']}", params=token, timeout=30).raise_for_status()


def test_opened_again_while_the_kernel_lives_the_views_are_back(browser, lab):
    """Saved with a question open and its tab closed, the notebook shows the live views again, and a click works."""
    running, _ = lab
    page = with_every_view(browser, lab)
    page.command("docmanager:save")
    page.page.context.close()
    again = Notebook(browser, running, "test.ipynb")
    expect(again.button(3, "Submit")).to_be_enabled(timeout=20_000)
    expect(again.button(4, "Open")).to_have_count(2)
    expect(again.button(5, "Show the table")).to_have_count(4)
    assert LOST not in again.page.content()
    again.button(1, "Cancel").click()
    expect(again.button(1, "Cancel? Click again to confirm")).to_be_visible()
    again.page.wait_for_timeout(700)  # longer than two clicks of one double click are apart
    again.button(1, "Cancel? Click again to confirm").click()
    expect(again.under(1)).to_contain_text("✕ cancelled", timeout=20_000)


def test_an_answer_after_the_page_was_loaded_again_is_drawn_once_and_saved_as_the_cell_says(browser, lab):
    """A page loaded again draws the answer alone; its file has it once the cell is run again, which costs nothing."""
    running, _ = lab
    page = opened(browser, lab, ASK, after=600)
    page.run(1)
    expect(page.button(1, "Cancel")).to_be_visible(timeout=20_000)
    page.command("docmanager:save")
    page.page.context.close()
    again = Notebook(browser, running, "test.ipynb")
    expect(again.button(1, "Cancel")).to_be_visible(timeout=20_000)
    (entry,) = ledger_says(lambda questions: questions.latest())
    answer(entry.task_id, "It is None that is wrong.")
    expect(again.under(1)).to_contain_text("It is None that is wrong.", timeout=20_000)
    shown = again.under(1).inner_text()
    assert [shown.count(once) for once in ("may cost at most", "completed", "It is None that is wrong.")] == [1, 1, 1]
    expect(again.under(1).get_by_role("progressbar")).to_have_count(0)
    expect(again.under(1)).to_contain_text("run this cell again (0 credits), then save")
    again.photograph("loaded-again-answered")
    again.run(1)
    again.command("docmanager:save")
    (output,) = again.outputs(1)
    assert "It is None that is wrong." in output["data"]["text/plain"]
    assert "0 credits now" in output["data"]["text/plain"]
    again.page.context.close()
    end_all(running)
    last = Notebook(browser, running, "test.ipynb")
    expect(last.under(1)).to_contain_text("It is None that is wrong.")
    assert LOST not in last.page.content()
