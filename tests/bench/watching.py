"""How soon the watcher notices an answer, and how many requests it makes for that, in virtual time.

So many questions are open at once, and watched until each is answered: a notebook that has asked them all, or a kernel
that was restarted over them. The watcher's turns are those of the real limiter; the service answers 429 to whatever
comes within a second of what it took before.

How long answers take is what the service publishes: most within 5 minutes, ``fast`` within 4 hours, outside of the
engineers' day slower. Here that is a median of 2.5 minutes, 80% within 5, and one in ten within 4 hours.
"""

import heapq
import math
import random
import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from codevf_nb.sdk.exceptions import RateLimitError
from codevf_nb.sdk.waiting import next_poll
from codevf_nb.watcher import Polled
from tests import watching
from tests.bench.table import Row, at_most

MODES = ("realtime_answer", "fast", "standard", "standard")
PENDING_SHARE = 0.1  # of the time to its answer a task waits for an engineer first
HOUR = 3600.0


@dataclass(frozen=True)
class Question(watching.Question):
    mode: str = "standard"


class Service(watching.World):
    """The world of the watcher's tests, with modes, a queue at the engineers' desk, and a strict limit."""

    def __init__(self, count: int, seed: int) -> None:
        super().__init__()
        chance = random.Random(seed)
        self.noticed: dict[int, float] = {}
        self.taken_at = -math.inf
        self.refused = 0
        for number in range(count):
            self.ledger[number] = Question(number, "pending", 0.0, chance.choice(MODES))
            usual, slow = chance.lognormvariate(math.log(150), 0.82), chance.uniform(300, 4 * HOUR)
            self.answered_at[number] = slow if chance.random() < 0.1 else usual

    def poll(self, name: str, number: int) -> Polled:
        """Answer a request as the service would; notice when it told of an answer first."""
        self.polls.append((self.time, name, number))
        if self.time < self.taken_at + 1:
            self.refused += 1
            raise RateLimitError("too fast", status_code=429)
        self.taken_at = self.time
        known = self.ledger[number]
        status = self.status(number)
        known = self.ledger[number] = Question(number, status, known.prepared_at, known.mode)
        if not known.is_open:
            self.noticed[number] = self.time
        return Polled(known, next_poll(status, known.mode, self.time))

    def status(self, number: int) -> str:
        answered = self.answered_at[number]
        if self.time >= answered:
            return "completed"
        return "processing" if self.time >= PENDING_SHARE * answered else "pending"

    @property
    def delays(self) -> list[float]:
        return [at - self.answered_at[number] for number, at in self.noticed.items()]

    @property
    def bounds(self) -> list[float]:
        """Half the advised cadence when each answer came, or half of what a turn each takes where that is longer."""
        cadences = (next_poll("processing", self.ledger[number].mode, at) for number, at in self.answered_at.items())
        return [max(cadence, len(self.ledger)) / 2 for cadence in cadences]


def rows(*, small: bool) -> Iterator[Row]:
    """The watcher, the loop of the API's documentation, and a thread for each task."""
    for count, runs in ((1, 3), (10, 1)) if small else ((1, 60), (10, 10), (100, 1), (1000, 1)):
        ours, loop, threads = (
            [_run(way, count, seed) for seed in range(runs)] for way in (watched, documented, threaded)
        )
        delay, bound = _mean(ours, "delays"), _mean(ours, "bounds")
        refused = sum(service.refused for service in ours)
        what = f"watcher, {count:,} open: mean delay to notice"
        row = at_most(1.2, what, delay, bound, "its bound", "s", also=f", 0 answers 429 ({refused} were)")
        yield Row(**{**vars(row), "met": row.met and not refused})
        other = _mean(loop, "delays")
        loop_s = "the documentation's loop"
        yield Row(f"… {count:,}: mean delay", delay, other, loop_s, "s", delay / other, "none: for scale", met=None)
        requests, theirs = _requests(ours), _requests(threads)
        against = f"a thread each, 2 s ({sum(service.refused for service in threads):,} × 429)"
        yield at_most(1, f"… {count:,}: requests per answered task", requests, theirs, against, "")


def _run(way: Callable[[Service], None], count: int, seed: int) -> Service:
    service = Service(count, seed)
    way(service)
    assert len(service.noticed) == count
    return service


def watched(service: Service) -> None:
    """The watcher itself."""
    kernel = service.kernel()
    for question in list(service.ledger.values()):
        kernel.watch(question)
    watching.live(service, kernel)


def documented(service: Service) -> None:
    """One task after another, asked after every 10 s until it is answered."""
    for number in list(service.ledger):
        while service.poll("loop", number).entry.is_open:
            service.time += 10
        service.time += 1


def threaded(service: Service) -> None:
    """A thread for each task that asks, sleeps for 2 s and asks again, whatever it is told; no two keep step."""
    chance = random.Random(len(service.ledger))
    due = [(2 + chance.random(), number) for number in service.ledger]
    heapq.heapify(due)
    while due:
        service.time, number = heapq.heappop(due)
        try:
            if not service.poll("thread", number).entry.is_open:
                continue
        except RateLimitError:
            pass
        heapq.heappush(due, (service.time + 2 + 0.2 * chance.random(), number))


def _mean(services: list[Service], what: str) -> float:
    return statistics.mean(value for service in services for value in getattr(service, what))


def _requests(services: list[Service]) -> float:
    return sum(len(service.polls) for service in services) / sum(len(service.noticed) for service in services)
