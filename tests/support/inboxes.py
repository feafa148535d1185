"""A ledger with questions for the inbox."""

from sqlalchemy import insert

from codevf_nb.ledger.tables import questions


def fill(current, count: int, **values) -> None:
    """Put questions into the ledger, as if they had been asked and answered long ago."""
    rows = [
        {
            "account": current.account.name,
            "environment": "sandbox",
            "origin": "sandbox",
            "credential": "x",
            "asked_by": "me",
            "identity": f"{number}",
            "asking": 1,
            "idempotency_key": "",
            "project": "shop",
            "mode": "fast",
            "tag": "Engineer",
            "prompt": f"Question number {number}",
            "attachments": "[]",
            "state": "accepted",
            "prepared_at": 1000.0 + number,
            "attempts": 1,
            "unheard": 0,
            "task_id": f"task_{number}",
            "status": "completed",
            "message": f"Answer {number}",
            "created_at": 1000.0 + number,
            "completed_at": 2000.0 + number,
            "credits_used": number % 97 + 0.0,
            **values,
        }
        for number in range(count)
    ]
    with current.ledger.store.write() as connection:
        connection.execute(insert(questions), rows)


def rows(view) -> list[str]:
    """The questions that are on show, in order."""
    return [row._words.value for row in view._rows if row.widget.layout.display != "none"]
