"""Turns: one budget of requests for all, and work that one process does for all."""

import itertools
import random
import sqlite3
import threading
from dataclasses import dataclass
from itertools import pairwise

import pytest
from sqlalchemy import event

from codevf_nb.ledger import Duty, Limiter, Store
from codevf_nb.ledger.turns import SPARE_SECONDS
from tests.virtual import VirtualTime

SECOND = 1.0


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

    def make(credential: str = "key") -> Limiter:
        return Limiter(shared, credential, 1.0, time.sleep, time.clock)

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

    began: float = 0.0
    came: float = 0.0
    stay_away: float | None = None


class Wire:
    """The way to a service and back in virtual time, and when requests have arrived there."""

    def __init__(self, time) -> None:
        self._time = time
        self.arrived: list[float] = []

    def request(self, limiter, *, before=0.0, there=0.01, back=0.01) -> None:
        """Send what has its turn, after a while: ``before`` is what it takes until the first byte leaves."""
        self._time.sleep(before)
        began = self._time.clock()
        self._time.sleep(there)
        self.arrived.append(self._time.clock())
        self._time.sleep(back)
        limiter.heard(Answered(began, self._time.clock()))


@pytest.fixture
def wire(time):
    return Wire(time)


@pytest.mark.parametrize(
    ("where", "slowest"),
    [
        *itertools.product(("the disk", "connecting", "the way there", "the way back", "waking"), (0.1, 0.5)),
        ("everything", 0.15),
    ],
)
def test_whatever_is_slow_now_and_then_brings_no_two_together(shared, limiter, time, wire, where, slowest):
    """However late a turn is written down, woken for or used, requests arrive a second apart, whoever sends them."""
    chance = random.Random(2)
    ends = time.clock() + 60

    def delay(here):
        return chance.choice((*[0] * 7, slowest)) if where in (here, "everything") else 0

    def request(own):
        there, back = 0.01 + delay("the way there"), 0.01 + delay("the way back")
        wire.request(own, before=delay("connecting"), there=there, back=back)

    def sender(pause):
        own = limiter()
        while time.clock() < ends:
            own.wait()
            request(own)
            time.sleep(chance.uniform(0, pause))

    def poller():
        own = limiter()
        while time.clock() < ends:
            if (wait := own.free_in()) == 0:
                request(own)
            time.sleep(wait)

    event.listen(shared._engine, "commit", lambda _: time.stall(delay("the disk")))
    time.late = lambda: delay("waking")
    time.run(poller, *[lambda pause=pause: sender(pause) for pause in (0.1, 1, 3, 9)])
    assert closest(wire.arrived) >= SECOND
    assert len(wire.arrived) >= (0.95 - 0.6 * slowest) * 60


@pytest.mark.parametrize("slow", [0.05, 0.3])
@pytest.mark.parametrize("where", ["the disk", "connecting", "both"])
def test_what_is_slow_every_time_is_no_way_to_get_used_to(shared, limiter, time, wire, where, slow):
    """Of two kernels one is slow with each of its requests, and the other one follows it closely."""
    time.late = lambda: 0.0
    is_written = threading.local()

    def execute(_connection, _cursor, statement, *_):
        is_written.now = getattr(is_written, "now", False) or not statement.startswith("SELECT")

    def commit(_):
        time.stall(slow if getattr(is_written, "now", False) and where != "connecting" else 0)
        is_written.now = False

    event.listen(shared._engine, "before_cursor_execute", execute)
    event.listen(shared._engine, "commit", commit)

    def kernel(comes, before):
        own = limiter()
        time.sleep(comes)
        for _ in range(8):
            began = time.clock()
            own.wait()
            wire.request(own, before=before)
            time.sleep(10 + began - time.clock())

    time.run(lambda: kernel(0, 0 if where == "the disk" else slow), lambda: kernel(0.5, 0))
    assert closest(wire.arrived) >= SECOND
    assert len(wire.arrived) == 16


