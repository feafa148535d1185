"""The views in JupyterLab, driven as a person drives them; what is asserted stands on the page."""

import nbformat
import pytest
from playwright.sync_api import expect

from codevf_nb.accounts import settings
from codevf_nb.sandbox import process
from tests.browser.lab import Notebook
from tests.support.pages import ASK, LOST, PICK, answer, ledger_says, opened
from tests.waiting import eventually

OTHER = "%%codevf What is wrong with this default argument?\ndef add(item, to=[]):\n    to.append(item)"
BUSY = "import time\nends = time.monotonic() + 5\nwhile time.monotonic() < ends:\n    sum(range(10_000))\nprint('done')"
# The client's thread comes with a request and goes ten seconds after the last one.
COUNT = """import threading, comm, ipywidgets
threads = [each for each in threading.enumerate() if each.name != "codevf-deadlines"]
print(len(threads), len(comm.get_comm_manager().comms), len(ipywidgets.widgets.widget._instances))"""
# On today's versions in today's Lab, and on those of Colab in the last Lab that draws ipywidgets 7.
both_stacks = pytest.mark.parametrize("lab", [{}, {"old": True}], ids=["new", "old"], indirect=True)


@both_stacks
def test_pick_submit_progress_answer(browser, lab):
    """What was filled in is priced and previewed; Submit shows the progress in its place, and then the answer."""
    page = opened(browser, lab, PICK, after=4)
    page.run(1)
    expect(page.under(1)).to_contain_text("may cost at most 612 credits")
    expect(page.under(1)).to_contain_text("available: 100,000 credits, after this 99,388")
    expect(page.under(1)).to_contain_text("orders.csv")
    page.under(1).get_by_label("Credits").fill("59")
    expect(page.under(1)).to_contain_text("Submit is off: fast takes 240 to 115,200 credits")
    expect(page.button(1, "Submit")).to_be_disabled()
    page.photograph_cell(1, "picker-off")
    page.under(1).get_by_label("Credits").fill("300")
    expect(page.under(1)).to_contain_text("may cost at most 765 credits")
    expect(page.button(1, "Submit")).to_be_enabled()
    page.button(1, "Copy as magic").click()
    expect(page.under(1).get_by_label("As magic")).to_have_value(
        "%%codevf --text --mode fast --tag engineer --max-credits 300 --attach orders\nIs this join dropping rows?\n"
    )
    page.page.set_viewport_size({"width": 800, "height": 1400})
    magic = page.under(1).get_by_label("As magic")
    assert magic.evaluate("area => area.scrollHeight <= area.clientHeight"), "all of it can be read, also when narrow"
    page.photograph_cell(1, "picker")
    with page.page.expect_file_chooser() as chooser:
        page.button(1, "Upload files").click()
    chooser.value.set_files({"name": "notes.txt", "mimeType": "text/plain", "buffer": b"hello"})
    expect(page.under(1)).to_contain_text("notes.txt: 5 bytes")
    expect(page.button(1, "Submit")).to_be_enabled()
    page.button(1, "Submit").dblclick()
    expect(page.button(1, "Cancel")).to_be_visible()
    expect(page.under(1)).to_contain_text("asked")
    assert len(ledger_says(lambda questions: questions.latest())) == 1
    expect(page.under(1)).to_contain_text("This answer is automated", timeout=20_000)
    (output,) = page.outputs(1)
    assert set(output["data"]) == {"text/plain", "text/html"}, "the answer that stays is no widget"
    assert page.problems == []


@both_stacks
def test_progress_stands_under_the_cell_until_the_answer_does(browser, lab):
    """State in words and as a bar, time, what to expect and cost; saved and opened again the answer is there."""
    running, _ = lab
    page = opened(browser, lab, ASK, after=6)
    page.run(1)
    under = page.under(1)
    for told in ("pending", "asked", "main hours", "may cost at most 240 credits", "no time stated", "no person"):
        expect(under).to_contain_text(told)
    expect(under.locator(".progress")).to_be_visible()
    page.photograph_cell(1, "progress")
    expect(under).to_contain_text("is None", timeout=20_000)
    expect(page.button(1, "Cancel")).to_have_count(0)
    page.photograph_cell(1, "answer")
    page.command("docmanager:save")
    page.page.context.close()
    again = Notebook(browser, running, "test.ipynb")
    assert "is None" in again.shown(1)
    assert LOST not in again.page.content()


