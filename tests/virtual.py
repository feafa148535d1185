"""Many threads on one virtual clock: one runs at a time, and all sleeping takes no time."""

import heapq
import itertools
import threading
from collections.abc import Callable


class VirtualTime:
    """A clock and a sleep for code that waits; ``late`` says how much too late each sleeper wakes, in seconds."""

    def __init__(self, start: float = 1_000_000.0, late: Callable[[], float] = lambda: 0.0) -> None:
        self.time = start
        self.late = late
        self._sleepers: list[tuple[float, int, threading.Semaphore]] = []
        self._order = itertools.count()
        self._idle = threading.Semaphore(0)
        self._own = threading.local()

    def clock(self) -> float:
        """The virtual time, in seconds, as it is for the thread that asks."""
        return self.time + self._stalled

    def stall(self, seconds: float) -> None:
        """Let so much time pass for this thread alone, as a slow disk does, without letting go of what it holds."""
        self._own.stalled = self._stalled + seconds

    @property
    def _stalled(self) -> float:
        return getattr(self._own, "stalled", 0.0)

    def sleep(self, seconds: float) -> None:
        """Let the others go on until so much time has passed."""
        me = threading.Semaphore(0)
        self._put_to_bed(max(0.0, seconds) + self._stalled + self.late(), me)
        self._own.stalled = 0.0
        self._idle.release()
        me.acquire()

    def run(self, *jobs: Callable[[], object]) -> None:
        """Run every job in a thread of its own, in virtual time, until all have ended; raise what they raise."""
        errors: list[BaseException] = []
        for job in jobs:
            me = threading.Semaphore(0)
            self._put_to_bed(0.0, me)
            threading.Thread(target=self._job, args=(job, me, errors), daemon=True).start()
        while self._sleepers:
            wakes_at, _, sleeper = heapq.heappop(self._sleepers)
            self.time = max(self.time, wakes_at)
            sleeper.release()
            assert self._idle.acquire(timeout=60), "a job waits for something other than the virtual clock"
        if errors:
            raise errors[0]

    def _put_to_bed(self, seconds: float, sleeper: threading.Semaphore) -> None:
        heapq.heappush(self._sleepers, (self.time + seconds, next(self._order), sleeper))

    def _job(self, job: Callable[[], object], me: threading.Semaphore, errors: list[BaseException]) -> None:
        me.acquire()
        try:
            job()
        except BaseException as error:  # noqa: BLE001 - raised again by run()
            errors.append(error)
        finally:
            self._idle.release()
