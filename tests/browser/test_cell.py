"""A cell and its answer, in JupyterLab, as its user sees them."""

from codevf_nb import settings
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