def test_a_way_that_has_become_longer_is_got_used_to(limiter, time, wire):
    """After a minute on a network ten times as slow, requests go at their pace again."""
    time.late = lambda: 0.0
    own = limiter()

    def sender():
        for number in range(160):
            own.wait()
            wire.request(own, there=0.01 if number < 40 else 0.1, back=0.01 if number < 40 else 0.1)

    time.run(sender)
    assert closest(wire.arrived) >= SECOND
    assert wire.arrived[-1] - wire.arrived[100] <= 59 * 1.05


def test_a_slow_answer_holds_up_nobody_where_others_have_gone_since(limiter, time, wire):
    """Answers that take seconds cost the others none of their turns: it is too late to do anything about them."""
    time.late = lambda: 0.0
    ends = time.clock() + 60

    def sender(*backs):
        own = limiter()
        for back in itertools.cycle(backs):
            own.wait()
            if time.clock() >= ends:
                return
            wire.request(own, back=back)

    time.run(*[lambda: sender(0.01, 1.7)] * 4)
    assert closest(wire.arrived) >= SECOND
    assert len([moment for moment in wire.arrived if moment < ends]) >= 0.95 * 60


def test_who_leaves_late_tells_the_others_at_once(limiter, time, wire):
    """However long the service takes to answer it, those behind whoever woke late keep their distance."""
    time.late = lambda: 0.0

    def sender(comes, late=0.0):
        own = limiter()
        own._sleep = lambda seconds: time.sleep(seconds + late)
        time.sleep(comes)
        own.wait()
        wire.request(own, back=3)

    time.run(lambda: sender(0), lambda: sender(0.1, late=0.5), lambda: sender(0.2), lambda: sender(0.3))
    assert closest(wire.arrived) >= SECOND
    assert len(wire.arrived) == 4


def test_who_queues_isn_t_late_for_having_written_that_down(shared, limiter, time):
    """A place that took long to commit is left at its time all the same."""
    time.late = lambda: 0.0
    began = time.clock()
    left: list[float] = []

    def second():
        time.sleep(0.2)
        event.listen(shared._engine, "commit", lambda _: time.stall(0.3), once=True)
        limiter().wait()
        left.append(time.clock() - began)

    time.run(lambda: limiter().wait(), second)
    assert left == [pytest.approx(SECOND + SPARE_SECONDS, abs=1e-3)]


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
        limiter().heard(Answered(stay_away=10.0))

    time.run(told, *[lambda number=number: sender(number) for number in range(5)])
    assert [number for _, number in left] == [0, 1, 2, 3, 4]
    assert left[0][0] < 0.5
    assert left[1][0] >= 10.9
    moments = [moment for moment, _ in left]
    assert closest(moments) >= SECOND
    assert moments[-1] < 10.9 + 4 * 1.1


@pytest.mark.parametrize(("stay_away", "seconds"), [(None, 0), (0.0, 1), (9.0, 9), (9e9, 300)])
def test_what_slows_everybody_down(limiter, stay_away, seconds):
    """Only a 429 slows all down: for at least a turn, for the hint it brings, and for five minutes at most."""
    limiter().heard(Answered(stay_away=stay_away))
    assert limiter().free_in() == pytest.approx(seconds, abs=0.1)


def test_an_answer_matters_more_than_its_turn(shared, limiter, caplog):
    """Where the ledger can't be written when an answer comes, that is no reason not to take the answer in."""
    own = limiter()
    own.wait()
    event.listen(shared._engine, "commit", lambda _: (_ for _ in ()).throw(sqlite3.OperationalError("disk full")))
    own.heard(Answered(stay_away=5.0))
    assert "others were not held back" in caplog.text
    assert "disk full" in caplog.text


