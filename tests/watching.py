"""A world for watchers: a ledger and a service in memory, and as many kernels as a test wants, on one virtual clock."""

import math
from dataclasses import dataclass, replace

from codevf_nb.delivery._watcher_callbacks import PollResult, WatcherCallbacks
from codevf_nb.delivery.watcher import Watcher
from codevf_nb.ledger._rate_limit import SPARE_SECONDS
from codevf_nb.sdk.polling import MOST_POLL, next_poll

CADENCE = MOST_POLL  # how often a task that has been open for a while is looked at


@dataclass(frozen=True)
class Question:
    """What the ledger says of a question."""

    id: int
    status: str = "processing"
    prepared_at: float = 0.0

    @property
    def is_open(self) -> bool:
        return self.status in {"pending", "processing"}


class World:
    """A ledger and a service, both in memory, on one virtual clock; and as many kernels as a test wants."""

    def __init__(self):
        self.time = 0.0
        self.ledger: dict[int, Question] = {}
        self.answered_at: dict[int, float] = {}
        self.polls: list[tuple[float, str, int]] = []
        self.errors: dict[int, Exception] = {}
        self.down: Exception | None = None
        self.cut_off: dict[str, Exception] = {}
        self.gone: str | None = None
        self.holder: str | None = None
        self.free_at = 0.0

    def ask(self, *numbers, status="processing"):
        for number in numbers:
            self.ledger[number] = Question(number, status, self.time - 2000)
        return self.ledger[numbers[-1]]

    def kernel(self, name="kernel", **ways) -> "Kernel":
        return Kernel(self, name, **ways)

    def turn_in(self):
        """As the limiter does it."""
        if self.free_at > self.time:
            return self.free_at - self.time
        self.free_at = self.time + 1 + SPARE_SECONDS
        return 0.0

    def poll(self, name, number):
        self.polls.append((self.time, name, number))
        if error := self.down or self.cut_off.get(name) or self.errors.get(number):
            raise error
        if self.time >= self.answered_at.get(number, math.inf):
            self.ledger[number] = replace(self.ledger[number], status="completed")
        known = self.ledger[number]
        elapsed = self.time - known.prepared_at
        return PollResult(known, next_poll(known.status, elapsed))

    def polled(self, name=None):
        return [number for _, who, number in self.polls if name in (None, who)]


class Kernel(Watcher):
    """A watcher whose callbacks use the test's world, and its notifications."""

    def __init__(self, world, name, turn_in=None, leader_lease=None):
        self.world = world
        self.name = name
        self.told: list[tuple[float, Question]] = []
        callbacks = WatcherCallbacks(
            poll=lambda number: world.poll(name, number),
            look=lambda number: world.ledger[number],
            open=lambda: [entry for entry in world.ledger.values() if entry.is_open],
            due_in=lambda entry: max(0.0, 2.0 - (world.time - entry.prepared_at)),
            may_poll=leader_lease.acquire if leader_lease else self.may_poll,
            turn_in=turn_in or world.turn_in,
            release=leader_lease.release if leader_lease else self.release,
            others_poll=leader_lease.is_held_elsewhere if leader_lease else lambda: world.holder not in (None, name),
            gone=lambda: world.gone,
        )
        super().__init__(callbacks, clock=lambda: world.time)
        self.add_listener(lambda entry: self.told.append((world.time, entry)))

    def may_poll(self):
        self.world.holder = self.world.holder or self.name
        return self.world.holder == self.name

    def release(self):
        if self.world.holder == self.name:
            self.world.holder = None

    def watch(self, entry):
        """Watch without a thread: the test takes the steps."""
        self._stopped = True
        super().watch(entry)

    def answers(self):
        return {entry.id: at for at, entry in self.told if not entry.is_open}


def live(world, *kernels, seconds=math.inf):
    """Let the kernels take their steps, in virtual time, until nothing is open or the time is over."""
    due = dict.fromkeys(kernels, world.time)
    ends = world.time + seconds
    while due:
        kernel = min(due, key=due.get)
        if due[kernel] > ends:
            world.time = ends
            return
        world.time = max(world.time, due[kernel])
        pause = kernel.step()
        if pause is None:
            del due[kernel]
        else:
            due[kernel] = world.time + max(pause, 1e-6)
