"""The one watcher: who polls, how often, in what order, and what it does when nothing is heard."""

import itertools
import logging
import math
import random
import statistics
from dataclasses import replace

import pytest

from codevf_nb.delivery.watcher import LOOK_SECONDS
from codevf_nb.ledger import (
    LeaderLease,
    LedgerError,
    RateLimiter,
    Store,
)
from codevf_nb.sdk.exceptions import (
    APIConnectionError,
    AuthenticationError,
    NotFoundError,
    RateLimitError,
    ServerError,
)
from tests.watching import CADENCE, Question, World, live


@pytest.fixture
def world():
    return World()


# -- pace and fairness


@pytest.mark.parametrize("tasks", [1, 10, 100, 1000])
def test_delay_from_answer_to_notice(world, tasks, capsys):
    """On average an answer is seen within 1.2× of half the cadence, or of N/2 seconds where N tasks are too many."""
    chance = random.Random(tasks)
    bound = max(CADENCE, tasks) / 2
    kernel = world.kernel()
    numbers = itertools.count()
    delays = []

    def ask():
        number = next(numbers)
        world.answered_at[number] = world.time + chance.uniform(0, 4 * bound)
        kernel.watch(world.ask(number))

    def replace_answered(entry):
        if not entry.is_open:
            delays.append(world.time - world.answered_at[entry.id])
            ask()  # so that there are always as many of them

    kernel.add_listener(replace_answered)
    for _ in range(tasks):
        ask()
    live(world, kernel, seconds=3000 * (1 + 1 / tasks))
    with capsys.disabled():
        print(f"\n{tasks} open: {statistics.mean(delays):.1f} s on average, bound {bound:.0f} s", end="")
    assert len(delays) >= 100
    assert statistics.mean(delays) <= 1.2 * bound


def test_every_task_has_its_turn(world):
    """With more tasks than the limit allows, each is polled once before any is polled again."""
    kernel = world.kernel()
    for number in range(50):
        kernel.watch(world.ask(number))
    world.time += 1
    live(world, kernel, seconds=4 * 52)
    rounds = [sorted(world.polled()[start : start + 50]) for start in range(0, 150, 50)]
    assert rounds == [list(range(50))] * 3


@pytest.mark.parametrize("status", ["pending", "processing"])
@pytest.mark.parametrize("took", [0.5, 4, 17, 39, 61, 150, 333, 599, 1200, 5000, 14_000])
def test_an_answer_is_noticed_in_proportion(world, took, status):
    """An answer is noticed within 5% of the time that it took, at least 2 and at most 30 s later, whatever the mode."""
    kernel = world.kernel()
    for fraction in range(7):  # the answer may come at any moment between two looks
        world.ledger[fraction] = Question(fraction, status, world.time)
        world.answered_at[fraction] = world.time + took * (1 + fraction / 300)
        kernel.watch(world.ledger[fraction])
        live(world, kernel, seconds=2 * took + 60)
        assert kernel.answers()[fraction] - world.answered_at[fraction] <= min(max(2.0, 0.05 * took), 30.0)


@pytest.mark.parametrize("error", [ServerError("oh", status_code=503), RateLimitError("no", status_code=429)])
def test_retry_after_is_obeyed(world, error):
    """For as long as a refusal asks to be left alone there is no poll, of any task."""
    error.retry_after = 90.0
    kernel = world.kernel()
    kernel.watch(world.ask(1))
    kernel.watch(world.ask(2))
    world.errors[1] = error
    live(world, kernel, seconds=200)
    refused = [at for at, _, number in world.polls if number == 1]
    after = [min((at for at, _, _ in world.polls if at > told), default=math.inf) - told for told in refused]
    assert len(refused) > 1
    assert min(after) >= 90


def test_it_takes_only_turns_that_are_free(tmp_path):
    """While others queue to submit, it polls nothing; then it goes on."""
    world = World()
    store = Store(f"sqlite:///{tmp_path / 'ledger.sqlite'}", clock=lambda: world.time)
    limiter = RateLimiter(store, "key", 1.0, sleep=lambda _seconds: pytest.fail("polling queued"))
    queueing = RateLimiter(store, "key", 1.0, sleep=lambda _seconds: (_ for _ in ()).throw(KeyboardInterrupt))
    queueing.wait()
    for _ in range(5):
        with pytest.raises(KeyboardInterrupt):  # leaves its place behind, as one who sleeps on it would
            queueing.wait()
    kernel = world.kernel(turn_in=limiter.try_take)
    kernel.watch(world.ask(1, 2, 3))
    live(world, kernel, seconds=6)
    assert world.polls == []
    live(world, kernel, seconds=3)
    assert len(world.polls) == 3