@both_stacks
def test_cancelling_asks_once(browser, lab):
    """A double click is no answer to the question whether it is meant; what follows is, also by keyboard."""
    page = opened(browser, lab, ASK, after=600)
    page.run(1)
    page.button(1, "Cancel").dblclick()
    expect(page.button(1, "Cancel? Click again to confirm")).to_be_visible()
    page.photograph_cell(1, "progress-cancel")
    assert "cancelled" not in page.shown(1)
    page.page.wait_for_timeout(700)  # longer than two clicks of one double click are apart
    page.page.keyboard.press("Tab")
    expect(page.button(1, "Refresh")).to_be_focused()
    page.page.keyboard.press("Shift+Tab")
    page.page.keyboard.press("Enter")
    expect(page.under(1)).to_contain_text("✕ cancelled", timeout=20_000)


@both_stacks
def test_clicks_while_a_cell_computes_are_neither_lost_nor_doubled(browser, lab):
    """Submit clicked twice under a busy kernel asks once, at once or when the cell has ended."""
    page = opened(browser, lab, PICK, BUSY, after=1)
    page.run(1)
    expect(page.button(1, "Submit")).to_be_enabled()
    page.run(2, wait=False)
    page.button(1, "Submit").dblclick()
    expect(page.under(1)).to_contain_text("completed", timeout=30_000)
    eventually(lambda: "done" in page.shown(2), "the busy cell ends")
    assert len(ledger_says(lambda questions: questions.latest())) == 1


def test_answers_in_the_wrong_order_land_under_their_own_cells(browser, lab):
    """The second question is answered while the first is open; each display gets its own answer."""
    page = opened(browser, lab, ASK, OTHER, after=600)
    page.run(1)
    page.run(2)
    first, second = ledger_says(lambda questions: questions.open())
    answer(second.task_id, "about the default")
    expect(page.under(2)).to_contain_text("completed", timeout=30_000)
    expect(page.under(1)).not_to_contain_text("completed")
    answer(first.task_id, "about the comparison")
    expect(page.under(1)).to_contain_text("about the comparison", timeout=30_000)
    expect(page.under(2)).to_contain_text("about the default")


def test_a_restarted_kernel_finds_the_open_question_again(browser, lab):
    """After a restart the cell costs nothing, shows the same task, and gets its answer; nothing says it is lost."""
    running, _ = lab
    page = opened(browser, lab, ASK, after=12)
    page.run(1)
    expect(page.under(1)).to_contain_text("pending")
    page.page.evaluate("() => window.theNotebook.sessionContext.session.kernel.restart()")
    eventually(
        lambda: page.page.evaluate("() => window.theNotebook.sessionContext.session.kernel.status") == "idle", "up"
    )
    page.run(0)
    page.run(1)
    expect(page.under(1)).to_contain_text("0 credits now")
    expect(page.under(1)).to_contain_text("is None", timeout=30_000)
    page.command("docmanager:save")
    page.page.context.close()
    again = Notebook(browser, running, "test.ipynb")
    assert "is None" in again.shown(1)
    assert LOST not in again.page.content()
    assert len(ledger_says(lambda questions: questions.latest())) == 1


def test_the_service_goes_away_and_comes_back(browser, lab):
    """Under the open question the page says so in words, and the answer comes when the service is there again."""
    page = opened(browser, lab, ASK, after="1 --fault retrieve:1-2:drop")
    page.run(1)
    expect(page.under(1)).to_contain_text("no answer from the service", timeout=60_000)
    expect(page.under(1)).to_contain_text("is None", timeout=60_000)


def test_inbox(browser, lab):
    """An answer is unread until it is opened; a search leaves out what doesn't hold it; rows open below."""
    page = opened(browser, lab, ASK, OTHER, "%codevf inbox", after=1)
    page.run(1)
    page.run(2)
    page.run(3)
    expect(page.under(3).get_by_text("unread ·")).to_have_count(2, timeout=30_000)
    page.photograph_cell(3, "inbox")
    page.under(3).get_by_label("Search").fill("comparison")
    expect(page.button(3, "Open")).to_have_count(1)
    page.button(3, "Open").click()
    expect(page.under(3)).to_contain_text("This answer is automated")
    expect(page.under(3).get_by_label("Task id")).to_have_value(
        ledger_says(lambda questions: questions.latest()[-1].task_id)
    )
    expect(page.under(3).get_by_text("unread ·")).to_have_count(0)
    page.under(3).get_by_label("Search").fill("")
    expect(page.under(3).get_by_text("unread ·")).to_have_count(1)
    page.photograph_cell(3, "inbox-opened")
    assert page.problems == []


