"""Idempotency keys: what they promise, to whom, and for how long."""

import threading

from .conftest import PROMPT, Api

KEY = "5f0c7a1e-8a52-4b61-9c55-0d6f3f6b1c11"


def test_the_same_key_and_body_is_the_first_task(api):
    """Asked again, the first task comes back with 200 as it stands now, and nothing more is held."""
    first = api.create(idempotencyKey=KEY)
    balance = api.balance()
    api.box.advance(100)
    again = api.create(idempotencyKey=KEY.upper().lower())
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == {**first.json(), "status": "completed"}
    assert len(api.box.tasks()) == 1
    assert balance[1] == api.box.tasks()[0]["hold"]


def test_the_order_of_a_bodys_fields_is_no_difference(api):
    """Two bodies that mean the same are the same."""
    body = {"prompt": PROMPT, "maxCredits": 240, "projectId": 1, "idempotencyKey": KEY}
    first = api.call("POST", "tasks/create", body)
    again = api.call("POST", "tasks/create", dict(reversed(body.items())))
    assert (again.status_code, again.json()["id"]) == (200, first.json()["id"])


def test_another_body_or_another_api_key_is_a_conflict(boxes):
    """A key that stands for something else is 409 idempotency_conflict."""
    box = boxes(api_keys=("cvf_test_other",))
    mine, other = Api(box), Api(box, "cvf_test_other")
    mine.project()
    mine.task(idempotencyKey=KEY)
    for conflict, why in (
        (mine.create(idempotencyKey=KEY, maxCredits=241), "another request body"),
        (other.create(idempotencyKey=KEY), "another API key"),
    ):
        assert (conflict.status_code, conflict.json()["error"]["code"]) == (409, "idempotency_conflict")
        assert why in conflict.json()["error"]["message"]
    assert len(box.tasks()) == 1


def test_a_key_is_forgotten_after_a_day(api):
    """After 24 hours of the sandbox's clock the same key makes a new task."""
    first = api.task(idempotencyKey=KEY)
    api.box.advance(24 * 3600 - 10)
    assert api.create(idempotencyKey=KEY).json()["id"] == first
    api.box.advance(20)
    assert api.task(idempotencyKey=KEY) != first


def test_a_refused_request_does_not_use_its_key_up(boxes):
    """A key whose request was refused is still free."""
    api = Api(boxes(credits=100))
    api.project()
    assert api.create(idempotencyKey=KEY).status_code == 402
    assert api.create(idempotencyKey=KEY, prompt="short").status_code == 400
    api.box.top_up(1000)
    assert api.create(idempotencyKey=KEY).status_code == 201


def test_a_key_in_flight_is_409_until_its_first_request_is_answered(boxes):
    """While the first request is held up, the same key is 409 in flight; afterwards it is the first task."""
    box = boxes(faults=("create:1:delay=1.5",))
    api = Api(box)
    api.project()
    answers = []
    first = threading.Thread(target=lambda: answers.append(Api(box).create(idempotencyKey=KEY)))
    first.start()
    while not box.tasks():
        first.join(0.01)
    early = api.create(idempotencyKey=KEY)
    assert (early.status_code, early.json()["error"]["code"]) == (409, "idempotency_in_flight")
    assert early.json()["error"]["retryable"] is True
    first.join()
    late = api.create(idempotencyKey=KEY)
    assert (answers[0].status_code, late.status_code) == (201, 200)
    assert late.json()["id"] == answers[0].json()["id"]