# -- several kernels


def test_tasks_of_all_kernels_are_polled_once(world):
    """Of three kernels one polls, for all; within a second each hears the answers to what it shows, and no others."""
    kernels = [world.kernel(name) for name in "abc"]
    for number in range(9):
        kernels[number % 3].watch(world.ask(number))
        world.answered_at[number] = 40 + number
    live(world, *kernels)
    assert {name for _, name, _ in world.polls} == {"a"}
    for turn, kernel in enumerate(kernels):
        assert set(kernel.answers()) == {number for number in range(9) if number % 3 == turn}
        for number, told_at in kernel.answers().items():
            seen_at = max(at for at, _, polled in world.polls if polled == number)
            assert told_at - seen_at <= LOOK_SECONDS + 0.01


def test_a_change_of_status_reaches_every_kernel(world):
    """That a task is being worked on now is shown by the kernels that don't poll as well."""
    one, other = world.kernel("one"), world.kernel("other")
    one.watch(world.ask(1, status="pending"))
    other.watch(world.ledger[1])
    live(world, one, other, seconds=5)
    world.ledger[1] = replace(world.ledger[1], status="processing")
    live(world, one, other, seconds=2)
    assert [entry.status for _, entry in other.told] == ["processing"]


def test_another_kernel_takes_over(world):
    """When the one that polls is gone, another one goes on with all that is open, its own or not."""
    first, second = world.kernel("first"), world.kernel("second")
    first.watch(world.ask(1))
    second.watch(world.ask(2))
    live(world, first, second, seconds=60)
    assert world.polled("second") == []
    world.holder = None  # as the lease does when it runs out
    live(world, second, seconds=60)
    assert set(world.polled("second")) == {1, 2}


DEAD = APIConnectionError("connection refused")


# A network that is down; a proxy that wants a password; another program at the address of old; a page to log in at.
NO_SERVICE = [
    DEAD,
    AuthenticationError("no", status_code=403),
    NotFoundError("no such task", status_code=404),
    ValueError("not JSON"),
]


