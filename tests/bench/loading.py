"""What ``%load_ext codevf_nb`` costs a fresh kernel."""

import statistics
from collections.abc import Iterator

from tests.bench.pairs import Kernel
from tests.bench.table import Row

_TIMED = """
import time
began = time.perf_counter()
{statement}
took = time.perf_counter() - began
"""


def rows(*, small: bool) -> Iterator[Row]:
    """The extension and pandas, each in kernels that have done nothing before."""
    ours, json, pandas = [], [], []
    for _ in range(1 if small else 7):
        with Kernel() as kernel:
            json.append(_took(kernel, "import json"))
            ours.append(_took(kernel, "get_ipython().run_line_magic('load_ext', 'codevf_nb')"))
        with Kernel() as kernel:
            pandas.append(_took(kernel, "import pandas"))
    load, scale, heavy = (statistics.median(times) for times in (ours, json, pandas))
    what = "%load_ext codevf_nb in a fresh kernel"
    yield Row(what, load, heavy, "import pandas", "ms", load / heavy, "under a third", load < heavy / 3)
    yield Row(what, load, scale, "import json, for scale", "ms", load / scale, "under 60 ms of our own", load < 60)


def _took(kernel: Kernel, statement: str) -> float:
    return 1000 * kernel.run(_TIMED.format(statement=statement), "took")
