"""Waiting: when a task is looked at, what ends it, and what does not."""

import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from codevf_nb.sdk import NotFoundError, WaitTimeoutError, next_poll
from codevf_nb.sdk.limits import HINT_CAP

STATUSES = st.sampled_from(["pending", "processing", "reviewing", "PENDING", ""])
# The first draw of a run builds tables, and two busy cores are slow.
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def task(status: str, mode: str = "fast") -> dict[str, str]:
    return {"id": "task_1", "status": status, "mode": mode}


@pytest.mark.parametrize("status", ["pending", "processing", "reviewing", ""])
def test_the_first_look_is_after_two_seconds(status):
    """A task that was created just now is looked at 2 s after its creation."""
    assert next_poll(status, 0) == 2
    assert next_poll(status, 0.5) == 1.5


@pytest.mark.parametrize(
    ("elapsed", "delay"), [(2, 2), (99, 2), (100, 2), (101, 2.02), (600, 12), (999, 19.98), (1000, 20), (10**9, 20)]
)
def test_the_pace_is_in_proportion(elapsed, delay):
    """A task is looked at again after 2% of its age, at least 2 s and at most 20 s."""
    assert next_poll("processing", elapsed) == pytest.approx(delay)


@patient
@given(STATUSES, st.floats(2, 1e7))
def test_an_answer_between_two_looks_is_noticed_in_proportion(status, elapsed):
    """Wherever in the interval it comes: within 5% of the time it took, at least 2 s and at most 30 s later."""
    assert next_poll(status, elapsed) <= min(max(2.0, 0.05 * elapsed), 30.0)


@patient
@given(STATUSES, st.floats(-1e9, 1e9), st.none() | st.floats(-1e9, 1e9))
def test_the_next_look_is_never_far_off(status, elapsed, hint):
    """Odd clocks and hints give a wait of at most the cap, and never a negative one."""
    assert 0 <= next_poll(status, elapsed, hint) <= HINT_CAP


def test_a_final_task_is_not_looked_at_again():
    """There is no next look after the end, whatever the hint says."""
    assert next_poll("completed", 5, 1) == math.inf
    assert next_poll("canceled", 5) == math.inf


def test_a_hint_decides_also_where_it_is_shorter():
    """The service's Retry-After beats the cadence in both directions."""
    assert next_poll("processing", 5, 0) == 0
    assert next_poll("pending", 5, 60) == 60


def test_waiting_looks_until_the_task_is_final(client, service, time):
    """The wait polls by the cadence, tells each look, and returns the final task."""
    service.answers(
        service.reply(task("pending")),
        service.reply(task("processing"), Retry_After="1"),
        service.reply(task("processing")),
        service.reply({**task("completed"), "result": {"message": "Fine."}}),
    )
    seen = []
    done = client.tasks.wait("task_1", on_progress=lambda task: seen.append(task.status))
    assert done.result.message == "Fine."
    assert seen == ["pending", "processing", "processing", "completed"]
    assert time.sleeps[0] == 2
    assert time.sleeps[1] == 2
    assert time.sleeps[2] == 1
    assert time.sleeps[3] == 2


def test_looks_that_fail_do_not_end_the_wait(client, service, time):
    """Minutes of failures are waited out."""
    failures = [service.reply({}, 503), service.raw(b""), service.reply({}, 429, Retry_After="2")] * 4
    service.answers(*failures, service.reply(task("completed")))
    assert client.tasks.wait("task_1").is_final
    assert len(service.requests) == 13


def test_the_deadline_ends_the_wait_not_the_task(client, service, time):
    """After the timeout the error has the task as last seen, and nothing was cancelled."""
    service.answers(service.reply(task("processing")))
    began = time.now
    with pytest.raises(WaitTimeoutError, match="still processing after 20 s") as caught:
        client.tasks.wait("task_1", timeout=20)
    assert isinstance(caught.value, TimeoutError)
    assert caught.value.task.status == "processing"
    assert time.now - began == pytest.approx(20)
    assert all(request.method == "GET" for request in service.requests)


def test_the_deadline_holds_while_looks_fail(client, service, time):
    """A service that only fails costs the timeout, and no more."""
    service.answers(service.reply({}, 500))
    began = time.now
    with pytest.raises(WaitTimeoutError, match="never retrieved"):
        client.tasks.wait("task_1", timeout=30)
    assert time.now - began <= 30.01


def test_a_task_that_is_not_there_ends_the_wait(client, service):
    """No amount of waiting makes a foreign id a task."""
    service.answers(service.reply({}, 404))
    with pytest.raises(NotFoundError):
        client.tasks.wait("task_1")
    assert len(service.requests) == 1
