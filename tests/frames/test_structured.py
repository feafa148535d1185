"""``answers()``: the structured answers of many tasks below each other."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codevf_nb import analysis
from codevf_nb.analysis.structured import exact_frame
from codevf_nb.sdk.exceptions import BadRequestError, CodeVFError


def answered(past, result, **asked) -> str:
    task_id = past.ask(0.0, response_schema={"type": "object"}, **asked)
    past.answer(task_id, 1.0, 1.0, result=result)
    return task_id


def answers(past, *ids) -> pd.DataFrame:
    return analysis.answers(past.store, analysis.names(ids, past.account))


def test_rows_stand_below_each_other_with_their_ids(past):
    """Objects, lists of objects and the one list within an object all are rows; columns are those of all of them."""
    one = answered(past, {"line": 3, "message": "x"})
    two = answered(past, {"findings": [{"line": 1}, {"line": 2, "severity": "low"}]})
    table = answers(past, two, one)
    assert table.columns.tolist() == ["task_id", "line", "severity", "message"]
    assert table["task_id"].tolist() == [two, two, one]
    assert table["line"].tolist() == [1, 2, 3]
    assert str(table["task_id"].dtype) == "string"


def test_a_frame_of_tasks_will_do(past):
    """Those whose answer is text, or isn't there yet, have no rows; neither has an empty list."""
    past.answered(0.0)
    past.ask(0.0, response_schema={"type": "object"})
    answered(past, [])
    data = answered(past, [{"n": 1}])
    everything = analysis.tasks(past.store, analysis.Filters(past.account))
    table = analysis.answers(past.store, analysis.names(everything, "another account"))
    assert table.to_dict("records") == [{"task_id": data, "n": 1}]


def test_nothing_is_an_empty_frame(past):
    """With its one column."""
    table = answers(past)
    assert table.columns.tolist() == ["task_id"]
    assert str(table["task_id"].dtype) == "string"
    assert len(analysis.answers(past.store, analysis.names(pd.DataFrame({"task_id": []}), past.account))) == 0


def test_an_answers_own_task_id_keeps_its_values(past):
    """A foreign column never stands in for ours."""
    task_id = answered(past, [{"task_id": "theirs"}])
    assert answers(past, task_id).to_dict("records") == [{"task_id": task_id, "answer_task_id": "theirs"}]


def test_tasks_may_be_objects(past):
    """A Task knows its account."""
    task_id = answered(past, [{"n": 1}])
    task = SimpleNamespace(entry=past.ledger.questions.task(task_id))
    assert analysis.names([task, task_id], "other") == [("live-1", task_id), ("other", task_id)]
    assert analysis.names(task, "other") == [("live-1", task_id)]


def test_what_cannot_be_answered_is_told(past):
    """An id that the ledger doesn't know, data without rows, and what is no task at all."""
    with pytest.raises(BadRequestError, match="knows no task task_9"):
        answers(past, "task_9")
    with pytest.raises(CodeVFError, match=r"several tables \(a, b\)"):
        answers(past, answered(past, {"a": [{"x": 1}], "b": [{"y": 2}]}))
    with pytest.raises(BadRequestError, match="not 3"):
        answers(past, 3)
    with pytest.raises(BadRequestError, match="column task_id"):
        analysis.names(pd.DataFrame({"id": ["x"]}), past.account)


JSON_VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.integers(2**53 - 2, 2**53 + 2),
    st.floats(allow_nan=False),
    st.text(max_size=3),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=2), st.integers(), max_size=2),
)
COLUMN = st.sampled_from([st.none(), st.booleans(), st.integers(), st.integers(0, 2**64 - 1), JSON_VALUES]).flatmap(
    lambda values: st.lists(st.one_of(st.none(), values), min_size=3, max_size=3)
)


@given(st.dictionaries(st.text(max_size=3), COLUMN, max_size=3), st.booleans())
def test_every_value_of_an_answer_is_in_its_frame(columns, leave_out):
    """Whatever is missing: integers, truth values and text stay exactly what they were, and what is missing is <NA>."""
    rows = [{name: values[row] for name, values in columns.items()} for row in range(3)]
    if leave_out:
        rows = [{name: value for name, value in row.items() if value is not None} for row in rows]
    frame = exact_frame(rows)
    for name in frame.columns:
        for found, value in zip(frame[name], columns[name], strict=True):
            assert found is pd.NA if value is None else found == value
            assert isinstance(found, bool | np.bool_) == isinstance(value, bool)
        assert str(frame[name].dtype) in {"Int64", "UInt64", "Float64", "boolean", "string", "object"}


def test_a_column_that_one_answer_lacks_keeps_its_numbers(past):
    """Numbers beyond 2^53, beside an answer without them."""
    one = answered(past, [{"id": 1234567890123456789}, {"id": None}])
    two = answered(past, [{"line": 7, "text": "x"}])
    table = answers(past, one, two)
    assert table["id"].dtype == "Int64"
    assert table["line"].dtype == "Int64"
    assert table["text"].dtype == "string"
    assert table["id"].tolist() == [1234567890123456789, pd.NA, pd.NA]
