"""What buttons ask for is done one after another, on one thread that ends."""

import threading

from codevf_nb.widgets._job_queue import JobQueue
from tests.waiting import eventually


def test_jobs_are_done_in_order_on_another_thread():
    """Nothing is done where the click arrives, and nothing is done twice at a time."""
    job_queue, done = JobQueue(), []
    for number in range(5):
        job_queue.submit(number, lambda number=number: done.append((number, threading.current_thread().name)))
    assert job_queue.wait_idle(5)
    assert done == [(number, "codevf-jobs") for number in range(5)]


def test_what_waits_under_the_same_key_is_done_once():
    """Twenty keystrokes while the desk is busy are one look at the form, and it sees the last of them."""
    job_queue, done, busy = JobQueue(), [], threading.Event()
    job_queue.submit("busy", lambda: busy.wait(5))
    for number in range(20):
        job_queue.submit("look", lambda number=number: done.append(number))
    busy.set()
    assert job_queue.wait_idle(5)
    assert done == [19]


def test_a_job_that_fails_ends_nothing(caplog):
    """The next click is done all the same."""
    job_queue, done = JobQueue(), []
    job_queue.submit(1, lambda: 1 / 0)
    job_queue.submit(2, lambda: done.append(2))
    assert job_queue.wait_idle(5)
    assert done == [2]
    assert "job failed" in caplog.text


def test_the_thread_ends_with_the_work():
    """A kernel in which nobody clicks has no thread, and what ticks keeps it only until it is taken away."""
    job_queue, ticks = JobQueue(period_seconds=0.01), []

    def tick():
        ticks.append(1)

    job_queue.add_periodic(tick)
    eventually(lambda: len(ticks) > 3, "it ticks")
    job_queue.remove_periodic(tick)
    eventually(lambda: job_queue._thread is None, "the thread ends")
    job_queue.submit("again", lambda: ticks.append("again"))
    assert job_queue.wait_idle(5)
    assert ticks[-1] == "again"


def test_a_bound_method_can_be_taken_away_again():
    """Views tick with their own methods, and two looks at one are not the same object."""

    class View:
        def tick(self):
            pass

    job_queue, view = JobQueue(), View()
    job_queue.add_periodic(view.tick)
    job_queue.remove_periodic(view.tick)
    assert job_queue._periodic == []
