"""Budgets: what counts, when a period begins anew, and that nobody goes past one."""

import os
import subprocess
import sys
import threading
import time
from calendar import monthrange
from datetime import UTC, datetime
from subprocess import PIPE

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from codevf_nb.ledger import (
    BudgetExceededError,
    Ledger,
    Period,
    SendState,
    Store,
)
from codevf_nb.ledger._budgets import amount
from codevf_nb.sdk.exceptions import BadRequestError
from tests.support.budgets import NOON, Asking, question

DAY = 86400.0


@pytest.fixture
def asking(store: Store) -> Asking:
    return Asking(store)


def test_a_question_that_would_go_past_it_is_refused(asking):
    """The message says what it may cost, how much is left, until when, that nothing was sent, and the way on."""
    asking.ledger.budgets.set("2000/day")
    asking.prepare(1400)
    with pytest.raises(BudgetExceededError) as told:
        asking.prepare(612)
    assert str(told.value) == (
        "this may cost 612 credits, and only 600 of 2,000 credits per day are left until 2026-11-19 00:00 UTC. "
        "Nothing was sent. Ask with a smaller -c, or raise it: %codevf budget N/day."
    )
    asking.prepare(600)
    assert asking.taken == 2000
    assert len(asking.ledger.questions.latest()) == 2


def test_what_counts(asking):
    """Refused and never sent: nothing. Unknown and open: the worst case. Final: what it used."""
    asking.ledger.budgets.set("10000/day")
    sending = asking.ledger.sending
    first, lease = asking.prepare(100)
    assert asking.taken == 100
    sending.close(lease, "nobody heard")
    assert (asking.ledger.questions.get(first.id).state, asking.taken) == (SendState.OPEN, 100)
    refused, lease = asking.prepare(200)
    asking.ledger.questions.record_response(refused, "create", 402, b"", None, failed=1)
    sending.close(lease, "no", refused=True)
    assert (asking.ledger.questions.get(refused.id).state, asking.taken) == (SendState.REFUSED, 100)
    _, lease = asking.prepare(300)
    sending.close(lease, "never left", failed=1)
    assert asking.taken == 100
    sending.accept(first, task_id="task_1", status="processing")
    assert asking.taken == 100
    asking.ledger.questions.update_from_task(first, status="completed", credits_used=40.0, completed_at=NOON)
    assert asking.taken == 40
    cancelled, _ = asking.prepare(500)
    sending.accept(cancelled, task_id="task_2", status="pending")
    asking.ledger.questions.update_from_task(cancelled, status="cancelled", completed_at=NOON)
    assert asking.taken == 40


def test_a_question_that_is_prepared_counts_while_somebody_may_send_it(asking):
    """Its worst case is reserved with its first attempt: until that is known to have come to nothing."""
    asking.ledger.budgets.set("1000/day")
    lease = asking.ledger.lease(90)
    with lease.held():
        asking.ledger.sending.prepare(b"bytes", lease, asking.now, **question("one", 700))
        assert asking.taken == 700
    assert asking.taken == 700, "a process that died may have sent it"
    asking.ledger.sending.close(lease, "never left", failed=1)
    assert asking.taken == 0


def test_a_new_period_begins_anew(asking):
    """What was asked yesterday counts for yesterday, and for the week and the month it was in."""
    for period in Period:
        asking.ledger.budgets.set(f"1000/{period}")
    asking.prepare(900)
    asking.now += DAY
    taken = {budget.period: budget.taken for budget in asking.ledger.budgets.standing()}
    assert taken == {Period.DAY: 0, Period.WEEK: 900, Period.MONTH: 900}
    with pytest.raises(BudgetExceededError, match=r"per month|per week"):
        asking.prepare(200)


@pytest.mark.parametrize(
    ("period", "begins", "ends"),
    [
        (Period.DAY, (2026, 11, 18), (2026, 11, 19)),
        (Period.WEEK, (2026, 11, 16), (2026, 11, 23)),
        (Period.MONTH, (2026, 11, 1), (2026, 12, 1)),
    ],
)
def test_periods(period, begins, ends):
    """Days begin at midnight UTC, weeks on Monday, months on the first."""
    assert period.around(NOON) == tuple(datetime(*day, tzinfo=UTC).timestamp() for day in (begins, ends))


