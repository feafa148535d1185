"""One budget of requests for all processes of a home."""

from collections.abc import Iterator

from codevf_nb.accounts.settings import home
from codevf_nb.ledger import sqlite_url
from codevf_nb.sandbox import Sandbox
from tests.bench.table import Row
from tests.soak import herd

# The processes of the herd take so long to start.
_START_SECONDS = 4


def rows(*, small: bool) -> Iterator[Row]:
    """Processes and threads that all send as fast as they may, in real time, to a service that counts strictly."""
    processes, threads, seconds = (2, 2, 2) if small else (8, 4, 60)
    more = 1 if small else _START_SECONDS
    with Sandbox(rate_limit=1.0) as box:
        url = sqlite_url(home() / "ledger.sqlite")
        herd.run(url, box.base_url, box.api_key, processes=processes, threads=threads, seconds=seconds + more)
        answers = box.requests()
    refused = sum(status == 429 for *_, status, _ in answers)
    taken = [at.timestamp() for *_, status, at in answers if status == 200]
    used = sum(at < taken[0] + seconds for at in taken) / seconds
    goal = f"at least 0.9 of it, 1 over it at most ({refused} were)"
    what = f"limiter: {processes} processes × {threads} threads, {seconds} s"
    yield Row(what, used, 1.0, "the ideal", "/s", used, goal, used >= 0.9 and refused <= 1)
