"""A ledger with a long past."""

import random
from collections.abc import Iterator
from typing import Any

from sqlalchemy import insert

from codevf_nb.accounts.settings import Account, home
from codevf_nb.ledger import Store, sqlite_url
from codevf_nb.ledger.tables import book, questions
from codevf_nb.session import Session

NOW = 1_780_000_000.0
YEAR = 365 * 86400.0
MOST = 1_000_000
MODES = ("realtime_answer", "fast", "standard")


def fill(store: Store, account: str, count: int, still_open: float = 0.02) -> None:
    """Write so many questions of the last year as if they had been asked; all but a small part are answered."""
    chance = random.Random(count)
    first = count * MOST  # so that a ledger can be filled twice
    rows = [
        _question(first + number, account, NOW - YEAR * (1 - number / count), chance, still_open)
        for number in range(count)
    ]
    with store.write() as connection:
        connection.execute(insert(questions), rows)
        connection.execute(insert(book), [movement for row in rows for movement in _movements(row)])


def session(count: int, asking: Account, still_open: float = 0.02) -> Session:
    """A session of its own ledger, which holds so many questions."""
    store = Store(sqlite_url(home() / f"{count}.sqlite"))
    fill(store, asking.name, count, still_open)
    return Session(asking, store)


def _question(number: int, account: str, at: float, chance: random.Random, still_open: float) -> dict[str, Any]:
    is_open = chance.random() < still_open
    return {
        "account": account,
        "environment": "sandbox",
        "origin": "sandbox",
        "credential": "0123456789abcdef",
        "asked_by": chance.choice(("ada", "grace")),
        "identity": f"{number:064x}",
        "asking": 1,
        "idempotency_key": f"{number:036x}",
        "project": f"project {number % 12}",
        "mode": chance.choice(MODES),
        "tag": "Engineer",
        "prompt": f"Is this join dropping rows? It is number {number} of those that were asked.",
        "code": 'merged = orders.merge(customers, on="customer_id")',
        "attachments": '[{"name": "cell.py", "size": 50, "sha256": "0123456789abcdef"}]',
        "max_credits": 240,
        "multiplier": 1.7,
        "cost_cap": 408,
        "state": "accepted",
        "prepared_at": at,
        "body_sha256": f"{number:064x}",
        "attempts": 1,
        "unheard": 0,
        "task_id": f"task_{number:020d}",
        "status": "processing" if is_open else "completed",
        "credits_used": None if is_open else float(chance.randrange(40, 408)),
        "created_at": at,
        "completed_at": None if is_open else at + chance.lognormvariate(5, 0.8),
        "message": None if is_open else f"Row {number} has no match, since its key is a string in one table.",
        "notes": "[]",
    }


def _movements(question: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What the book says of a question: a balance before it, its hold, and what its end has moved."""
    mine = {name: question[name] for name in ("account", "environment")}
    yield {**mine, **_moved("balance", question["prepared_at"]), "available": 1e6, "on_hold": 0.0}
    mine["task_id"] = question["task_id"]
    yield {**mine, **_moved("hold", question["created_at"], -question["cost_cap"])}
    if question["completed_at"] is not None:
        yield {**mine, **_moved("release", question["completed_at"], question["cost_cap"])}
        yield {**mine, **_moved("charge", question["completed_at"], -question["credits_used"])}


def _moved(kind: str, at: float, credits: float = 0.0) -> dict[str, Any]:
    return {"kind": kind, "at": at, "credits": float(credits), "task_id": None, "available": None, "on_hold": None}