@pytest.mark.parametrize("error", NO_SERVICE, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("cut_off", range(1, 4))
def test_who_does_not_reach_the_service_hands_over(world, cut_off, error):
    """As long as one of four processes reaches the service, each answer is heard, about as soon as if all did."""
    kernels = [world.kernel(name) for name in "abcd"]
    world.cut_off = dict.fromkeys("abcd"[:cut_off], error)
    for number in range(8):
        kernels[number % 4].watch(world.ask(number))
        world.answered_at[number] = 10.0 * number
    live(world, *kernels, seconds=600)
    for number in range(8):
        assert kernels[number % 4].answers()[number] - world.answered_at[number] <= CADENCE + 20
    for kernel in kernels:
        assert kernel.problem is None, "another process polls, and hears"
        assert len(world.polled(kernel.name)) <= 10 or kernel.name not in world.cut_off


def test_the_polling_is_not_claimed_before_a_poll_works(world):
    """A process that was cut off holds the lease at no moment of its outage; when its probe works, it polls again."""
    kernel = world.kernel("cut off")
    kernel.watch(world.ask(1))
    live(world, kernel, seconds=30)
    assert world.holder == "cut off"
    world.cut_off["cut off"] = DEAD
    live(world, kernel, seconds=30)
    held = []
    poll = world.poll
    world.poll = lambda name, number: held.append(world.holder) or poll(name, number)
    live(world, kernel, seconds=600)
    assert len(held) >= 8
    assert set(held) == {None}
    assert kernel.problem == "connection refused"
    world.cut_off = {}
    live(world, kernel, seconds=90)
    assert world.holder == "cut off"
    assert kernel.problem is None


def test_one_that_was_cut_off_is_quiet_while_another_polls(world):
    """It makes no request and takes no turn, hears the answers from the ledger, and takes over when the other ends."""
    first, second = world.kernel("first"), world.kernel("second")
    first.watch(world.ask(1))
    live(world, first, seconds=10)
    world.cut_off["first"] = DEAD
    live(world, first, second, seconds=60)
    assert world.holder == "second"
    before = len(world.polled("first"))
    live(world, first, second, seconds=3600)
    assert len(world.polled("first")) == before
    assert first.problem is None
    world.cut_off, world.holder = {}, None
    live(world, first, seconds=30)
    assert world.holder == "first"


def test_everyone_is_told_while_nobody_reaches_the_service(world):
    """Each process that shows a question says why no answer comes, not only the one that happened to poll."""
    kernels = [world.kernel(name) for name in "abc"]
    world.down = APIConnectionError("the network is unreachable")
    for number, kernel in enumerate(kernels):
        kernel.watch(world.ask(number))
    live(world, *kernels, seconds=120)
    for number, kernel in enumerate(kernels):
        assert "the network is unreachable" in kernel.delay_message(number)
        assert kernel.told
    world.down = None
    live(world, *kernels, seconds=120)
    assert [kernel.delay_message(number) for number, kernel in enumerate(kernels)] == [None] * 3


def test_a_sandbox_that_is_gone_ends_the_waiting(world):
    """Each question of it is told about a last time with the reason; nothing is polled or waited for after that."""
    kernel, other = world.kernel("one"), world.kernel("other")
    kernel.watch(world.ask(1, 2))
    kernel.watch(world.ledger[1])
    other.watch(world.ask(3))
    live(world, kernel, other, seconds=60)
    world.down, world.gone = DEAD, "its sandbox is gone"
    live(world, kernel, other, seconds=600)
    polls = len(world.polls)
    for one, numbers in ((kernel, (1, 2)), (other, (3,))):
        for number in numbers:
            assert one.delay_message(number) == "its sandbox is gone"
            assert one.wait(number, timeout=0)
        assert {entry.id for _, entry in one.told[-len(numbers) :]} == set(numbers)
        assert not one.is_watching
    kernel.watch(world.ask(4))
    kernel.wake()
    live(world, kernel, seconds=600)
    assert len(world.polls) == polls
    assert kernel.wait(4, timeout=0)


def test_a_session_picks_up_what_is_open(world):
    """A restarted kernel polls the tasks from before it, at once, though it shows none of them yet."""
    world.ask(1, 2)
    world.answered_at = {1: 0.0, 2: 0.0}
    kernel = world.kernel()
    live(world, kernel)
    assert world.time < 3
    assert all(not entry.is_open for entry in world.ledger.values())
    assert kernel.told == []


def test_a_task_that_was_settled_elsewhere(world):
    """Cancelled by a person or in another kernel: it is told from the ledger, without a poll."""
    kernel = world.kernel()
    kernel.watch(world.ask(1, 2))
    kernel.watch(world.ledger[1])
    live(world, kernel, seconds=10)
    polls = len(world.polls)
    world.ledger[1] = replace(world.ledger[1], status="cancelled")
    kernel.wake()
    kernel.step()
    assert set(kernel.answers()) == {1}
    assert 1 not in world.polled()[polls:]


def test_a_question_the_ledger_has_lost(world):
    """A ledger put back to yesterday lacks a question: nobody waits for it any more, the others go on."""
    kernel = world.kernel()
    kernel.watch(world.ask(1))
    kernel.watch(world.ask(2))
    del world.ledger[1]
    world.answered_at[2] = 5.0
    live(world, kernel)
    assert set(kernel.answers()) == {2}
    assert kernel.wait(1, timeout=0)


# -- trouble


def test_an_hour_without_a_network(world, caplog):
    """It says so once, probes once a minute for all 100 tasks together, then catches up in order and drops nothing."""
    caplog.set_level(logging.INFO, "codevf_nb.watcher")
    kernel = world.kernel()
    for number in range(100):
        kernel.watch(world.ask(number))
        world.answered_at[number] = 1000.0
    live(world, kernel, seconds=300)
    world.down = APIConnectionError("the network is unreachable")
    before, down_at = len(world.polls), world.time
    last_polled = {number: at for at, _, number in world.polls}
    live(world, kernel, seconds=3600)
    probed = world.polled()[before:]
    assert 55 <= len(probed) <= 70
    assert kernel.problem == "the network is unreachable"
    assert {entry.id for at, entry in kernel.told if at >= down_at} == set(range(100)), "shown with none"
    world.down = None
    up_at, before = world.time, len(world.polls)
    live(world, kernel)
    assert kernel.problem is None
    assert set(kernel.answers()) == set(range(100))
    assert world.time - up_at < 60 + 110
    caught_up = [number for number in world.polled()[before:] if number not in probed]
    assert caught_up == sorted(caught_up, key=last_polled.get)
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]


