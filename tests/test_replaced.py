"""A session that another one replaces, and a sandbox that is stopped, started again, or gone."""

import threading

import pytest

import codevf_nb as cvf
from codevf_nb import kernel
from codevf_nb.accounts import settings
from codevf_nb.accounts.settings import Account
from codevf_nb.sandbox import Sandbox, process
from codevf_nb.sdk.exceptions import CodeVFError
from tests.waiting import eventually


@pytest.fixture(autouse=True)
def _ended():
    yield
    kernel.forget()
    process.stop(settings.home())


def ask(number):
    return cvf.ask(f"Is this cell right? Number {number}.", code="x = 1")


def watchers():
    return [thread for thread in threading.enumerate() if thread.name == "codevf-watcher"]


def restart(**options):
    process.stop(settings.home())
    return cvf.use_sandbox(rate_limit=None, **options)


def test_a_sandbox_that_was_restarted_is_polled_at_its_new_address():
    """The session at the old address is closed, and stands in nobody's way: open questions are answered as new ones."""
    restart(answer_after=4.0)
    before = ask(1)
    restart(answer_after=0.5)
    after = ask(2)
    assert len(watchers()) == 1
    assert after.wait(timeout=20).status == "completed"
    eventually(lambda: before.status == "completed", "the answer to the question from before the restart")


@pytest.mark.parametrize(("call", "options"), [("wait", {"timeout": 30}), ("cancel", {}), ("refresh", {})])
def test_a_task_of_a_sandbox_that_is_gone_says_so(call, options):
    """After --fresh no answer can come: whoever waits for one, cancels or refreshes hears why, at once."""
    restart(answer_after=60.0)
    task = ask(1)
    cvf.use_sandbox(fresh=True, rate_limit=None)
    with pytest.raises(CodeVFError, match="its sandbox is gone"):
        getattr(task, call)(**options)


def test_the_wait_ends_when_the_sandbox_goes():
    """Another kernel replaces the sandbox while this one waits: the wait ends, and nothing is watched any more."""
    restart(answer_after=60.0)
    task = ask(1)
    process.start(settings.home(), fresh=True)
    with pytest.raises(CodeVFError, match="its sandbox is gone"):
        task.wait(timeout=30)
    eventually(lambda: not watchers(), "the watcher's end")


def test_a_stopped_sandbox_is_not_gone():
    """It has its tasks when it is started again."""
    restart(answer_after=60.0)
    account = kernel.current().account
    process.stop(settings.home())
    assert account.gone() is None


def test_another_account_leaves_the_watching_to_who_asked():
    """A question on one account is answered while the kernel is on another one; at the end all of it is closed."""
    with Sandbox(rate_limit=None, reviewer="none") as box:
        first = kernel.use(Account("test-1", "test", box.base_url, box.api_key, "a test", box.base_url, None))
        task = first.ask(first.draft("Is this cell right?", code="x = 1"))
        restart(answer_after=0.1)
        box.answer(task.id, "It is.")
        eventually(lambda: task.status == "completed", "the answer")
        assert ask(1).wait(timeout=20).status == "completed"
        kernel.forget()
        assert watchers() == []
