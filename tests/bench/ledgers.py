"""A ledger with a long past."""

import random

from sqlalchemy import insert

from codevf_nb.ledger import Store
from codevf_nb.ledger.tables import questions

NOW = 1_780_000_000.0
YEAR = 365 * 86400.0
MODES = ("realtime_answer", "fast", "standard")


def fill(store: Store, account: str, count: int) -> None:
    """Write so many questions of the last year as if they had been asked and answered; one in fifty is open."""
    chance = random.Random(count)
    rows = [_question(number, account, NOW - YEAR * (1 - number / count), chance) for number in range(count)]
    with store.write() as connection:
        connection.execute(insert(questions), rows)


def _question(number: int, account: str, at: float, chance: random.Random) -> dict[str, object]:
    is_open = chance.random() < 0.02
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