def test_dashboard(browser, lab):
    """Balance and budget, four pictures, and the frame behind each one click away."""
    page = opened(browser, lab, ASK, OTHER, "%codevf budget 5000/day", "%codevf dashboard", after=1)
    page.run(1)
    page.run(2)
    expect(page.under(2)).to_contain_text("completed", timeout=20_000)
    expect(page.under(1)).to_contain_text("completed", timeout=20_000)
    page.run(3)
    page.run(4)
    expect(page.under(4).locator("svg[role=img]")).to_have_count(4, timeout=20_000)
    expect(page.under(4)).to_contain_text("of 5,000 credits per day are left")
    page.photograph_cell(4, "dashboard")
    page.under(4).get_by_label("Group by").select_option("tag")
    page.button(4, "Show the table").first.click()
    expect(page.under(4).locator("table")).to_contain_text("General Purpose")
    page.photograph_cell(4, "dashboard-table")
    assert page.problems == []


@pytest.mark.parametrize("lab", [{"save_widget_state": True}], indirect=True)
def test_the_saved_notebook_holds_no_key(browser, lab):
    """With widget state saved as Lab can save it, the key is nowhere in the file."""
    _, root = lab
    page = opened(browser, lab, PICK, "%codevf inbox", "%codevf dashboard", ASK, after=600)
    for index in (1, 2, 3, 4):
        page.run(index)
    expect(page.under(1)).to_contain_text("may cost at most")
    page.command("docmanager:save")
    saved = (root / "test.ipynb").read_text()
    assert nbformat.reads(saved, as_version=4).metadata.widgets, "the state must be in the file, or this proves nothing"
    assert process.find(settings.home()).api_key not in saved


def test_all_is_reached_by_keyboard(browser, lab):
    """Tab goes through the form from the prompt to Submit, in the order in which it is read, and Enter clicks."""
    page = opened(browser, lab, PICK, after=1)
    page.run(1)
    expect(page.button(1, "Submit")).to_be_enabled()
    page.under(1).get_by_label("Prompt").focus()
    seen = []
    for _ in range(14):
        script = "() => (e => (e.labels && e.labels[0] || e).innerText)(document.activeElement)"
        seen.append(page.page.evaluate(script).strip())
        if seen[-1] == "Submit":
            break
        page.page.keyboard.press("Tab")
    for earlier, later in (("Prompt", "Project"), ("Project", "Mode"), ("Mode", "Tag"), ("Tag", "Credits")):
        assert seen.index(earlier) + 1 == seen.index(later)
    assert seen[-1] == "Submit"
    page.page.keyboard.press("Enter")
    expect(page.under(1)).to_contain_text("completed", timeout=20_000)


def test_pickers_that_were_replaced_leave_nothing(browser, lab):
    """Whoever runs a picker's cell again and again has one picker: no thread, comm or widget more than at first."""
    page = opened(browser, lab, PICK, COUNT)
    counted = []
    for runs in (2, 20):
        for _ in range(runs):
            page.run(1)
        expect(page.button(1, "Submit")).to_be_enabled()
        page.run(2)
        counted.append(page.shown(2))
    assert counted[0] == counted[1]
    assert page.under(1).get_by_role("button", name="Submit").count() == 1


@pytest.mark.parametrize("lab", [{"app": "notebook"}], indirect=True)
def test_notebook_7(browser, lab):
    """The other shell around the same front end: the progress, the answer in its place, and a picker that opens."""
    page = opened(browser, lab, ASK, PICK, after=3)
    page.run(1)
    expect(page.button(1, "Cancel")).to_be_visible()
    expect(page.under(1)).to_contain_text("is None", timeout=20_000)
    page.run(2)
    expect(page.button(2, "Submit")).to_be_enabled()
    page.photograph("notebook-7")
