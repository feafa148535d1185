"""The watcher's thread: one, only while it is needed, and gone without a trace."""

import itertools
import os
import signal
import threading
from dataclasses import replace

import pytest

from codevf_nb.delivery._watcher_callbacks import PollResult, WatcherCallbacks
from codevf_nb.delivery.watcher import Watcher
from tests.waiting import eventually
from tests.watching import Question


class Threaded(Watcher):
    """A watcher with its thread, on a service that answers when it is told to."""

    def __init__(self):
        self.ledger = {1: Question(1), 2: Question(2)}
        self.released = 0
        self.asked = threading.Event()
        callbacks = WatcherCallbacks(
            poll=self.poll,
            look=lambda number: self.ledger[number],
            open=lambda: [entry for entry in self.ledger.values() if entry.is_open],
            due_in=lambda _entry: 0.0,
            may_poll=lambda: True,
            turn_in=lambda: 0.0,
            release=self.release,
            others_poll=lambda: False,
            gone=lambda: None,
        )
        super().__init__(callbacks)

    def poll(self, number):
        self.asked.set()
        return PollResult(self.ledger[number], 0.01)

    def release(self):
        self.released += 1

    def answer(self, *numbers):
        for number in numbers:
            self.ledger[number] = replace(self.ledger[number], status="completed")


def watchers():
    return [thread for thread in threading.enumerate() if thread.name == "codevf-watcher"]


@pytest.fixture
def threaded():
    watcher = Threaded()
    yield watcher
    watcher.stop()
    assert watchers() == []


def test_one_thread_that_ends_and_starts_again(threaded):
    """There is one thread while something is open, none before and after; giving up the lease is its last act."""
    assert watchers() == []
    for entry in threaded.ledger.values():
        threaded.watch(entry)
    assert len(watchers()) == 1
    threaded.answer(1, 2)
    assert threaded.wait(1, timeout=10)
    assert threaded.wait(2, timeout=10)
    eventually(lambda: not watchers(), "the thread's end")
    assert threaded.released == 1
    threaded.ledger[1] = Question(1)
    threaded.watch(threaded.ledger[1])
    assert len(watchers()) == 1
    threaded.answer(1)
    assert threaded.wait(1, timeout=10)


def test_stop_leaves_nothing(threaded):
    """Stopping ends the thread, gives up the lease, lets go of who waits, and nothing starts it again."""
    threaded.watch(threaded.ledger[1])
    heard = []
    waiting = threading.Thread(target=lambda: heard.append(threaded.wait(1)), daemon=True)
    waiting.start()
    threaded.stop()
    waiting.join(10)
    assert heard == [False]
    assert watchers() == []
    assert threaded.released == 1
    threaded.wake()
    threaded.watch(threaded.ledger[2])
    assert watchers() == []


def test_waking_with_nothing_open(threaded):
    """A session that is opened while nothing is open looks once, and its thread ends."""
    threaded.answer(1, 2)
    threaded.wake()
    eventually(lambda: not watchers(), "the thread's end")
    assert not threaded.asked.is_set()


def test_ctrl_c_while_waiting(threaded):
    """Ctrl-C ends the waiting at once, and only that: the watcher goes on, and can be waited for again."""
    threaded.watch(threaded.ledger[1])
    pressed = threading.Timer(0.2, lambda: os.kill(os.getpid(), signal.SIGINT))
    pressed.start()
    with pytest.raises(KeyboardInterrupt):
        threaded.wait(1, timeout=10)
    pressed.join()
    assert len(watchers()) == 1
    threaded.answer(1)
    assert threaded.wait(1, timeout=10)


def test_a_bug_doesn_t_end_the_thread(threaded, caplog, monkeypatch):
    """Whatever is thrown within a step, the watching goes on."""
    monkeypatch.setattr("codevf_nb.delivery.watcher.LAST_RETRY_SECONDS", 0.01)
    steps = itertools.count()
    step = threaded.step
    threaded.step = lambda: step() if next(steps) else {}["bug"]
    threaded.watch(threaded.ledger[1])
    assert threaded.asked.wait(10)
    assert "the watcher failed and continues" in caplog.text
