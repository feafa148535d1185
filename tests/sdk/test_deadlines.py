"""The one thread that minds every exchange's time."""

import threading

import pytest

from codevf_nb.sdk._deadlines import Deadlines


def test_it_calls_when_time_is_up():
    """One that is due sooner than what the thread waits for is not late."""
    deadlines, called = Deadlines(), threading.Event()
    deadlines.start("long", 3600, lambda: None)
    deadlines.start("short", 0.01, called.set)
    assert called.wait(10)


def test_what_was_dropped_is_not_called():
    """An exchange that ended in time is not cut off later."""
    deadlines, dropped, called = Deadlines(), [], threading.Event()
    with deadlines._changed:  # its thread can't look in between, however long this takes
        deadlines.start("dropped", 0.01, lambda: dropped.append(1))
        deadlines.cancel("dropped")
    deadlines.start("kept", 0.02, called.set)
    assert called.wait(10)
    assert dropped == []


def test_one_thread_minds_all():
    """A hundred exchanges start one thread."""
    before = set(threading.enumerate())
    deadlines = Deadlines()
    for number in range(100):
        deadlines.start(number, 3600, lambda: None)
        deadlines.cancel(number)
    assert [thread.name for thread in set(threading.enumerate()) - before] == ["codevf-deadlines"]


def test_a_thread_that_could_not_start_is_tried_again(monkeypatch):
    """One exchange fails; the deadlines of those after it are minded."""
    deadlines, called = Deadlines(), threading.Event()

    def refuse(_thread):
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        with pytest.raises(RuntimeError):
            deadlines.start("first", 0.01, lambda: None)
    deadlines.start("second", 0.01, called.set)
    assert called.wait(10)


def test_what_one_callback_raises_harms_no_other():
    """Its thread goes on."""
    deadlines, called = Deadlines(), threading.Event()
    deadlines.start("first", 0.01, lambda: 1 / 0)
    deadlines.start("second", 0.05, called.set)
    assert called.wait(10)