def test_a_project_of_its_own(asking):
    """A project's budget binds its own questions alone; the account's binds all."""
    asking.ledger.budgets.set("1000/day")
    asking.ledger.budgets.set("300/day", "shop")
    asking.prepare(300, "shop")
    with pytest.raises(BudgetExceededError, match=r"project shop.*--project shop"):
        asking.prepare(1, "shop")
    asking.prepare(700, "other")
    with pytest.raises(BudgetExceededError, match="only 0 of 1,000"):
        asking.prepare(1, "other")
    assert [(budget.project, budget.left) for budget in asking.ledger.budgets.standing("other")] == [("", 0)]
    assert asking.ledger.budgets.remove("shop")
    assert [budget.project for budget in asking.ledger.budgets.standing()] == [""]


def test_a_new_key_does_not_lift_a_budget(asking, store):
    """Budgets, and what counts towards them, are an environment's: another account of it keeps the same ones."""
    asking.ledger.budgets.set("500/day")
    asking.ledger.budgets.set("400/week", "shop")
    asking.prepare(240)
    renewed = Asking(store, "live-2")
    assert renewed.taken == 240
    with pytest.raises(BudgetExceededError, match="only 260 of 500"):
        renewed.prepare(261, "other")
    with pytest.raises(BudgetExceededError, match="only 160 of 400"):
        renewed.prepare(161)
    renewed.prepare(160)
    assert asking.taken == 400


def test_another_environment_has_its_own(asking, store):
    """A sandbox's questions are no live account's, and its budgets neither."""
    asking.ledger.budgets.set("100/day")
    box = Ledger(store, "sandbox-2", "sandbox", clock=lambda: NOON)
    lease = box.lease(90)
    with lease.held():
        box.sending.prepare(b"bytes", lease, NOON, **question("one", 5000) | {"environment": "sandbox"})
        assert box.budgets.standing() == []
        assert asking.taken == 0
        box.budgets.set("6000/day")
        earlier = Ledger(store, "sandbox", "sandbox", clock=lambda: NOON)
        assert [budget.taken for budget in earlier.budgets.standing()] == [5000]


def test_a_task_counts_once(asking, store):
    """A task that was asked under one key and looked at under another is one question."""
    asking.ledger.budgets.set("1000/day")
    asked, _ = asking.prepare(240)
    asking.ledger.sending.accept(asked, task_id="task_1", status="completed", credits_used=100.0, completed_at=NOON)
    renewed = Ledger(store, "live-2", "live", clock=lambda: NOON)
    whose = {"environment": "live", "origin": "x", "credential": "y", "asked_by": "elsewhere"}
    renewed.questions.import_task("task_1", NOON, **whose, status="completed", credits_used=100.0)
    renewed.questions.import_task("task_2", NOON, **whose, status="completed", credits_used=50.0)
    renewed.questions.import_task("task_1", NOON, **whose | {"origin": "z"}, status="completed", credits_used=50.0)
    assert asking.taken == 150


@pytest.mark.parametrize("period", Period)
@pytest.mark.parametrize("cost_cap", [0, 1, 240, 1000])
def test_the_exact_amount_passes_and_one_credit_more_does_not(asking, period, cost_cap):
    """What is left can be asked for to the last credit, in every period."""
    asking.ledger.budgets.set(f"1000/{period}")
    asking.prepare(1000 - cost_cap)
    with pytest.raises(BudgetExceededError):
        asking.prepare(cost_cap + 1)
    asking.prepare(cost_cap)
    assert asking.ledger.budgets.standing()[0].left == 0


@pytest.mark.parametrize(
    ("period", "first"),
    [
        *((Period.DAY, (2026, month, 1)) for month in (1, 3, 12)),
        *((Period.WEEK, day) for day in ((2026, 11, 16), (2026, 12, 28), (2027, 1, 4), (2024, 2, 26))),
        *((Period.MONTH, day) for day in ((2026, 11, 1), (2026, 12, 1), (2027, 1, 1), (2024, 2, 1), (2026, 2, 1))),
    ],
)
def test_a_period_to_the_second(asking, period, first):
    """What was asked in its first and in its last second counts in it, and in no other one."""
    begins = datetime(*first, tzinfo=UTC).timestamp()
    ends = period.around(begins)[1]
    days = {"day": 1, "week": 7, "month": monthrange(*first[:2])[1]}[period]
    assert ends == begins + days * DAY
    asking.ledger.budgets.set(f"1000/{period}")
    for now, taken in ((begins - 1, 1), (begins, 10), (ends - 1, 110), (ends, 1000)):
        asking.now = now
        asking.prepare(taken - (10 if now == ends - 1 else 0))
        assert asking.taken == taken, now
        assert (asking.ledger.budgets.standing()[0].until == ends) is (begins <= now < ends)


