"""A forked child uses no connection, lock, thread or lease of its parent's."""

import os
import threading
import time

import codevf_nb as cvf
from codevf_nb import kernel
from codevf_nb.ledger import Ledger, Store
from codevf_nb.sdk import forks
from tests.slow import PROMPT, slow_service
from tests.waiting import eventually


def in_child(job) -> None:
    """Run this in a forked child, which ends right after it, and fail where it fails."""
    child = os.fork()
    if child == 0:
        try:
            job()
        except BaseException:  # noqa: BLE001 - whatever it was
            import traceback

            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_fork_while_every_lock_is_held():
    """A child that is forked in the worst moment asks, waits and closes as if it were alone."""
    with slow_service() as service:
        session = kernel.use(service.account)
        task = cvf.ask(PROMPT + "0", code="x")
        locks = [
            session.watcher._subscriptions.lock,
            session._service_info._prefetch.lock,
            session.client._transport.wire._lock,
            session._channel._polling._transport.wire._lock,
        ]
        for lock in locks:
            lock.acquire()
        try:
            child = os.fork()
            if child == 0:
                threading.Timer(15, lambda: os._exit(9)).start()
                answer = cvf.ask(PROMPT + "1", code="x").wait(10).message
                cvf.tags(refresh=True)
                task.refresh()
                kernel.close_sessions()
                os._exit(answer != "answer to 1")
        finally:
            for lock in locks:
                lock.release()
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert task.refresh().message == "answer to 0"
        kernel.forget()


def test_a_child_watches_for_itself():
    """It has no watcher's thread until it waits, then one of its own; the parent's displays are not its to update."""
    with slow_service(answers=False) as service:
        session = kernel.use(service.account)
        told = []
        session.watcher.add_listener(lambda entry: told.append(entry) if os.getpid() == parent else os._exit(3))
        parent = os.getpid()
        task = cvf.ask(PROMPT + "0", code="x")
        child = os.fork()
        if child == 0:
            before = [thread.name for thread in threading.enumerate() if "codevf" in thread.name]
            message = task.wait(20).message
            os._exit((before, message) != ([], "late"))
        time.sleep(0.2)
        service.answer(task.id, "late")
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert task.wait(20).message == "late"
        assert told[-1].message == "late"
        kernel.forget()


def test_the_polling_stays_with_the_parent(tmp_path):
    """A child that is forked from the process that polls does not take itself for that process."""
    store = Store(f"sqlite:///{tmp_path / 'ledger.sqlite'}")
    leader_lease = Ledger(store, "sandbox", "sandbox").leader_lease("watch", 60)
    assert leader_lease.acquire()

    def child():
        assert not leader_lease.acquire()
        leader_lease.release()

    in_child(child)
    assert leader_lease.acquire()
    assert Ledger(store, "sandbox", "sandbox").leader_lease("watch", 60).is_held_elsewhere()
    store.close()


def test_who_holds_what_one_process_may_use_is_told():
    """As long as it lives, in each child and in the children's children; not in the parent, and not after its end."""

    class Holder:
        told = 0

        def __init__(self):
            forks.reset_after_fork(self.reset)

        def reset(self):
            self.told += 1

    holder, gone = Holder(), Holder()
    known = len(forks._resets)
    del gone
    eventually(lambda: len(forks._resets) < known, "the end of what is gone")

    def child():
        assert holder.told == 1
        in_child(lambda: os._exit(holder.told != 2))

    in_child(child)
    assert holder.told == 0
