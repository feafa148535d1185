"""Write an invented year of questions into this home's ledger, as the account `demo`: the same year each time.

Nobody asked these questions and nobody answered them. They are rows in the ledger's own tables, as `codevf_nb/ledger/tables.py`
describes them, with an account of their own, so that they never mix with what you really asked. Run it twice and the second
time finds them there.
"""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, insert, select

from codevf_nb.accounts import settings
from codevf_nb.ledger import Store, sqlite_url
from codevf_nb.ledger.tables import book, questions

ACCOUNT = "demo"
NEW_YEAR = datetime(2025, 1, 1, tzinfo=UTC)
HOLIDAYS = range(213, 227)  # two weeks of August: nobody asks anything
PEOPLE = {"ann": 5, "bob": 3, "cem": 2}
PROJECTS = {"pricing": 4, "churn": 3, "etl": 3}
TAGS = {"general-purpose": (6, 1.0), "engineer": (4, 1.7)}
# Mode → how often, its factor, and the minutes until half of its answers are there.
MODES = {"standard": (5, 1.0, 95.0), "fast": (4, 1.5, 24.0), "realtime_answer": (1, 2.0, 0.7)}


def main() -> None:
    """Write the year, unless it is there."""
    store = Store(sqlite_url(settings.home() / "ledger.sqlite"))
    with store.write() as connection:
        known = connection.scalar(select(func.count()).where(questions.c.account == ACCOUNT))
        if not known:
            asked = list(year(random.Random(2025)))
            connection.execute(insert(questions), asked)
            connection.execute(insert(book), list(movements(asked)))
            known = len(asked)
    store.close()
    print(f"account {ACCOUNT!r}: {known} invented questions of 2025")


def year(chance: random.Random) -> Iterator[dict]:
    """Rows of `questions`: more of them each month, few at weekends, none in the holidays."""
    number = 0
    for day in range(365):
        at = NEW_YEAR + timedelta(days=day)
        busy = (0.2 if at.weekday() >= 5 else 1.0) * (0.6 + day / 300) * (day not in HOLIDAYS)
        for _ in range(chance.choices((0, 1, 2, 3), (2.0, 1.5 * busy, busy, 0.6 * busy))[0]):
            number += 1
            yield question(chance, number, (at + timedelta(hours=chance.triangular(7, 20, 14))).timestamp())


def question(chance: random.Random, number: int, at: float) -> dict:
    """One row: who asked for what, when, what it cost, and how long the answer took. Ids say that they are invented."""
    mode, (_, factor, minutes) = pick(chance, MODES)
    tag, (_, multiplier) = pick(chance, TAGS)
    cap = round(240 * factor * multiplier)
    cancelled = chance.random() < 0.04
    took = round(60 * chance.lognormvariate(0, 0.7) * minutes)
    return {
        "account": ACCOUNT,
        "environment": "sandbox",
        "origin": ACCOUNT,
        "credential": ACCOUNT,
        "asked_by": chance.choices([*PEOPLE], [*PEOPLE.values()])[0],
        "identity": f"invented {number}",
        "asking": 1,
        "idempotency_key": "",
        "project": chance.choices([*PROJECTS], [*PROJECTS.values()])[0],
        "mode": mode,
        "tag": tag,
        "prompt": "An invented question.",
        "attachments": "[]",
        "max_credits": 240,
        "multiplier": multiplier,
        "cost_cap": cap,
        "state": "accepted",
        "prepared_at": at,
        "attempts": 1,
        "unheard": 0,
        "task_id": f"task_invented_{number:04}",
        "status": "cancelled" if cancelled else "completed",
        "credits_used": 0.0 if cancelled else float(round(cap * chance.uniform(0.35, 0.9))),
        "created_at": at,
        "completed_at": at + (20 if cancelled else took),
        "message": None if cancelled else "An invented answer.",
    }


def pick(chance: random.Random, choices: dict) -> tuple:
    """One of the entries; the first number of its value is how often."""
    return chance.choices([*choices.items()], [value[0] for value in choices.values()])[0]


def movements(asked: list[dict]) -> Iterator[dict]:
    """Rows of `book`: holds, releases and charges; and a balance each quarter, after somebody has bought credits."""
    moves = []
    for row in asked:
        moves.append((row["created_at"], "hold", -row["cost_cap"], row["task_id"]))
        moves.append((row["completed_at"], "release", row["cost_cap"], row["task_id"]))
        moves.append((row["completed_at"], "charge", -row["credits_used"], row["task_id"]))
    moves += [(datetime(2025, month, 1, tzinfo=UTC).timestamp(), "balance", 30_000, None) for month in (1, 4, 7, 10)]
    available = held = 0.0
    for at, kind, credits, task_id in sorted(moves, key=lambda move: move[0]):
        available += credits
        held -= credits if kind in ("hold", "release") else 0
        told = kind == "balance"
        yield {
            "at": at,
            "account": ACCOUNT,
            "environment": "sandbox",
            "task_id": task_id,
            "kind": kind,
            "credits": 0.0 if told else float(credits),
            "available": available if told else None,
            "on_hold": held if told else None,
        }


if __name__ == "__main__":
    main()
