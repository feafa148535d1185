"""What a session does at the service beside asking: in turn, with every answer kept, and for all kernels."""

import threading
from dataclasses import replace

import pytest
from sqlalchemy import select

from codevf_nb import kernel as this_kernel
from codevf_nb.accounts.settings import Account
from codevf_nb.ledger import Store, sqlite_url
from codevf_nb.ledger.tables import leases
from codevf_nb.questions.question import Draft
from codevf_nb.sandbox import Sandbox
from codevf_nb.sdk import CodeVFClient
from codevf_nb.sdk.exceptions import RateLimitError, WaitTimeoutError
from codevf_nb.sdk.responses import RawAnswer
from codevf_nb.session import Session
from tests.support.questions import QUESTION, TERMS
from tests.waiting import eventually


def at(box, requests_per_second=None):
    """The session of a kernel on this sandbox."""
    return this_kernel.use(
        Account("sandbox", "sandbox", box.base_url, box.api_key, "a test", "sandbox", requests_per_second)
    )


def ask(kernel):
    return kernel.ask(kernel.draft("Is this join dropping rows?", code="a.merge(b)", project="line"))


def holders(kernel):
    with kernel.ledger.store.read() as connection:
        return connection.scalars(select(leases.c.owner)).all()


@pytest.mark.parametrize("call", ["balance", "tags", "task"])
def test_a_429_slows_everybody_down(call):
    """Whatever request meets a 429, nobody who shares the ledger sends before the time it named."""
    operation = {"task": "retrieve"}.get(call, call)
    with Sandbox(clock="virtual", reviewer="none", faults=(f"{operation}:1-99:429=both",)) as box:
        kernel = at(box, requests_per_second=1000.0)
        kernel.client = kernel._channel._client = CodeVFClient(box.api_key, box.base_url, max_retries=0)
        with pytest.raises(RateLimitError):
            kernel.refresh(ask(kernel).entry) if call == "task" else getattr(kernel, call)(refresh=True)
        assert 0.5 < kernel._rate_limiter.try_take() <= 1.0
        this_kernel.forget()


REQUESTS = {
    "balance": lambda kernel, _task: kernel.balance(refresh=True),
    "tags": lambda kernel, _task: kernel.tags(refresh=True),
    "project": lambda kernel, _task: kernel._project_id("another one"),
    "create": lambda kernel, _task: kernel._submission.submit(Draft(QUESTION, terms=TERMS), 1),
    "retrieve": lambda kernel, task: kernel.refresh(task),
    "cancel": lambda kernel, task: kernel.cancel(task),
    "elsewhere": lambda kernel, task: kernel._manual.import_task(task.task_id),
}


@pytest.mark.parametrize("request_", REQUESTS)
def test_a_turn_past_the_deadline_is_refused_before_it_is_taken(request_):
    """After a hint of 65 s every request of any kernel says so at once, and nothing of it is sent."""
    with Sandbox(clock="virtual", reviewer="none") as box:
        other = at(box, requests_per_second=1000.0)
        task = ask(other).entry
        other.watcher.stop()
        answer = RawAnswer("GET", "tags", 429, {"Retry-After": "65"}, b"")
        other._rate_limiter.record_rate_limit(answer)
        this_kernel.forget()
        kernel = at(box, requests_per_second=1000.0)
        kernel.watcher.stop()
        before = len(box.requests())
        with pytest.raises(
            RateLimitError, match=r"the rate limit allows this request in 6[345] s\. Nothing was sent\.$"
        ) as refused:
            REQUESTS[request_](kernel, task)
        assert len(box.requests()) == before
        assert not refused.value.uncertain
        assert [entry.attempts for entry in kernel.ledger.questions.latest()] == [1]
        this_kernel.forget()


