"""Ledger rows as DataFrames: what was asked, the account book, and what was spent.

Times are UTC, ``answered_in`` a Timedelta, credits nullable floats, text the string dtype. An empty frame has the same
columns and dtypes as a full one. A frame speaks of one account unless told otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import pandas as pd
from sqlalchemy import Select, select

from codevf_nb.ledger import Store
from codevf_nb.ledger.book import BALANCE
from codevf_nb.ledger.tables import book, questions
from codevf_nb.ledger.tables import tags as tags_table
from codevf_nb.sdk.exceptions import BadRequestError

TIME: Final = "datetime64[us, UTC]"
SPAN: Final = "timedelta64[us]"
CREDITS: Final = "Float64"
TEXT: Final = "string"
COUNT: Final = "Int64"

TASKS = {
    "task_id": TEXT,
    "account": TEXT,
    "environment": TEXT,
    "asked_by": TEXT,
    "project": TEXT,
    "mode": TEXT,
    "tag": TEXT,
    "status": TEXT,
    "prompt": TEXT,
    "attachments": COUNT,
    "max_credits": CREDITS,
    "cost_cap": CREDITS,
    "credits_used": CREDITS,
    "created_at": TIME,
    "completed_at": TIME,
    "answered_in": SPAN,
    "message": TEXT,
}
CREDITS_BOOK = {
    "at": TIME,
    "account": TEXT,
    "environment": TEXT,
    "task_id": TEXT,
    "kind": TEXT,
    "credits": CREDITS,
    "available": CREDITS,
    "on_hold": CREDITS,
    "total": CREDITS,
}
BALANCES = {name: CREDITS_BOOK[name] for name in ("at", "account", "environment", "available", "on_hold", "total")}
TAGS = {
    "tag_id": COUNT,
    "name": TEXT,
    "display_name": TEXT,
    "description": TEXT,
    "multiplier": CREDITS,
    "is_active": "boolean",
}
SPEND_BY = ("account", "environment", "asked_by", "project", "mode", "tag", "status")
SPEND = {
    "questions": COUNT,
    "credits_used": CREDITS,
    "credits_held": CREDITS,
    "credits_per_answer": CREDITS,
    "share": CREDITS,
    "median_answered_in": SPAN,
    "p90_answered_in": SPAN,
}


def tasks(store: Store, account: str | None) -> pd.DataFrame:
    """Return one row per question that the service has or may have, newest last. ``account`` None: of all accounts."""
    columns = [questions.c[name] for name in TASKS if name in questions.c and name != "attachments"]
    query = select(*columns, questions.c.attachments, questions.c.state).where(questions.c.state != "refused")
    frame = _read(store, _of(query, questions.c.account, account).order_by(questions.c.id))
    frame["status"] = frame["status"].where(frame["task_id"].notna(), frame["state"])
    frame["attachments"] = frame["attachments"].str.count('"sha256"')
    frame["created_at"] = _times(frame["created_at"])
    frame["completed_at"] = _times(frame["completed_at"])
    frame["answered_in"] = frame["completed_at"] - frame["created_at"]
    return _typed(frame, TASKS)


def credits(store: Store, account: str | None) -> pd.DataFrame:
    """Return the account book: the running sum of ``credits`` is ``available`` at every row of an account.

    Where a balance that the service told differs from what the book explains, an ``unexplained`` row makes up for it.
    """
    query = select(book).order_by(book.c.account, book.c.seq)
    rows = [row._asdict() for row in _rows(store, _of(query, book.c.account, account))]
    frame = pd.DataFrame(_explained(rows), columns=[*CREDITS_BOOK])
    frame["at"] = _times(frame["at"])
    return _typed(frame, CREDITS_BOOK)


def spend(tasks: pd.DataFrame, by: Sequence[str] = ("mode",)) -> pd.DataFrame:
    """Return questions, credits and time to answer per group of ``tasks``, most spent first.

    ``share`` is the group's part of all credits used, 0 to 1.
    """
    by = [by] if isinstance(by, str) else list(by)
    if unknown := [name for name in by if name not in SPEND_BY] or (["nothing"] if not by else []):
        raise BadRequestError(f"spend can't be by {', '.join(unknown)}; it can be by {', '.join(SPEND_BY)}.")
    held = tasks["cost_cap"].where(tasks["completed_at"].isna() & tasks["task_id"].notna(), 0.0)
    answered = tasks["completed_at"].notna() & (tasks["status"] == "completed")
    marked = tasks.assign(held=held, answers=answered.astype("Int64"))
    groups = marked.groupby(by, sort=True, dropna=False)
    frame = pd.DataFrame(
        {
            "questions": groups.size(),
            "credits_used": groups["credits_used"].sum(),
            "credits_held": groups["held"].sum(),
            "median_answered_in": groups["answered_in"].median(),
            "p90_answered_in": groups["answered_in"].quantile(0.9),
        }
    )
    answers = groups["answers"].sum()
    frame["credits_per_answer"] = (frame["credits_used"] / answers.where(answers > 0)).astype(CREDITS)
    total = frame["credits_used"].sum()
    frame["share"] = frame["credits_used"] / total if total else 0.0
    frame = frame.reset_index().sort_values("credits_used", ascending=False, kind="stable", ignore_index=True)
    return _typed(frame, {**dict.fromkeys(by, TEXT), **SPEND})


def balance(store: Store, account: str | None) -> pd.DataFrame:
    """Return the newest balance seen of each account."""
    query = select(book).where(book.c.kind == BALANCE).order_by(book.c.seq)
    newest = {row.account: row._asdict() for row in _rows(store, _of(query, book.c.account, account))}
    frame = pd.DataFrame(list(newest.values()), columns=[*BALANCES])
    frame["total"] = frame["available"] + frame["on_hold"]
    frame["at"] = _times(frame["at"])
    return _typed(frame, BALANCES)


def tags(store: Store, account: str | None) -> pd.DataFrame:
    """Return the tags of an account as they were last listed."""
    query = select(tags_table).order_by(tags_table.c.sort_order, tags_table.c.tag_id)
    frame = _read(store, _of(query, tags_table.c.account, account))
    frame["multiplier"] = frame["multiplier"].astype("float64")
    return _typed(frame, TAGS)


def _explained(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Carry the running balance through the book, account by account."""
    out: list[dict[str, Any]] = []
    account, available, on_hold = None, 0.0, 0.0
    for row in rows:
        if row["account"] != account:
            account, available, on_hold = row["account"], 0.0, 0.0
        if row["kind"] == BALANCE:
            difference = round(row["available"] - available, 6)
            available, on_hold = row["available"], row["on_hold"]
            if difference:
                told = {"available": available, "on_hold": on_hold, "total": available + on_hold}
                out.append({**row, **told, "kind": "unexplained", "credits": difference, "task_id": None})
        else:
            available = round(available + row["credits"], 6)
            on_hold = round(on_hold - (row["credits"] if row["kind"] != "charge" else 0.0), 6)
        out.append({**row, "available": available, "on_hold": on_hold, "total": available + on_hold})
    return out


def _of(query: Select[Any], column: Any, account: str | None) -> Select[Any]:
    return query if account is None else query.where(column == account)


def _rows(store: Store, query: Select[Any]) -> Sequence[Any]:
    with store.read() as connection:
        return connection.execute(query).all()


def _read(store: Store, query: Select[Any]) -> pd.DataFrame:
    with store.read() as connection:
        result = connection.execute(query)
        return pd.DataFrame(result.all(), columns=list(result.keys()))


def _times(seconds: pd.Series) -> pd.Series:
    return pd.to_datetime(seconds.astype("float64"), unit="s", utc=True).dt.round("ms")


def _typed(frame: pd.DataFrame, columns: dict[str, str]) -> pd.DataFrame:
    typed: pd.DataFrame = frame.reindex(columns=list(columns)).astype(columns)
    return typed
