"""How soon the watcher notices an answer, and how many requests it makes for that, in virtual time.

So many questions are open at once, and watched until each is answered: a notebook that has asked them all, or a kernel
that was restarted over them. The watcher's turns are those of the real limiter; the service answers 429 to whatever
comes within a second of what it took before.

How long answers take is what the service publishes: most within 5 minutes, ``fast`` within 4 hours, outside of the
engineers' day slower. Here that is a median of 2.5 minutes, 80% within 5, and one in ten within 4 hours.

With one question open the watcher is compared with the documentation's loop, which looks every 10 s and so is 5 s late
on average, however long answers take. So that luck doesn't decide the row (with 60 answers drawn at random the loop was
4.4 s late), its answers are not drawn but spread evenly over the distribution, and there are 1,000 of them: the one in
ten that takes hours, where the interval is longest, then leaves an error of 0.1 × 6 s / √100 = 0.06 s in the watcher's
mean, 0.012 in the ratio. The integral over the distribution is 2.94 s, a ratio of 0.588.
"""

import heapq
import math
import random
import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from codevf_nb.delivery._watcher_callbacks import PollResult
from codevf_nb.sdk.exceptions import RateLimitError
from codevf_nb.sdk.polling import next_poll
from tests import watching
from tests.bench.table import Row, at_most

MODES = ("realtime_answer", "fast", "standard", "standard")
PENDING_SHARE = 0.1  # of the time to its answer a task waits for an engineer first
HOUR = 3600.0
USUAL = statistics.NormalDist(math.log(150), 0.82)  # of the logarithm of the seconds that an answer usually takes
SLOW_SHARE, SLOW = 0.1, (300.0, 4 * HOUR)  # so many answers take anything between
SPREAD = 1000  # answers of the rows with one question open, see above
# What the service advises, in seconds between two looks: the least and the most, which is reached after two minutes.
ADVISED_PENDING = (2.0, 4.0)
ADVISED = {"realtime_answer": (2.0, 4.0), "fast": (5.0, 10.0), "standard": (15.0, 30.0)}


@dataclass(frozen=True)
class Question(watching.Question):
    mode: str = "standard"


def proportional(question: Question, elapsed: float) -> float:
    """Seconds until the watcher's next look."""
    return next_poll(question.status, elapsed)


def advised(question: Question, elapsed: float) -> float:
    """Seconds until the next look, as the service advises."""
    if not question.is_open:
        return math.inf
    least, most = ADVISED_PENDING if question.status == "pending" else ADVISED[question.mode]
    return least + (most - least) * min(1.0, elapsed / 120)


def quantile(share: float) -> float:
    """Return the seconds within which this share of all answers has come, usual ones first and then slow ones."""
    usual = 1 - SLOW_SHARE
    if share < usual:
        return math.exp(USUAL.inv_cdf(share / usual))
    return SLOW[0] + (SLOW[1] - SLOW[0]) * (share - usual) / SLOW_SHARE


class ServiceInfo(watching.World):
    """The world of the watcher's tests, with modes, a queue at the engineers' desk, and a strict limit."""

    def __init__(self, count: int, seed: int, spread: int | None = None) -> None:
        """``spread``: the answer to the one question is number ``seed`` of so many that are spread evenly."""
        super().__init__()
        chance = random.Random(seed)
        self.pace = proportional
        self.noticed: dict[int, float] = {}
        self.taken_at = -math.inf
        self.refused = 0
        for number in range(count):
            self.ledger[number] = Question(number, "pending", 0.0, chance.choice(MODES))
            usual, slow = chance.lognormvariate(USUAL.mean, USUAL.stdev), chance.uniform(*SLOW)
            drawn = slow if chance.random() < SLOW_SHARE else usual
            self.answered_at[number] = drawn if spread is None else quantile((seed + 0.5) / spread)

    def poll(self, name: str, number: int) -> PollResult:
        """Answer a request as the service would; notice when it told of an answer first."""
        self.polls.append((self.time, name, number))
        if self.time < self.taken_at + 1:
            self.refused += 1
            raise RateLimitError("too fast", status_code=429)
        self.taken_at = self.time
        known = self.ledger[number] = replace(self.ledger[number], status=self.status(number))
        if not known.is_open:
            self.noticed[number] = self.time
        return PollResult(known, self.pace(known, self.time))

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
        """Half the advised interval when each answer came, or half of what a turn each takes where that is longer."""
        asked = (replace(self.ledger[number], status="processing") for number in self.answered_at)
        return [max(interval, len(self.ledger)) / 2 for interval in map(advised, asked, self.answered_at.values())]


def rows(*, small: bool) -> Iterator[Row]:
    """The watcher, the loop of the API's documentation, the cadence the service advises, and a thread for each task."""
    for count, runs in ((1, 3), (10, 1)) if small else ((1, SPREAD), (10, 10), (100, 1), (1000, 1)):
        ours, loop, cadence, threads = (
            [_run(way, count, seed, runs) for seed in range(runs)] for way in (watched, documented, by_advice, threaded)
        )
        delay, bound, other = _mean(ours, "delays"), _mean(ours, "bounds"), _mean(loop, "delays")
        refused = sum(service.refused for service in ours)
        what = f"watcher, {count:,} open: mean delay to notice"
        row = at_most(1.2, what, delay, bound, "its bound", "s", also=f", 0 answers 429 ({refused} were)")
        yield Row(**{**vars(row), "met": row.met and not refused})
        loop_s = "the documentation's loop"
        if count == 1:
            yield at_most(0.6, f"… {count:,}: mean delay", delay, other, loop_s, "s")
        else:
            yield Row(f"… {count:,}: mean delay", delay, other, loop_s, "s", delay / other, "none: for scale", met=None)
        requests = _requests(ours)
        yield at_most(
            1, f"… {count:,}: requests per answered task", requests, _requests(cadence), "the advised cadence", ""
        )
        against = f"a thread each, 2 s ({sum(service.refused for service in threads):,} × 429)"
        yield at_most(1, f"… {count:,}: requests per answered task", requests, _requests(threads), against, "")


def _run(way: Callable[[ServiceInfo], None], count: int, seed: int, runs: int) -> ServiceInfo:
    service = ServiceInfo(count, seed, runs if count == 1 else None)
    way(service)
    assert len(service.noticed) == count
    return service


def watched(service: ServiceInfo) -> None:
    """The watcher itself."""
    kernel = service.kernel()
    for question in list(service.ledger.values()):
        kernel.watch(question)
    watching.live(service, kernel)


def by_advice(service: ServiceInfo) -> None:
    """The watcher, if it kept to the cadence that the service advises for each mode."""
    service.pace = advised
    watched(service)


def documented(service: ServiceInfo) -> None:
    """One task after another, asked after every 10 s until it is answered."""
    for number in list(service.ledger):
        while service.poll("loop", number).entry.is_open:
            service.time += 10
        service.time += 1


def threaded(service: ServiceInfo) -> None:
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


def _mean(services: list[ServiceInfo], what: str) -> float:
    return statistics.mean(value for service in services for value in getattr(service, what))


def _requests(services: list[ServiceInfo]) -> float:
    return sum(len(service.polls) for service in services) / sum(len(service.noticed) for service in services)
