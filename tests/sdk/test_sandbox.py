"""The client against the sandbox, over a real socket: two programs that share nothing but the contract."""

import threading

import pytest

from codevf_nb import sdk
from codevf_nb.sdk import CodeVFClient, calculate_final_credit_cost

sandbox = pytest.importorskip("codevf_nb.sandbox")
PROMPT = "Is this join dropping rows?"


@pytest.fixture(scope="module")
def box():
    with sandbox.Sandbox(rate_limit=None, clock="virtual", seed=1) as box:
        yield box


@pytest.fixture
def client(box):
    with CodeVFClient(box.api_key, box.base_url, sleep=lambda _: None) as client:
        yield client


def test_a_question_is_asked_answered_and_paid(client):
    """A task from creation to its answer: held, charged no more than priced, and the rest released."""
    project = client.projects.create("reviews", "what is asked")
    assert client.projects.create("reviews").id == project.id
    tag = min((tag for tag in client.tags.list() if tag.is_active), key=lambda tag: tag.cost_multiplier)
    before = client.credits.get_balance()
    task = client.tasks.create(PROMPT, 240, project.id, mode="fast", tag_id=tag.id, attachments=[("a.py", "x = 1\n")])
    price = calculate_final_credit_cost(240, "fast", tag.cost_multiplier)
    held = client.credits.get_balance()
    assert sdk.differences(task, mode="fast", max_credits=240, multiplier=tag.cost_multiplier) == []
    assert before.available - held.available == price
    assert held.available + held.on_hold == held.total
    done = client.tasks.wait(task.id)
    assert done.status == "completed"
    assert done.result.message
    assert 0 < done.credits_used <= price
    assert client.credits.get_balance().available == before.available - done.credits_used


def test_the_same_bytes_are_one_task(client):
    """Sending a prepared task twice gives the same task, and holds its credits once."""
    project = client.projects.create("reviews")
    prepared = client.tasks.prepare(PROMPT, 240, project.id)
    first = client.tasks.send(prepared)
    held = client.credits.get_balance().total
    assert client.tasks.send(prepared).id == first.id
    assert client.credits.get_balance().total == held
    other = client.tasks.prepare(PROMPT + " Really?", 240, project.id, idempotency_key=prepared.idempotency_key)
    with pytest.raises(sdk.IdempotencyConflictError):
        client.tasks.send(other)


def test_a_task_can_be_cancelled_before_its_answer(client):
    """A cancelled task is final and costs nothing."""
    before = client.credits.get_balance().available
    task = client.tasks.create(PROMPT, 240, client.projects.create("reviews").id)
    client.tasks.cancel(task.id)
    assert client.tasks.retrieve(task.id).status == "cancelled"
    assert client.credits.get_balance().available == before


def test_a_schema_gives_data_that_fits_it(client):
    """A structured answer is data that fits its schema, and a table of it has rows."""
    project = client.projects.create("reviews")
    task = client.tasks.create(PROMPT, 240, project.id, response_schema=[("severity", "string"), ("line", "int64")])
    done = client.tasks.wait(task.id)
    assert done.is_structured
    assert sdk.mismatches(done.result, done.response_schema) == []
    assert sdk.rows(done.result) is not None


def test_the_sandboxs_refusals_are_the_contracts(box, client):
    """Another's task, a wrong key, a project that is not there: each its own exception."""
    with pytest.raises(sdk.NotFoundError):
        client.tasks.retrieve("task_nobody")
    with pytest.raises(sdk.APIError):
        client.tasks.create(PROMPT, 240, 999_999_999)
    with pytest.raises(sdk.AuthenticationError):
        CodeVFClient("cvf_test_stranger", box.base_url).credits.get_balance()


def test_a_hundred_sends_of_one_key_are_one_task(box, client):
    """Ten threads that send the same bytes ten times each create one task."""
    prepared = client.tasks.prepare(PROMPT, 240, client.projects.create("reviews").id)
    ids = []
    threads = [
        threading.Thread(target=lambda: ids.extend(client.tasks.send(prepared).id for _ in range(10)))
        for _ in range(10)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ids) == 100
    assert len(set(ids)) == 1


@pytest.mark.parametrize(
    "fault", ["create:1:drop-after-commit", "create:1:drop-before-commit", "create:1:truncate", "create:1:status=500"]
)
def test_a_fault_never_pays_twice(fault):
    """Whatever happens to the first answer, the retry gives the one task, held once."""
    with sandbox.Sandbox(rate_limit=None, clock="virtual", seed=1, faults=(fault,)) as box:
        client = CodeVFClient(box.api_key, box.base_url, sleep=lambda _: None)
        project = client.projects.create("reviews")
        before = client.credits.get_balance().available
        task = client.tasks.create(PROMPT, 240, project.id, tag_id=5)
        assert task.id
        assert before - client.credits.get_balance().available == 240