def test_two_kernels_cannot_both_take_the_last_credit(ledger_url):
    """Eight kernels ask for 300 of the last 1,000 credits at the same moment: three get them."""
    Ledger(Store(ledger_url), "live-1", "live").budgets.set("1000/day")
    start, outcomes = threading.Barrier(8), []

    def ask(number: int) -> None:
        store = Store(ledger_url)
        kernel = Asking(store)
        start.wait(30)
        try:
            kernel.prepare(300, identity=f"question {number}")
            outcomes.append("prepared")
        except BudgetExceededError:
            outcomes.append("refused")
        store.close()

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(outcomes) == ["prepared"] * 3 + ["refused"] * 5


RACER = """
import sys
from codevf_nb.ledger import BudgetExceededError, Store
from tests.support.budgets import Asking
url, account = sys.argv[1:]
racer = Asking(Store(url), account)
print("ready", flush=True)
sys.stdin.readline()
try:
    racer.prepare(300, identity=account)
    print("prepared")
except BudgetExceededError:
    print("refused")
"""


def test_two_keys_cannot_both_take_what_one_may(ledger_url):
    """Two processes with different keys ask for the last 300 credits at the same moment: one gets them."""
    ledger = Ledger(Store(ledger_url), "live-0", "live")
    ledger.budgets.set("300/month")
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACER, ledger_url, f"live-{number}"], stdin=PIPE, stdout=PIPE, text=True
        )
        for number in (1, 2)
    ]
    for racer in racers:
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        racer.stdin.write("go\n")
        racer.stdin.flush()
    assert sorted(racer.communicate(timeout=60)[0].strip() for racer in racers) == ["prepared", "refused"]
    ledger.store.close()


def test_asking_again_after_a_refusal_counts_once(asking):
    """The same question, refused and asked anew, is one question to a budget."""
    asking.ledger.budgets.set("1000/day")
    first, lease = asking.prepare(600, identity="one")
    asking.ledger.questions.record_response(first, "create", 402, b"", None, failed=1)
    asking.ledger.sending.close(lease, "no", refused=True)
    again, _ = asking.prepare(600, identity="one")
    assert (again.id, asking.taken) == (first.id, 600)


@pytest.mark.parametrize(
    ("text", "read"),
    [("2000/day", (2000, Period.DAY)), ("10,000 / Week", (10_000, Period.WEEK)), ("0.5/month", (0.5, Period.MONTH))],
)
def test_budgets_as_people_type_them(text, read):
    """So many credits per day, week or month."""
    assert amount(text) == read


@pytest.mark.parametrize("text", ["2000", "2000/year", "-1/day", "nan/day", "inf/day", "lots/day", "", "/day"])
def test_what_is_no_budget(text):
    """Anything else is one clear line with an example."""
    with pytest.raises(BadRequestError, match="such as 2000/day; not"):
        amount(text)


LENGTHS = {Period.DAY: (1,), Period.WEEK: (7,), Period.MONTH: (28, 29, 30, 31)}


@settings(max_examples=200, deadline=None)
@given(
    now=st.integers(0, 4_000_000_000),
    zone=st.sampled_from(["America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"]),
    period=st.sampled_from(list(Period)),
)
@example(now=1_772_951_400, zone="America/New_York", period=Period.DAY)  # 2026-03-08: the clock is put forward
@example(now=1_792_889_940, zone="Europe/Berlin", period=Period.WEEK)  # 2026-10-25: and back
def test_a_period_is_whole_days_wherever_the_machine_is(now, zone, period):
    """Summer time moves no budget: each period begins and ends at midnight UTC, the next one where it ends."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = zone
    time.tzset()
    try:
        begins, ends = period.around(now)
        assert begins <= now < ends
        assert begins % DAY == ends % DAY == 0
        assert (ends - begins) / DAY in LENGTHS[period]
        assert period.around(ends)[0] == ends
        assert period.around(begins) == (begins, ends)
    finally:
        os.environ.pop("TZ") if before is None else os.environ.update(TZ=before)
        time.tzset()
