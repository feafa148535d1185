"""A cell and its answer, in JupyterLab, as its user sees them."""

import pytest

from codevf_nb.accounts import settings
from codevf_nb.ledger import Ledger, Store, sqlite_url
from tests.browser.lab import Notebook, notebook_of
from tests.waiting import eventually

LOAD = "%load_ext codevf_nb\n%codevf sandbox --answer-after 1 --rate-limit off"
ASK = "%%codevf Is this comparison right?\nif total == None:\n    total = 0"
BUSY = (
    "import time\nends = time.monotonic() + 12\nwhile time.monotonic() < ends:\n    sum(range(10_000))\nprint('done')"
)
WAIT = "%%codevf What is wrong with this default argument? -w\ndef add(item, to=[]):\n    to.append(item)"


def test_the_answer_comes_in_place_while_another_cell_computes(browser, lab):
    """The prompt comes back at once, the display goes from pending to the answer, and a busy kernel doesn't stop it."""
    running, root = lab
    page = Notebook(browser, running, notebook_of(root, LOAD, ASK, BUSY))
    page.run(0)
    page.run(1)
    eventually(lambda: "pending" in page.shown(1), "the state is on the page")
    assert page.shown(1).startswith("may cost at most 240 credits"), "the worst case stands before anything else"
    page.photograph("cell-pending")
    page.run(2, wait=False)
    eventually(lambda: "completed" in page.shown(1), "the answer is on the page")
    assert "done" not in page.shown(2), "the answer must come while the other cell still computes"
    assert "is None" in page.shown(1)
    assert "no person" in page.shown(1)
    assert len(page.outputs(1)) == 1
    page.photograph("cell-answered")
    eventually(lambda: "done" in page.shown(2), "the busy cell ends")
    assert page.problems == []


@pytest.mark.parametrize("option", ["", " -w"])
def test_the_price_is_on_the_page_while_the_question_is_being_sent(browser, lab, option):
    """The price and "sending" come first, then the panel with its buttons in the same place, then the answer."""
    running, root = lab
    held = f"{LOAD.replace('--answer-after 1', '--answer-after 8')} --fault create:1:delay=3"
    page = Notebook(browser, running, notebook_of(root, held, ASK.replace("right?", f"right?{option}")))
    page.run(0)
    page.run(1, wait=False)
    eventually(lambda: "sending" in page.shown(1), "the price is on the page")
    assert open_in_ledger() == []
    assert page.shown(1).startswith("may cost at most 240 credits")
    page.photograph(f"cell-sending{option.strip()}")
    eventually(lambda: "pending" in page.shown(1) or "processing" in page.shown(1), "the task has taken its place")
    page.button(1, "Cancel").wait_for()
    page.photograph(f"cell-sent{option.strip()}")
    assert "sending" not in page.shown(1)
    eventually(lambda: "completed" in page.shown(1), "the answer has taken its place", seconds=60)
    assert len(page.outputs(1)) == 1
    assert page.button(1, "Cancel").count() == 0
    page.photograph(f"cell-answer{option.strip()}")
    assert page.problems == []


def test_a_refused_question_does_not_stay_on_the_page_as_sending(browser, lab):
    """The price stays, with what it came to; the reason is the cell's error."""
    running, root = lab
    page = Notebook(browser, running, notebook_of(root, f"{LOAD} --fault create:1:status=402", ASK))
    page.run(0)
    page.run(1, wait=False)
    eventually(lambda: "not asked: costs 0 credits" in page.shown(1), "what it came to has taken its place")
    assert "sending" not in page.shown(1)
    page.photograph("cell-refused")


def test_a_saved_notebook_shows_the_answer_when_it_is_opened_again(browser, lab):
    """What was updated in place is in the document, so that it is there tomorrow."""
    running, root = lab
    name = notebook_of(root, LOAD, ASK)
    page = Notebook(browser, running, name)
    page.run(0)
    page.run(1)
    eventually(lambda: "completed" in page.shown(1), "the answer is on the page")
    page.command("docmanager:save")
    page.page.context.close()
    again = Notebook(browser, running, name)
    assert "completed" in again.shown(1)
    assert "is None" in again.shown(1)
    assert "model not found" not in again.page.content()


def open_in_ledger() -> list:
    """Look into the ledger that the notebook's kernel writes."""
    store = Store(sqlite_url(settings.home() / "ledger.sqlite"))
    try:
        return Ledger(store, "sandbox", "sandbox").questions.open()
    finally:
        store.close()


def test_interrupting_stops_the_waiting_and_not_the_task(browser, lab):
    """Ctrl-C under -w gives the prompt back and says how to go on; the task is still there."""
    running, root = lab
    slow = LOAD.replace("--answer-after 1", "--answer-after 600")
    page = Notebook(browser, running, notebook_of(root, slow, WAIT, "%codevf status", "%codevf cancel"))
    page.run(0)
    page.run(1, wait=False)
    eventually(open_in_ledger, "the question has been asked")
    page.command("notebook:interrupt-kernel")
    eventually(lambda: "stopped waiting" in page.shown(1), "the cell says how to go on")
    assert "%codevf cancel task_" in page.shown(1)
    page.photograph("cell-interrupted")
    page.run(2)
    assert "pending" in page.shown(2)
    page.run(3)
    assert "cancelled" in page.shown(3)
