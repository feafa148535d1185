"""``%%codevf`` from Enter to the prompt being back, in a real kernel."""

import itertools
from collections.abc import Iterator

from codevf_nb.sdk import CodeVFClient
from codevf_nb.settings import home
from tests.bench.pairs import Kernel, in_turn, sandbox
from tests.bench.table import Row
from tests.bench.wire import Bare

MORE_MS = 25
_CODE = 'merged = orders.merge(customers, on="customer_id")'


def rows(*, small: bool) -> Iterator[Row]:
    """One new question after another; project, tags and balance are known from the first one."""
    numbers = itertools.count()
    attached = {"fileName": "cell.py", "mimeType": "text/x-python", "content": _CODE, "fileSize": len(_CODE)}
    with sandbox(answer_after=0) as running, Kernel() as kernel:
        kernel.run("%load_ext codevf_nb\nimport codevf_nb\ncodevf_nb.use_sandbox()")
        client = CodeVFClient(running.api_key, running.base_url)
        bare = Bare(running.base_url, running.api_key, client.projects.create(home().name).id)
        client.close()

        def ask() -> None:
            kernel.run(f"%%codevf Is this join dropping rows? Number {next(numbers)}.\n{_CODE}")

        ours, post = in_turn(3 if small else 40, ask, lambda: bare.post(attachments=[attached]))
    goal = f"at most 2 requests and {MORE_MS} ms: {2 * post + MORE_MS:.3g} ms"
    what = "%%codevf from Enter to the prompt being back"
    yield Row(what, ours, post, "one bare POST", "ms", ours / post, goal, ours <= 2 * post + MORE_MS)