def test_a_restarted_kernel_picks_up_what_is_open():
    """A task from before the kernel was restarted is answered in the ledger without anybody naming it."""
    with Sandbox(clock="virtual", reviewer="none") as box:
        first = at(box)
        task_id = ask(first).id
        this_kernel.forget()
        box.answer(task_id, "No row is dropped.")
        second = at(box)
        eventually(lambda: second.ledger.questions.task(task_id).status == "completed", "the answer")
        assert second.ledger.questions.task(task_id).message == "No row is dropped."
        this_kernel.forget()


def test_a_kernel_that_reaches_nothing_keeps_nobody_s_answers_away(own_home):
    """One kernel at a dead address was the first to poll: another one's question is answered all the same, and soon."""
    with Sandbox(rate_limit=None, reviewer="none") as box:
        store = sqlite_url(own_home / "ledger.sqlite")
        account = Account("sandbox", "sandbox", box.base_url, box.api_key, "a test", "sandbox", None)
        dead = Session(replace(account, base_url="http://127.0.0.1:9/api/v1/"), Store(store))
        alive = Session(account, Store(store))
        first = ask(alive)
        alive.watcher.stop()
        dead.watcher.wake()
        eventually(lambda: dead.watcher.problem, "the first poll of the dead one")
        assert holders(dead) == []
        other = Session(account, Store(store))
        second = other.ask(other.draft("Is this join dropping rows?", code="a.join(b)", project="line"))
        for task in (first, second):
            box.answer(task.id, "No row is dropped.")
        assert second.wait(timeout=20).message == "No row is dropped."
        dead.watcher.watch(first.entry)
        assert dead.watcher.wait(first.seen.id, timeout=20)
        assert first.message == "No row is dropped."
        for session in (dead, alive, other):
            session.close()


def test_a_session_that_is_closed_leaves_nothing():
    """Closing ends the thread and gives the duty up, so that another kernel polls at once."""
    with Sandbox(clock="virtual", reviewer="none") as box:
        kernel = at(box)
        ask(kernel)
        eventually(lambda: holders(kernel), "the duty taken")
        kernel.close()
        assert holders(kernel) == []
        assert "codevf-watcher" not in [thread.name for thread in threading.enumerate()]
        this_kernel.forget()


def test_a_cancelled_task_is_told_at_once():
    """Who waits for a task that is cancelled hears so from the ledger."""
    with Sandbox(clock="virtual", reviewer="none") as box:
        kernel = at(box)
        task = ask(kernel)
        task.cancel()
        assert task.wait(timeout=10).status == "cancelled"
        this_kernel.forget()


def test_waiting_ends_with_the_session():
    """Who waits without an end while the session is closed is told that the task goes on."""
    with Sandbox(clock="virtual", reviewer="none") as box:
        kernel = at(box)
        task = ask(kernel)
        threading.Timer(0.2, kernel.watcher.stop).start()
        with pytest.raises(WaitTimeoutError, match="its session was closed"):
            task.wait()
        this_kernel.forget()


def test_a_look_that_brings_nothing_new_is_not_written_down(current, box):
    """Polls of a day write what has changed, with what came: a transaction each time, and none where nothing has."""
    task = ask(current)
    current.watcher.stop()
    box.answer(task.id, "No row is dropped.")
    written, write = [], current.ledger.store.write
    current.ledger.store.write = lambda: (written.append(1), write())[1]
    entry = current.refresh(task.seen)
    assert entry.message == "No row is dropped."
    assert len(written) == 1
    assert b"No row is dropped." in current.ledger.questions.raw(entry.id, "retrieve").body


def test_looks_at_a_task_that_waits_write_nothing():
    """Nothing is new until somebody answers."""
    with Sandbox(reviewer="none", rate_limit=None) as box:
        current = at(box)
        task = ask(current)
        current.watcher.stop()
        entry = current.refresh(task.entry)
        written, write = [], current.ledger.store.write
        current.ledger.store.write = lambda: (written.append(1), write())[1]
        for _ in range(5):
            assert current.refresh(entry).is_open
        assert written == []
        this_kernel.forget()
