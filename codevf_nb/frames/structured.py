"""Structured answers of many tasks, below each other."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, Final

import pandas as pd
from sqlalchemy import select

from codevf_nb.frames.types import TEXT
from codevf_nb.ledger import Store
from codevf_nb.ledger.tables import questions
from codevf_nb.sdk.exceptions import BadRequestError, CodeVFError
from codevf_nb.sdk.schema import rows

TASK_ID: Final = "task_id"
# What the answers themselves call so keeps its values under this name.
THEIRS: Final = "answer_task_id"

# A query holds so many ids at most: databases take only so many parameters.
_AT_ONCE = 500


def answers(store: Store, named: Sequence[tuple[str, str]]) -> pd.DataFrame:
    """Return the rows of structured answers below each other, each with the id of its task in the first column.

    ``named``: account and id of each task, in the order wanted. A task whose answer is text, or isn't there yet, has no
    rows. Columns are those of all answers; where one lacks a column, nothing is known.

    Raises:
        BadRequestError: the ledger doesn't know one of them.
        CodeVFError: an answer is data, but no rows.
    """
    known = _known(store, named)
    if missing := [task_id for account, task_id in named if (account, task_id) not in known]:
        raise BadRequestError(f"the ledger knows no task {missing[0]}; cvf.tasks() lists those it knows.")
    found = [{TASK_ID: name[1], **row} for name in named for row in _rows(name[1], *known[name])]
    return pd.DataFrame(found, columns=None if found else [TASK_ID]).astype({TASK_ID: TEXT})


def _known(store: Store, named: Iterable[tuple[str, str]]) -> dict[tuple[str, str], tuple[bool, str | None]]:
    """Return, of each task that the ledger knows, whether it was asked for data, and the answer's JSON."""
    ids: dict[str, list[str]] = {}
    for account, task_id in named:
        ids.setdefault(account, []).append(task_id)
    columns = (questions.c.task_id, questions.c.response_schema.is_not(None), questions.c.result)
    found = {}
    with store.read() as connection:
        for account, wanted in ids.items():
            for start in range(0, len(wanted), _AT_ONCE):
                some = questions.c.task_id.in_(wanted[start : start + _AT_ONCE])
                query = select(*columns).where(questions.c.account == account, some)
                for task_id, is_data, result in connection.execute(query):
                    found[account, task_id] = (bool(is_data), result)
    return found


def _rows(task_id: str, is_data: bool, result: str | None) -> list[dict[str, Any]]:  # noqa: FBT001 - a row's own flag
    if not is_data or result is None:
        return []
    found = rows(json.loads(result))
    if found is None:
        raise CodeVFError(f"the answer of {task_id} is data, but no rows: see .result of the task.")
    return [{THEIRS if name == TASK_ID else name: value for name, value in row.items()} for row in found]


def names(tasks: Any, account: str) -> list[tuple[str, str]]:
    """Return account and id of tasks given as ids (of this account), as Task objects, or as a frame of tasks.

    Raises:
        BadRequestError: they are none of these.
    """
    if isinstance(tasks, pd.DataFrame):
        if TASK_ID not in tasks:
            raise BadRequestError("answers() takes a frame with a column task_id, such as cvf.tasks().")
        there = tasks[tasks[TASK_ID].notna()]
        accounts = there["account"] if "account" in there else [account] * len(there)
        return list(zip(accounts, there[TASK_ID], strict=True))
    many = [tasks] if isinstance(tasks, str) or hasattr(tasks, "entry") else list(tasks)
    return [_name(task, account) for task in many]


def _name(task: Any, account: str) -> tuple[str, str]:
    if isinstance(task, str):
        return account, task
    entry = getattr(task, "entry", None)
    if entry is None or entry.task_id is None:
        raise BadRequestError(f"answers() takes tasks, their ids, or a frame such as cvf.tasks(); not {task!r}.")
    return entry.account, entry.task_id
