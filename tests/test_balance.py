"""What is left on the account: asked for as often as a person should see it anew, not with every question."""

import time

import pytest

from codevf_nb.delivery import service_info
from codevf_nb.display import rendering as display
from codevf_nb.sandbox import Sandbox
from codevf_nb.widgets import _fallbacks as fallbacks
from tests.support.magics import run


@pytest.fixture
def box():
    """A sandbox that goes by today's clock, as a balance's age does."""
    with Sandbox(answer_after=0, rate_limit=None) as sandbox:
        yield sandbox


def asked(current, number: int):
    """A question whose answer is there."""
    return current.ask(current.draft(f"Is this comparison right? Number {number}.", code="total = 1")).wait(20)


def looks(box) -> int:
    """How often the balance was asked for."""
    return sum(path.endswith("credits/balance") for _, path, *_ in box.requests())


def test_a_balance_is_asked_for_again_once_credits_have_moved(current, box):
    """Whoever looks at it sees what the last answer cost, and looking again asks nobody."""
    asked(current, 1)
    before = looks(box)
    shown = current.balance()
    assert float(shown.available) == box.balance()["available"] < 100_000
    assert current.balance().available == shown.available
    assert looks(box) == before + 1


def test_questions_ask_for_the_balance_once(current, box):
    """One from shortly before is enough for the book, however many questions follow."""
    for number in range(3):
        asked(current, number)
    assert looks(box) == 1


def test_a_balance_of_minutes_ago_will_do_where_the_service_is_away(current, box):
    """One look that fails is enough: nobody who types into the picker waits for another one at once."""
    asked(current, 1)
    known = current.ledger.balances.last()
    box.add_fault("balance:1-99:status=500")
    current.client._transport.sleep = lambda _: None
    assert float(current.balance().available) == known.available
    before = looks(box)
    assert float(current.balance().available) == known.available
    assert looks(box) == before


def test_a_service_that_says_nothing_is_not_waited_for(current, box, monkeypatch):
    """Where a balance from before will do, a look at a new one ends within seconds."""
    monkeypatch.setattr(service_info, "SHORT_DEADLINE_SECONDS", 0.2)
    asked(current, 1)
    box.add_fault("balance:1-99:delay=30")
    began = time.monotonic()
    assert current.balance().available is not None
    assert time.monotonic() - began < 20


def test_a_dry_run_needs_no_balance(shell, current, box):
    """Where none can be had, the price and the files are told all the same, and that it isn't known."""
    box.add_fault("balance:1-99:status=500")
    current.client._transport.sleep = lambda _: None
    result, shown = run(shell, "%%codevf Is this default right? --dry-run\ntotal = 1")
    assert result.success
    assert "would cost at most 240 credits" in shown.stdout
    assert f"{display.UNKNOWN_BALANCE}: " in shown.stdout
    assert "would leave" not in shown.stdout


def test_text_in_place_of_the_dashboard_says_that_it_is_behind(current):
    """It asks nobody, so it says what it can't know."""
    asked(current, 1)
    assert "credits have moved since" in fallbacks.dashboard(current)["text/plain"]
    current.balance()
    assert "credits have moved since" not in fallbacks.dashboard(current)["text/plain"]


@pytest.mark.parametrize(("seconds", "asked_again"), [(295, False), (305, True), (-295, False), (-305, True)])
def test_a_balance_is_shown_again_for_five_minutes(current, box, seconds, asked_again):
    """One seen within 300 s by this machine's clock will do; after that it is asked for again."""
    current.balance()
    began = time.time()
    current.ledger.store._clock = lambda: time.time() + seconds
    current.balance()
    assert time.time() - began < 4, "too slow to tell"
    assert looks(box) == 1 + asked_again


@pytest.mark.parametrize("ahead", [0, 2, 600, -600, 86_400])
def test_a_service_whose_clock_differs_is_asked_no_more_often(current, box, ahead):
    """The age of a balance is a matter of our own clock, however far ahead or behind the service's is."""
    current.ledger.store._clock = lambda: time.time() - ahead
    for number in range(4):
        asked(current, number)
    assert looks(box) == 1


def test_a_new_balance_is_waited_for_three_seconds_at_most(current, box):
    """Where one from before will do, the request has 3 s, its turn included."""
    asked(current, 1)
    waited = []
    current._rate_limiter.wait = waited.append
    current.balance()
    assert [pytest.approx(3.0, abs=0.08)] == waited
