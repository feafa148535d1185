"""Processes and threads that share one key, against a service that counts strictly, in real time."""

from itertools import pairwise

import pytest

from codevf_nb.sandbox import Sandbox
from tests.soak import herd


def seen(box: Sandbox) -> tuple[int, list[float]]:
    """Count what the service refused, and when it took what it took."""
    answers = box.requests()
    refused = sum(status == 429 for *_, status, _ in answers)
    return refused, [at.timestamp() for *_, status, at in answers if status == 200]


@pytest.mark.parametrize(
    ("processes", "threads", "seconds"), [(4, 2, 8), pytest.param(8, 4, 60, marks=pytest.mark.soak)]
)
def test_one_budget_of_requests_for_all(tmp_path, processes, threads, seconds):
    """Not one 429, and at least 95% of what is allowed is used."""
    with Sandbox(rate_limit=1.0) as box:
        url = f"sqlite:///{tmp_path / 'ledger.sqlite'}"
        herd.run(url, box.base_url, box.api_key, processes=processes, threads=threads, seconds=seconds + 4)
        refused, taken = seen(box)
    used = [at for at in taken if at < taken[0] + seconds]
    print(f"{refused} refused, {len(used)} of {seconds} used, closest {min(b - a for a, b in pairwise(taken)):.3f} s")
    assert refused == 0
    assert len(used) >= 0.95 * seconds
