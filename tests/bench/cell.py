"""``%%codevf`` from Enter to the prompt being back, in a real kernel."""

import itertools
from collections.abc import Callable, Iterator

from codevf_nb.accounts.settings import home
from codevf_nb.sdk import CodeVFClient
from codevf_nb.session import Session
from tests.bench.ledgers import session
from tests.bench.pairs import Kernel, account, in_turn, sandbox
from tests.bench.table import Row, at_most
from tests.bench.wire import Bare

MORE_MS = 20
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
    yield long_past(small=small)


def long_past(*, small: bool) -> Row:
    """The same without kernel and widgets, over what was asked in years and over next to nothing."""
    many = 1000 if small else 100_000
    numbers = itertools.count()
    with sandbox(answer_after=0) as running:
        one = account(running.base_url, running.api_key)
        large, little = (session(count, one, still_open=0) for count in (many, 25))

        def asking(current: Session) -> Callable[[], object]:
            return lambda: current.ask(current.draft(f"Is this right? Number {next(numbers)}.", code=_CODE))

        ours, reference = in_turn(3 if small else 40, asking(large), asking(little))
        large.close()
        little.close()
    return at_most(1.5, f"… its question alone, over {many:,} in the ledger", ours, reference, "over 25")
