"""Credits: held at creation, charged at completion, released for the rest."""

import pytest

from .conftest import Api


@pytest.mark.parametrize(
    ("mode", "tag", "credits", "hold"),
    [("fast", 1, 240, 612), ("standard", 5, 240.5, 241), ("realtime_answer", 4, 60, 180)],
)
def test_a_hold_is_price_rounded_up(api, mode, tag, credits, hold):
    """maxCredits × mode × tag, rounded up to a whole credit, goes on hold."""
    api.task(mode=mode, tagId=tag, maxCredits=credits)
    assert api.balance() == (100_000 - hold, hold, 100_000)


def test_the_golden_costs_are_the_holds(golden):
    """The documents' examples of what a task may cost are what the sandbox holds."""
    import math
    from decimal import Decimal

    from codevf_nb.sandbox._rules import MODES

    for vector in golden("cost"):
        multiplier = MODES[vector["mode"]].multiplier * Decimal(vector["tag_multiplier"])
        assert math.ceil(vector["max_credits"] * multiplier) == vector["cost"]


def test_a_completed_task_is_charged_what_it_used(api):
    """The charge is never above the hold, and the rest is available again."""
    done = api.answered(mode="fast", tagId=5)
    used = done["creditsUsed"]
    assert used == 144  # 40% of 360: nothing was attached to work on
    assert api.balance() == (100_000 - used, 0, 100_000 - used)


def test_a_cancelled_task_releases_its_whole_hold(api):
    """Cancelling gives everything back, cancelling again changes nothing, a completed task can't be cancelled."""
    task_id = api.task()
    for _ in range(2):
        cancelled = api.call("POST", f"tasks/{task_id}/cancel")
        assert (cancelled.status_code, cancelled.json()["status"]) == (200, "cancelled")
        assert api.balance() == (100_000, 0, 100_000)
    api.box.advance(1000)
    assert api.get(task_id)["status"] == "cancelled"
    late = api.call("POST", f"tasks/{api.answered()['id']}/cancel")
    assert (late.status_code, late.json()["error"]["code"]) == (400, "TASK_NOT_CANCELLABLE")


@pytest.mark.parametrize("status", ["failed", "expired", "canceled"])
def test_a_task_that_ends_otherwise_costs_nothing(boxes, status):
    """Failed and expired tasks release their whole hold."""
    api = Api(boxes(reviewer="none"))
    api.project()
    task_id = api.task()
    api.box.end(task_id, status)
    assert api.get(task_id)["status"] == status
    assert api.balance() == (100_000, 0, 100_000)


def test_too_few_credits_are_402_in_the_documents_words(boxes, golden):
    """402 says what is available and what is required, creates nothing, and a top-up helps."""
    api = Api(boxes(credits=600))
    api.project()
    refused = api.create(mode="standard", tagId=5, maxCredits=3000)
    vector = next(item for item in golden("errors") if item["status"] == 402)
    assert (refused.status_code, refused.json()) == (402, vector["response"])
    assert api.box.tasks() == []
    api.box.top_up(2400)
    assert api.create(mode="standard", tagId=5, maxCredits=3000).status_code == 201
    assert api.box.balance() == {"available": 0, "onHold": 3000, "total": 3000}


def test_a_balance_may_have_decimals(boxes):
    """Credits that aren't whole are decimals in JSON, whole ones aren't."""
    api = Api(boxes(credits=1249.5))
    assert api.call("GET", "credits/balance").json() == {"available": 1249.5, "onHold": 0, "total": 1249.5}
