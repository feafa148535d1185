"""The inbox: pages of whatever size the ledger has, filters, unread marks, and one question opened."""

import time

import pytest

from codevf_nb.ledger import Order, PageFilter, State
from codevf_nb.ledger.tables import questions
from codevf_nb.notebook import commands
from codevf_nb.sdk.statuses import TaskStatus
from codevf_nb.widgets._inbox import Inbox
from tests.support.inboxes import fill, rows
from tests.waiting import eventually
from tests.widgets.conftest import click, done, inside, labelled, words


@pytest.fixture
def inbox(current, page):
    """Open an inbox as a cell would."""
    views = []

    def open_one():
        views.append(Inbox(current))
        done()
        return views[-1]

    yield open_one
    for view in views:
        view.close_view()


def test_it_shows_the_newest_first_a_page_at_a_time(inbox, current):
    """Ten questions are a page; the buttons turn it, and are off where there is nothing to turn to."""
    fill(current, 25)
    view = inbox()
    assert [f"number {number}<" in row for number, row in zip(range(24, 14, -1), rows(view), strict=True)] == [
        True
    ] * 10
    assert labelled(view.root, "Previous page").disabled
    click(view.root, "Next page")
    click(view.root, "Next page")
    assert len(rows(view)) == 5
    assert labelled(view.root, "Next page").disabled
    assert "21 to 25" in words(view.root)


def test_filters_choose_by_text_project_and_state(inbox, current):
    """Each filter leaves out what doesn't fit it, and text is looked for in prompts, answers and ids, as it is."""
    fill(current, 12)
    with current.ledger.store.write() as connection:
        connection.execute(
            questions.update().where(questions.c.identity == "3").values(project="lab", prompt="100% odd")
        )
        connection.execute(questions.update().where(questions.c.identity == "4").values(status="cancelled"))
    view = inbox()
    for label, value, count in (("Search", "100%", 1), ("Project", "lab", 1), ("State", TaskStatus.CANCELLED, 1)):
        control = labelled(view.root, label)
        before, control.value = control.value, value
        done()
        assert len(rows(view)) == count, label
        control.value = before
        done()
    labelled(view.root, "Search").value = "answer 11"
    done()
    assert len(rows(view)) == 1
    labelled(view.root, "Search").value = "nothing like it"
    done()
    assert "no question matches these filters" in words(view.root)


def test_it_can_be_sorted(inbox, current):
    """The order is by time, by answer or by cost."""
    fill(current, 12)
    view = inbox()
    labelled(view.root, "Order").value = Order.OLDEST
    done()
    assert "number 0<" in rows(view)[0]
    labelled(view.root, "Order").value = Order.COSTLIEST
    done()
    assert "number 11<" in rows(view)[0]


def test_an_unread_answer_is_marked_until_it_is_opened(inbox, current):
    """The mark is a word, not a colour; opening shows the answer and its id, and takes the mark away."""
    fill(current, 3)
    view = inbox()
    assert all("<b>unread · </b>" in row for row in rows(view))
    view._rows[1]._open.click()
    done()
    assert "Answer 1" in words(view.root)
    assert labelled(view.root, "Task id").value == "task_1"
    assert ["unread" in row for row in rows(view)] == [True, False, True]
    assert labelled(view.root, "Cancel").disabled, "what is over can't be cancelled"
    click(view.root, "Mark all as read")
    assert not any("unread" in row for row in rows(view))


def test_a_line_reads_all_as_the_button_does(current):
    """Each thing a button does has a line magic."""
    fill(current, 3)
    commands.run("inbox", "read")
    assert current.ledger.pages.page(PageFilter(state=State.UNREAD), 5) == []


def test_cancelling_asks_once(inbox, current, monkeypatch):
    """The first click asks, a double click is no answer, the next one cancels; the row says so in words."""
    from codevf_nb.widgets import _controls as controls

    current.watcher.stop()  # no answer comes in between
    task = current.ask(current.draft("Please look at this code", code="x = 1"))
    view = inbox()
    view._rows[0]._open.click()
    done()
    cancel = labelled(view.root, "Cancel")
    cancel.click()
    cancel.click()
    done()
    assert task.is_open
    assert cancel.description == "Cancel? Click again to confirm"
    monkeypatch.setattr(controls, "DOUBLE_CLICK_SECONDS", -1)
    cancel.click()
    done()
    assert task.status == "cancelled"
    assert f"{task.id} is {task.status}" in words(view.root)


def test_a_double_click_is_one_however_long_the_desk_is_busy(settle):
    """What counts is when it was clicked, not when somebody gets round to it, and that the question could be read."""
    from codevf_nb.widgets._controls import ConfirmButton

    confirmed = []
    ask = ConfirmButton("Cancel", "Stop it", lambda: confirmed.append(1))
    for earlier in (5.0, 4.8, 2.0):  # an impatient one among them, when the button still said Cancel
        ask._on_click(time.monotonic() - earlier)
    settle()
    assert not confirmed
    assert ask.widget.description == "Cancel? Click again to confirm"
    ask._on_click(time.monotonic() + 1.0)
    settle()
    assert confirmed == [1]
    assert ask.widget.description == "Cancel"


def test_it_is_live(inbox, current):
    """An answer that comes while the inbox is open is on show without a click."""
    view = inbox()
    task = current.ask(current.draft("Please look at this code", code="x = 1"))
    task.wait(20)
    eventually(lambda: rows(view) and "completed" in rows(view)[0], "the inbox has heard of it")


def test_a_hundred_thousand_open_as_fast_as_twenty_five(inbox, current):
    """A page is a page: what is not on show is not read, sorted or counted."""
    fill(current, 25)
    for wanted in (PageFilter(), PageFilter(state=State.UNREAD), PageFilter(state=State.OPEN)):
        current.ledger.pages.page(wanted, 11)
    with current.ledger.store.write() as connection:
        connection.execute(questions.delete())
    fill(current, 100_000)
    for order in Order:
        started = time.perf_counter()
        current.ledger.pages.page(PageFilter(order=order), 11)
        assert time.perf_counter() - started < 0.1, order
    started = time.perf_counter()
    view = inbox()
    assert len(rows(view)) == 10
    assert time.perf_counter() - started < 2


def test_it_lets_go(inbox, current):
    """A closed inbox is told nothing any more and keeps no thread."""
    view = inbox()
    before = len(current.watcher._subscriptions.listeners)
    view.close_view()
    assert len(current.watcher._subscriptions.listeners) == before - 1
    assert not [widget for widget in inside(view.root) if widget.comm is not None]


def test_a_page_without_widgets_lists_the_newest(current):
    """A terminal shows a table, and the commands that do the rest."""
    import codevf_nb

    fill(current, 3)
    text = repr(codevf_nb.inbox())
    assert "Question number 2" in text
    assert "%codevf show TASK" in text
