"""What it costs to write a question down so that no crash can lose it, and to delete the texts of many."""

import contextlib
import itertools
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Connection

from codevf_nb.accounts.settings import home
from codevf_nb.ledger import Ledger, Store, sqlite_url
from tests.bench import ledgers
from tests.bench.pairs import in_turn
from tests.bench.table import Row, at_most

_ANSWER = b'{"id": "task_0123456789", "status": "pending", "mode": "fast", "maxCredits": 240, "tagIdUsed": 5}'
_ASKED = {
    "environment": "sandbox",
    "origin": "sandbox",
    "credential": "0123456789abcdef",
    "asked_by": "ada",
    "asking": 1,
    "project": "shop",
    "mode": "fast",
    "tag": "Engineer",
    "prompt": "Is this join dropping rows?",
    "code": 'merged = orders.merge(customers, on="customer_id")',
    "max_credits": 240,
    "multiplier": 1.7,
    "cost_cap": 612,
}
_BODY = b"x" * 4000


def rows(*, small: bool) -> Iterator[Row]:
    """The protocol's commits of one question against four of sqlite3 by itself; the longest lock of a big clean-up."""
    store = Store(sqlite_url(home() / "ledger.sqlite"))
    bare = Bare(home() / "bare.sqlite")
    numbers = itertools.count()
    ledger = Ledger(store, "sandbox", "sandbox")
    ours, reference = in_turn(5 if small else 150, lambda: write(ledger, next(numbers)), bare.write)
    yield at_most(3, "ledger write path of one question", ours, reference, "4 bare sqlite3 commits with fsync")
    bare.close()
    store.close()
    count = 100 if small else 100_000
    longest = 1000 * longest_lock(count)
    yield at_most(1, f"%codevf forget of {count:,} questions, longest lock", longest, 500, "half a second")


def longest_lock(count: int) -> float:
    """Return for how many seconds at most the lock is held while the texts of so many questions are deleted."""
    store = Store(sqlite_url(home() / "old.sqlite"))
    ledgers.fill(store, "sandbox", count, still_open=0)
    held, write = [], store.write

    @contextlib.contextmanager
    def timed() -> Iterator[Connection]:
        with write() as connection:
            began = time.perf_counter()
            yield connection
        held.append(time.perf_counter() - began)

    store.write = timed
    assert Ledger(store, "sandbox", "sandbox").retention.forget(time.time()) == count
    store.close()
    return max(held)


def write(ledger: Ledger, number: int) -> None:
    """Prepare, hear, accept, as ``session`` and ``submission`` do."""
    now, lease = time.time(), ledger.lease(90)
    names = {"identity": f"{number:064x}", "idempotency_key": f"{number:036x}"}
    with ledger.store.reuse_connection():
        entry = ledger.sending.prepare(_BODY, lease, now, **_ASKED, **names, attachments=[])
        ledger.questions.record_response(entry, "create", 201, _ANSWER, now)
        ledger.sending.accept(entry, task_id=f"task_{number}", status="pending", created_at=now, notes=[])


class Bare:
    """The four commits that a question takes where an attempt has one of its own, each as little as it can be."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        for pragma in ("journal_mode = WAL", "synchronous = FULL"):
            self._connection.execute(f"PRAGMA {pragma}")
        for table in ("questions (id INTEGER PRIMARY KEY, asked TEXT, state TEXT)", "bodies (id, body)"):
            self._connection.execute(f"CREATE TABLE {table}")

    def write(self) -> None:
        with self._committed() as run:
            number = run("INSERT INTO questions (asked, state) VALUES (?, 'prepared')", (str(_ASKED),)).lastrowid
            run("INSERT INTO bodies VALUES (?, ?)", (number, _BODY))
        with self._committed() as run:
            run("UPDATE questions SET state = 'sending' WHERE id = ?", (number,))
        with self._committed() as run:
            run("INSERT INTO bodies VALUES (?, ?)", (number, _ANSWER))
        with self._committed() as run:
            run("UPDATE questions SET state = 'accepted' WHERE id = ?", (number,))

    def close(self) -> None:
        self._connection.close()

    @contextlib.contextmanager
    def _committed(self):
        self._connection.execute("BEGIN IMMEDIATE")
        yield self._connection.execute
        self._connection.execute("COMMIT")