@pytest.mark.parametrize("error", [NotFoundError("no such task", status_code=404), ValueError("unreadable")])
def test_tasks_that_can_t_be_asked_after(world, error, caplog):
    """Trouble of tasks' own, of nine in ten here, delays no other task; it is told once, and tried ever less often."""
    kernel = world.kernel()
    for number in range(10):
        kernel.watch(world.ask(number))
    world.errors = dict.fromkeys(range(9), error)
    live(world, kernel, seconds=3600)
    healthy = [at for at, _, number in world.polls if number == 9]
    assert healthy[0] < 15
    assert len(healthy) >= 3600 / (CADENCE + 5)
    assert all(12 <= world.polled().count(number) <= 20 for number in range(9))
    assert kernel.problem is None
    assert kernel.problem_with(0) == str(error)
    assert kernel.problem_with(9) is None
    assert len(caplog.records) == 9
    world.errors = {}
    live(world, kernel, seconds=301)
    assert kernel.problem_with(0) is None


@pytest.mark.parametrize("error", [AuthenticationError("no", status_code=403), ServerError("oh", status_code=500)])
def test_one_task_that_looks_like_an_outage(world, error):
    """A service that fails over one task only goes on being asked after the others, at hardly less than their pace."""
    kernel = world.kernel()
    world.errors[0] = error
    for number in range(10):
        kernel.watch(world.ask(number))
    live(world, kernel, seconds=3600)
    assert world.polled().count(0) <= 70
    assert min(world.polled().count(number) for number in range(1, 10)) >= 0.8 * 3600 / CADENCE


def test_a_key_that_is_refused_is_no_reason_to_hammer(world):
    """With a key that has expired, 100 tasks cause about one request a minute."""
    kernel = world.kernel()
    world.down = AuthenticationError("the key has expired", status_code=401)
    for number in range(100):
        kernel.watch(world.ask(number))
    live(world, kernel, seconds=3600)
    assert len(world.polls) <= 70


def test_a_listener_that_fails(world, caplog):
    """It neither ends the watching nor keeps other listeners from hearing."""
    kernel = world.kernel()
    kernel._subscriptions.listeners.insert(0, lambda entry: 1 / 0)
    kernel.watch(world.ask(1))
    world.answered_at[1] = 40.0
    live(world, kernel)
    assert set(kernel.answers()) == {1}
    assert "a listener failed for question 1" in caplog.text


# -- with the ledger


def test_the_ledger_fails_for_a_while(world, caplog):
    """A ledger that can't be read is waited for, and told of once; then all goes on."""
    caplog.set_level(logging.INFO, "codevf_nb.watcher")
    kernel = world.kernel()
    kernel.watch(world.ask(1))
    world.answered_at[1] = 0.0
    healthy = kernel.may_poll

    def full():
        raise LedgerError("the disk is full")

    object.__setattr__(kernel._callbacks, "may_poll", full)
    live(world, kernel, seconds=600)
    assert kernel.problem == "the disk is full"
    assert world.polls == []
    object.__setattr__(kernel._callbacks, "may_poll", healthy)
    live(world, kernel)
    assert kernel.problem is None
    assert set(kernel.answers()) == {1}
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]


def test_two_processes_one_lease(world, tmp_path):
    """With the real lease a holder that dies is replaced within 10 s, and one that rests at once."""
    store = Store(f"sqlite:///{tmp_path / 'ledger.sqlite'}", clock=lambda: world.time)
    first, second = (
        world.kernel(name, leader_lease=LeaderLease(store, "watch", name, 8.0, lambda: world.time))
        for name in ("first", "second")
    )
    first.watch(world.ask(1, 2, 3))
    live(world, first, second, seconds=33.3)
    assert {name for _, name, _ in world.polls} == {"first"}
    died = world.time
    for number in range(4, 8):
        world.ask(number)
    live(world, second, seconds=12)  # the first one takes no further step: it was killed
    taken_over = min(at for at, name, _ in world.polls if name == "second")
    assert taken_over - died <= 10
    second._callbacks.release()
    live(world, first, seconds=2)
    assert first._callbacks.may_poll()
