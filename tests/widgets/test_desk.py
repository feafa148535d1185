"""What buttons ask for is done one after another, on one thread that ends."""

import threading

from codevf_nb.widgets._job_queue import Desk
from tests.waiting import eventually


def test_jobs_are_done_in_order_on_another_thread():
    """Nothing is done where the click arrives, and nothing is done twice at a time."""
    desk, done = Desk(), []
    for number in range(5):
        desk.do(number, lambda number=number: done.append((number, threading.current_thread().name)))
    assert desk.settled(5)
    assert done == [(number, "codevf-desk") for number in range(5)]


def test_what_waits_under_the_same_key_is_done_once():
    """Twenty keystrokes while the desk is busy are one look at the form, and it sees the last of them."""
    desk, done, busy = Desk(), [], threading.Event()
    desk.do("busy", lambda: busy.wait(5))
    for number in range(20):
        desk.do("look", lambda number=number: done.append(number))
    busy.set()
    assert desk.settled(5)
    assert done == [19]


def test_a_job_that_fails_ends_nothing(caplog):
    """The next click is done all the same."""
    desk, done = Desk(), []
    desk.do(1, lambda: 1 / 0)
    desk.do(2, lambda: done.append(2))
    assert desk.settled(5)
    assert done == [2]
    assert "stumbled" in caplog.text


def test_the_thread_ends_with_the_work():
    """A kernel in which nobody clicks has no thread, and what ticks keeps it only until it is taken away."""
    desk, ticks = Desk(tick_seconds=0.01), []

    def tick():
        ticks.append(1)

    desk.tick(tick)
    eventually(lambda: len(ticks) > 3, "it ticks")
    desk.untick(tick)
    eventually(lambda: desk._thread is None, "the thread ends")
    desk.do("again", lambda: ticks.append("again"))
    assert desk.settled(5)
    assert ticks[-1] == "again"


def test_a_bound_method_can_be_taken_away_again():
    """Views tick with their own methods, and two looks at one are not the same object."""

    class View:
        def tick(self):
            pass

    desk, view = Desk(), View()
    desk.tick(view.tick)
    desk.untick(view.tick)
    assert desk._ticking == []
