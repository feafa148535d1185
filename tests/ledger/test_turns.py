"""Turns: one rate limit for all, and work that one process does for all."""

import contextlib
import random
import sqlite3
from dataclasses import dataclass
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, text, update

from codevf_nb.ledger import (
    LeaderLease,
    LedgerError,
    MemoryStore,
    RateLimiter,
    Store,
)
from codevf_nb.ledger._rate_limit import SPARE_SECONDS
from codevf_nb.ledger.tables import limits
from codevf_nb.sdk.exceptions import RateLimitError
from codevf_nb.sdk.limits import HINT_CAP, TIMEOUT
from tests.virtual import VirtualTime

SECOND = 1.0
TURN = SECOND + SPARE_SECONDS
MINUTE, DAY = 60.0, 86_400.0


def closest(moments):
    """Return the least distance between two that follow each other."""
    return min(later - sooner for sooner, later in pairwise(moments))


@pytest.fixture
def time():
    """Virtual time in which everybody wakes up to 20 ms late, as on a busy machine."""
    chance = random.Random(1)
    return VirtualTime(late=lambda: chance.uniform(0, 0.02))


@pytest.fixture
def shared(ledger_url, time):
    """An empty ledger on the virtual clock."""
    store = Store(ledger_url, clock=time.clock)
    yield store
    store.close()


@pytest.fixture
def limiter(shared, time):
    """Make a limiter of one key at 1 request/s, as each kernel has its own."""

    def make(credential: str = "key") -> RateLimiter:
        return RateLimiter(shared, credential, 1.0, time.sleep, time.clock)

    return make


def test_thirty_two_share_one_request_a_second(limiter, time):
    """In a minute 32 senders use at least 95% of what is allowed, never two within a second, and all come to go."""
    left: list[tuple[float, int]] = []
    ends = time.clock() + 60

    def sender(number):
        own = limiter()
        while True:
            own.wait()
            if time.clock() >= ends:
                return
            left.append((time.clock(), number))
            time.sleep(0.05)

    time.run(*[lambda number=number: sender(number) for number in range(32)])
    moments = [moment for moment, _ in left]
    assert closest(moments) >= SECOND
    assert len(moments) >= 0.95 * 60
    assert [number for _, number in left[32:]] == [number for _, number in left[: len(left) - 32]], "no fair turns"


@dataclass
class Answered:
    """An answer, as much of it as a limiter looks at."""

    rate_limit_seconds: float | None = None


def test_a_slow_disk_delays_no_one_who_waits(shared, limiter, time):
    """A turn is written down before it comes, so a request that waits for its own leaves on time."""
    time.late = lambda: 0.0
    left: list[float] = []
    began = time.clock()

    def sender(comes):
        time.sleep(comes)
        limiter().wait()
        left.append(time.clock() - began)

    event.listen(shared._engine, "commit", lambda _: time.stall(0.3))
    time.run(*[lambda comes=comes: sender(comes) for comes in (0, 0.1, 0.2, 0.3)])
    assert sorted(left)[1:] == [pytest.approx(turn * TURN, abs=0.31) for turn in (1, 2, 3)]
    assert closest(sorted(left)[1:]) >= SECOND


@pytest.mark.parametrize("within", [3.0, 20.0, TIMEOUT, 1e9])
def test_a_turn_past_the_deadline_is_not_taken(limiter, time, within):
    """Of 72 that send at once, those whose turn comes too late hear so at once, and leave their turns to others."""
    time.late = lambda: 0.0
    refused: list[tuple[float, str]] = []
    left: list[float] = []
    began = time.clock()

    def sender():
        own = limiter()
        try:
            own.wait(within)
        except RateLimitError as error:
            refused.append((time.clock() - began, str(error)))
        else:
            left.append(time.clock() - began)

    time.run(*[sender] * 72)
    goes = int(min(within, TIMEOUT) / TURN) + 1
    assert len(left) == goes
    assert max(left) <= min(within, TIMEOUT)
    assert {at for at, _ in refused} == {0.0}, "they waited before they were refused"
    assert {why for _, why in refused} == {f"the rate limit allows this request in {goes * TURN:.0f} s"}
    time.time = began + goes * TURN
    assert limiter().try_take() == pytest.approx(0, abs=1e-6), "a turn was taken that no one used"


