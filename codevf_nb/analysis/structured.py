"""The rows of many structured answers in one frame."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import pandas as pd
from sqlalchemy import select

from codevf_nb.analysis._dtypes import COUNT, FLAG, TEXT
from codevf_nb.ledger import Store
from codevf_nb.ledger.records import is_data
from codevf_nb.ledger.tables import questions
from codevf_nb.sdk.exceptions import BadRequestError, CodeVFError
from codevf_nb.sdk.parsing import loads
from codevf_nb.sdk.schemas import rows

TASK_ID: Final = "task_id"
# A column of the answers with that name is renamed to this one.
THEIRS: Final = "answer_task_id"

# Types of whole numbers: from, and up to.
_WHOLE: Final = ((COUNT, -(2**63), 2**63), ("UInt64", 0, 2**64))
# The most ids in a query: databases limit the number of parameters.
_AT_ONCE = 500


def answers(store: Store, named: Sequence[tuple[str, str]]) -> pd.DataFrame:
    """Return the rows of structured answers in one frame, with the id of the task in the first column.

    A task whose answer is text, or that is open, has no rows. The columns are those of all answers; a value that an
    answer does not have is missing.

    Args:
        store: The database of the ledger.
        named: Account and id of each task, in the order of the rows.

    Raises:
        BadRequestError: the ledger doesn't have one of them.
        CodeVFError: an answer has several arrays of objects.
    """
    known = _known(store, named)
    if missing := [task_id for account, task_id in named if (account, task_id) not in known]:
        raise BadRequestError(f"the ledger knows no task {missing[0]}; cvf.tasks() lists those it knows.")
    found = [{TASK_ID: name[1], **row} for name in named for row in _rows(name[1], *known[name])]
    return exact_frame(found, first=(TASK_ID,)).astype({TASK_ID: TEXT})


def exact_frame(found: Sequence[Mapping[str, Any]], first: Sequence[str] = ()) -> pd.DataFrame:
    """Return rows of JSON as a frame with exact values: Int64, Float64, boolean and string; missing is <NA>."""
    columns = list(dict.fromkeys([*first, *(name for row in found for name in row)]))
    series = {number: _exact([row.get(name) for row in found]) for number, name in enumerate(columns)}
    frame = pd.DataFrame(series, index=range(len(found)))
    return frame.set_axis(pd.Index(columns, dtype=object if not columns else None), axis=1)


def _exact(values: Sequence[Any]) -> pd.Series:
    """Return values of JSON as a column of the dtype that stores all of them exactly; else of objects."""
    kinds = {type(value) for value in values if value is not None}
    dtype = _dtype(kinds, values)
    if dtype is not None:
        return pd.Series(values, dtype=dtype)
    kept = pd.Series(index=range(len(values)), dtype=object)
    for number, value in enumerate(values):
        kept.iat[number] = pd.NA if value is None else value
    return kept


def _dtype(kinds: set[type], values: Sequence[Any]) -> str | None:
    if kinds == {str}:
        return TEXT
    if kinds == {bool}:
        return FLAG
    whole = [value for value in values if type(value) is int]
    if kinds == {int}:
        return next((dtype for dtype, low, high in _WHOLE if low <= min(whole) and max(whole) < high), None)
    if kinds and kinds <= {int, float} and all(abs(value) <= 2**53 for value in whole):
        return "Float64"
    return None


def _known(store: Store, named: Iterable[tuple[str, str]]) -> dict[tuple[str, str], tuple[str | None, ...]]:
    """Return the text, the JSON result and the JSON schema of each task that the ledger has."""
    ids: dict[str, list[str]] = {}
    for account, task_id in named:
        ids.setdefault(account, []).append(task_id)
    columns = (questions.c.task_id, questions.c.message, questions.c.result, questions.c.response_schema)
    found = {}
    with store.read() as connection:
        for account, wanted in ids.items():
            for start in range(0, len(wanted), _AT_ONCE):
                some = questions.c.task_id.in_(wanted[start : start + _AT_ONCE])
                query = select(*columns).where(questions.c.account == account, some)
                for task_id, *answer in connection.execute(query):
                    found[account, task_id] = tuple(answer)
    return found


def rows_of(task_id: str, data: Any, schema: Any) -> list[dict[str, Any]]:
    """Return the rows in a structured answer.

    Raises:
        CodeVFError: it has several arrays of objects, so that none is the table.
    """
    found = rows(data, schema)
    if found is None:
        names = [name for name, value in data.items() if isinstance(value, list)]
        raise CodeVFError(
            f"the answer of {task_id} is data with several tables ({', '.join(names)}), so it is no single one: "
            "pd.DataFrame(task.result[NAME]) makes a frame of one of them."
        )
    return found


def _rows(task_id: str, message: str | None, result: str | None, schema: str | None) -> list[dict[str, Any]]:
    came, asked = (None if text is None else loads(text) for text in (result, schema))
    if not is_data(message, came, asked):
        return []
    found = rows_of(task_id, came, asked)
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