@pytest.mark.parametrize(("stay_away", "overslept"), [(0.0, 0.05), (10.0, 0.05), (10.0, 3.0)])
def test_a_429_is_heard_by_those_who_were_due(limiter, time, stay_away, overslept):
    """Whoever wakes up late, and finds that the service has said to wait meanwhile, waits as well."""
    time.late = lambda: 0.0
    left: list[float] = []
    began = time.clock()
    told_at = SECOND + SPARE_SECONDS + overslept / 2

    def sender(comes, overslept=0.0):
        own = limiter()
        late = [overslept]
        own._sleep = lambda seconds: time.sleep(seconds + (late.pop() if late else 0))
        time.sleep(comes)
        own.wait()
        left.append(time.clock() - began)

    def told():
        time.sleep(told_at)
        limiter().heard(Answered(stay_away=stay_away))

    time.run(lambda: sender(0), lambda: sender(0.1, overslept), lambda: sender(0.2), lambda: sender(0.3), told)
    assert not [moment for moment in left if told_at < moment < told_at + max(stay_away, SECOND)]
    assert len(left) == 4
    assert closest(sorted(left)) >= SECOND


def test_a_queue_that_is_not_believed_is_over(shared, time):
    """Where so many queue that it looks like a clock set back, their turns are none; still no two go at once."""
    left: list[float] = []
    ends = time.clock() + 300

    def sender():
        own = Limiter(shared, "key", 0.1, time.sleep, time.clock)
        own.wait()
        if time.clock() < ends:
            left.append(time.clock())

    time.run(*[sender] * 80)
    assert closest(left) >= 10 * SECOND
    assert len(left) >= 0.95 * 30


def test_polling_stands_back(limiter, time):
    """No turn is free for polling while somebody queues; then one is; and it keeps a second's distance as well."""
    left: list[tuple[float, str]] = []

    def sender(name):
        limiter().wait()
        left.append((time.clock(), name))

    def poller():
        own = limiter()
        while len(left) < 6:
            if (wait := own.free_in()) == 0:
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
            time.sleep(limiter().free_in())

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


def test_a_clock_set_back_an_hour_blocks_nobody(limiter, time):
    """After the clock went back, turns go on at their pace: what lies an hour ahead can't be meant."""
    limiter().wait()
    time.time -= 3600
    began = time.clock()
    time.run(lambda: limiter().wait(), lambda: limiter().wait())
    assert time.clock() - began < 2.2
    assert limiter().free_in() <= 2.2


def test_keys_have_their_own_budgets(shared, limiter, time):
    """Another key doesn't wait for this one's turns, and an account without a limit waits for nothing."""
    began = time.clock()
    limiter("one").wait()
    limiter("two").wait()
    free = Limiter(shared, "one", None, time.sleep, time.clock)
    free.wait()
    free.heard(Answered(stay_away=60.0))
    assert free.free_in() == 0.0
    assert time.clock() == began


def test_a_duty_is_one_process_s(shared, time):
    """One of two holds it, and goes on holding it, for as long as it renews."""
    first, second = (Duty(shared, "watch", owner, 8.0, time.clock) for owner in ("first", "second"))
    for _ in range(60):
        assert first.is_mine()
        assert not second.is_mine()
        time.time += 1
    first.release()
    assert second.is_mine(), "released, and not free at once"
    assert not first.is_mine()


def test_a_duty_passes_on_when_its_holder_is_gone(shared, time):
    """A holder that has died is believed for the time of its lease, and not longer."""
    first, second = (Duty(shared, "watch", owner, 8.0, time.clock) for owner in ("first", "second"))
    assert first.is_mine()
    died = time.clock()
    while not second.is_mine():
        time.time += 0.25
    assert 7 < time.clock() - died <= 8.5


def test_a_duty_from_before_the_clock_was_set_back(shared, time):
    """A lease that ends in an hour can't have been given out by this clock: it holds nobody up."""
    first, second = (Duty(shared, "watch", owner, 8.0, lambda: 0.0) for owner in ("first", "second"))
    assert first.is_mine()
    time.time -= 3600
    assert second.is_mine()


def test_only_the_holder_can_release(shared, time):
    """Giving up what another one holds changes nothing."""
    first, second = (Duty(shared, "watch", owner, 8.0, time.clock) for owner in ("first", "second"))
    assert first.is_mine()
    second.release()
    assert not second.is_mine()