@pytest.mark.parametrize(("comes", "late"), [(0.0, 0.4), (0.1, 0.4)])
def test_a_slow_machine_waits_for_no_second_turn(shared, limiter, time, comes, late):
    """Where each commit and each waking is late by 0.4 s, a request still goes with its first turn."""
    time.late = lambda: late
    event.listen(shared._engine, "commit", lambda _: time.stall(late))
    if comes:
        limiter().try_take()
    began = time.clock()
    time.run(lambda: limiter().wait())
    assert time.clock() - began <= comes + TURN + 3 * late


@pytest.mark.parametrize(("within", "goes"), [(63.0, False), (66.0, True)])
def test_a_hint_past_the_deadline_is_refused_at_once(limiter, time, monkeypatch, within, goes):
    """After ``Retry-After: 65`` a request with less time than that is refused, with the seconds, and takes no turn."""
    monkeypatch.setattr("codevf_nb.ledger._rate_limit.TIMEOUT", 120.0)
    limiter().record_rate_limit(Answered(rate_limit_seconds=65.0))
    began = time.clock()
    if goes:
        time.run(lambda: limiter().wait(within))
        assert time.clock() - began == pytest.approx(65, abs=0.1)
    else:
        with pytest.raises(RateLimitError, match="allows this request in 65 s") as refused:
            limiter().wait(within)
        assert refused.value.retry_after == pytest.approx(65)
        assert refused.value.status_code is None
        time.time += 65
        assert limiter().try_take() == 0.0


def test_a_429_holds_back_those_who_have_a_place(limiter, time):
    """Places in the queue that were taken before the service said to wait count only after it; the order stays."""
    left: list[tuple[float, int]] = []
    began = time.clock()

    def sender(number):
        own = limiter()
        time.sleep(number / 10)
        own.wait()
        left.append((time.clock() - began, number))

    def told():
        time.sleep(0.9)
        limiter().record_rate_limit(Answered(rate_limit_seconds=10.0))

    time.run(told, *[lambda number=number: sender(number) for number in range(5)])
    assert [number for _, number in left] == [0, 1, 2, 3, 4]
    assert left[0][0] < 0.5
    assert left[1][0] >= 10.9
    moments = [moment for moment, _ in left]
    assert closest(moments) >= SECOND
    assert moments[-1] < 10.9 + 4 * 1.1


@pytest.mark.parametrize(("rate_limit_seconds", "seconds"), [(None, 0), (0.0, 1), (9.0, 9), (9e9, 300)])
def test_what_slows_everybody_down(limiter, rate_limit_seconds, seconds):
    """Only a 429 slows all down: for at least a turn, for the hint it brings, and for five minutes at most."""
    limiter().record_rate_limit(Answered(rate_limit_seconds=rate_limit_seconds))
    assert limiter().try_take() == pytest.approx(seconds, abs=0.1)


def test_an_answer_matters_more_than_its_turn(shared, limiter, caplog):
    """Where the ledger can't be written when an answer comes, that is no reason not to take the answer in."""
    own = limiter()
    own.wait()
    event.listen(shared._engine, "commit", lambda _: (_ for _ in ()).throw(sqlite3.OperationalError("disk full")))
    own.record_rate_limit(Answered(rate_limit_seconds=5.0))
    assert "was not recorded for other processes" in caplog.text
    assert "disk full" in caplog.text


@pytest.mark.parametrize(("rate_limit_seconds", "overslept"), [(0.0, 0.05), (10.0, 0.05), (10.0, 3.0)])
def test_a_429_is_heard_by_those_who_were_due(limiter, time, rate_limit_seconds, overslept):
    """Whoever wakes up late, and finds that the service has said to wait meanwhile, waits as well."""
    time.late = lambda: 0.0
    left: list[float] = []
    began = time.clock()
    told_at = TURN + overslept / 2

    def sender(comes, overslept=0.0):
        own = limiter()
        late = [overslept]
        own._sleep = lambda seconds: time.sleep(seconds + (late.pop() if late else 0))
        time.sleep(comes)
        own.wait()
        left.append(time.clock() - began)

    def told():
        time.sleep(told_at)
        limiter().record_rate_limit(Answered(rate_limit_seconds=rate_limit_seconds))

    time.run(lambda: sender(0), lambda: sender(0.1, overslept), lambda: sender(0.2), lambda: sender(0.3), told)
    assert not [moment for moment in left if told_at < moment < told_at + max(rate_limit_seconds, SECOND) - 1e-3]
    assert len(left) == 4
    assert closest(sorted(left)) >= SECOND


def test_polling_stands_back(limiter, time):
    """No turn is free for polling while somebody queues; then one is; and it keeps a second's distance as well."""
    left: list[tuple[float, str]] = []

    def sender(name):
        limiter().wait()
        left.append((time.clock(), name))

    def poller():
        own = limiter()
        while len(left) < 6:
            if (wait := own.try_take()) == 0:
                left.append((time.clock(), "poll"))
            time.sleep(min(wait, 0.05))

    def late_sender():
        time.sleep(4.5)
        sender("late")

    time.run(lambda: sender("a"), lambda: sender("b"), lambda: sender("c"), poller, late_sender)
    assert [name for _, name in left[:6]] == ["a", "b", "c", "poll", "poll", "late"]
    moments = [moment for moment, _ in left]
    assert closest(moments) >= SECOND


def test_who_submits_waits_for_one_poll_at_most(limiter, time):
    """Though a watcher takes every turn there is, a question leaves within one turn of being asked."""
    waits = []

    def poller():
        while len(waits) < 10:
            time.sleep(limiter().try_take())

    def sender():
        for _ in range(10):
            time.sleep(2.7)
            asked = time.clock()
            limiter().wait()
            waits.append(time.clock() - asked)

    time.run(poller, sender)
    assert max(waits) <= 1.1


def test_one_who_was_suspended_pushes_nobody(limiter, time):
    """A sender that wakes seconds after its turn keeps its distance from the others all the same."""
    left: list[float] = []
    slept = []

    def oversleep(seconds):
        slept.append(seconds)
        time.sleep(seconds + (3.4 if len(slept) == 1 else 0))

    def suspended():
        time.sleep(0.1)
        sleepy = limiter()
        sleepy._sleep = oversleep
        sleepy.wait()
        left.append(time.clock())

    def sender():
        limiter().wait()
        left.append(time.clock())

    time.run(sender, suspended, *[lambda: (time.sleep(0.2), sender())] * 6)
    assert len(left) == 8
    assert closest(left) >= SECOND


def test_one_who_gave_up_costs_one_turn(limiter, time):
    """Ctrl-C while queueing wastes that place and nothing else."""
    limiter().wait()
    began = time.clock()

    def interrupted():
        own = limiter()

        def interrupt(_seconds):
            raise KeyboardInterrupt

        own._sleep = interrupt
        with pytest.raises(KeyboardInterrupt):
            own.wait()

    time.run(interrupted)
    time.run(lambda: limiter().wait())
    assert time.clock() - began < 2.2


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(
    jumps=st.lists(
        st.floats(TIMEOUT + 2 * TURN, 400 * DAY)
        | st.floats(-30 * MINUTE, -TIMEOUT - 2 * TURN)
        | st.floats(-400 * DAY, -TIMEOUT - 2 * TURN),
        min_size=1,
        max_size=6,
    ),
    waiting=st.integers(0, 40),
)
def test_a_clock_that_jumps_costs_one_turn(jumps, waiting):
    """After a clock was set by minutes or by days, either way, the next request waits one turn at most."""
    now, passed = [2_000_000_000.0], [0.0]

    def sleep(seconds):
        now[0] += seconds
        passed[0] += seconds

    def gives_up(_seconds):
        raise KeyboardInterrupt

    store = MemoryStore(clock=lambda: now[0])
    limiter = RateLimiter(store, "key", 1.0, sleep, lambda: passed[0])
    for _ in range(waiting):
        with contextlib.suppress(KeyboardInterrupt):
            RateLimiter(store, "key", 1.0, gives_up, lambda: passed[0]).wait()
    for jump in jumps:
        before = passed[0]
        now[0] += jump
        limiter.wait()
        assert passed[0] - before <= TURN + 1e-3
    store.close()


@pytest.mark.parametrize(
    ("moment", "ahead", "waits"),
    [
        ("next_allowed_at", TIMEOUT + 0.9 * TURN, True),
        ("next_allowed_at", TIMEOUT + 1.2 * TURN, False),
        ("closed_until", HINT_CAP - 1, True),
        ("closed_until", HINT_CAP + 1, False),
    ],
)
def test_a_moment_too_far_ahead_is_not_believed(shared, limiter, time, moment, ahead, waits):
    """No turn is given out more than a call's deadline ahead, and no hint of a 429 counts for over five minutes."""
    limiter().try_take()
    with shared.write() as connection:
        connection.execute(update(limits).values({moment: time.clock() + ahead}))
    assert (limiter().try_take() > 2) == waits


def test_an_older_version_on_this_ledger_sends_nothing(shared, limiter, time):
    """A kernel that still runs the version before finds its columns gone: a LedgerError, and all is as it was."""
    limiter().try_take()
    with pytest.raises(LedgerError), shared.write() as connection:
        connection.execute(text("SELECT next_allowed_at, queue_until, put_off FROM limits"))
    assert limiter().try_take() == pytest.approx(TURN)


def test_keys_have_their_own_budgets(shared, limiter, time):
    """Another key doesn't wait for this one's turns, and an account without a limit waits for nothing."""
    began = time.clock()
    limiter("one").wait()
    limiter("two").wait()
    free = RateLimiter(shared, "one", None, time.sleep, time.clock)
    free.wait()
    free.record_rate_limit(Answered(rate_limit_seconds=60.0))
    assert free.try_take() == 0.0
    assert time.clock() == began


def test_a_duty_is_one_process_s(shared, time):
    """One of two holds it, and goes on holding it, for as long as it renews."""
    first, second = (LeaderLease(shared, "watch", owner, 8.0, time.clock) for owner in ("first", "second"))
    for _ in range(60):
        assert first.acquire()
        assert not second.acquire()
        time.time += 1
    first.release()
    assert second.acquire(), "released, and not free at once"
    assert not first.acquire()


def test_a_duty_passes_on_when_its_holder_is_gone(shared, time):
    """A holder that has died is believed for the time of its lease, and not longer."""
    first, second = (LeaderLease(shared, "watch", owner, 8.0, time.clock) for owner in ("first", "second"))
    assert first.acquire()
    died = time.clock()
    while not second.acquire():
        time.time += 0.25
    assert 7 < time.clock() - died <= 8.5


def test_a_duty_from_before_the_clock_was_set_back(shared, time):
    """A lease that ends in an hour can't have been given out by this clock: it holds nobody up."""
    first, second = (LeaderLease(shared, "watch", owner, 8.0, lambda: 0.0) for owner in ("first", "second"))
    assert first.acquire()
    time.time -= 3600
    assert second.acquire()


def test_only_the_holder_can_release(shared, time):
    """Giving up what another one holds changes nothing."""
    first, second = (LeaderLease(shared, "watch", owner, 8.0, time.clock) for owner in ("first", "second"))
    assert first.acquire()
    second.release()
    assert not second.acquire()
