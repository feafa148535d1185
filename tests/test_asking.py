"""``codevf_nb.ask`` takes arguments the way people pass them, or refuses in one line, and then nothing was sent."""

import inspect
from collections import namedtuple
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import codevf_nb as cvf
from codevf_nb.questions.options import BY_ARGUMENT, AskOptions, Defaults
from codevf_nb.sdk.exceptions import CodeVFError
from codevf_nb.sdk.models import ServiceMode

PROMPT = "Are these totals plausible, do you think?"
orders = pd.DataFrame({"order_id": [1, 2, 3], "total": [1.5, 2.5, 3.5]})
Point = namedtuple("Point", "x y")


def area(width):
    """A function to attach."""
    return width * width


def names(task):
    return [part["name"] for part in task.entry.attachments]


def creates(box):
    return [path for _, path, _, _ in box.requests() if path.endswith("tasks/create")]


ONE = {
    "a DataFrame": (orders, ["table_1.csv", "profile.md"]),
    "a Series": (orders["total"], ["table_1.csv", "profile.md"]),
    "a polars table": (pl.DataFrame({"a": [1]}), ["table_1.csv", "profile.md"]),
    "an Arrow table": (pa.table({"a": [1]}), ["table_1.csv", "profile.md"]),
    "an array": (np.arange(4), ["table_1.csv", "profile.md"]),
    "a text": ("a note for the engineer", ["table_1.txt"]),
    "bytes": (b"\x00\x01", ["table_1.bin"]),
    "a function": (area, ["table_1.py"]),
    "a path": (Path(__file__), ["test_asking.py"]),
    "a list of one": ([orders], ["table_1.csv", "profile.md"]),
    "values of a dict": ({"o": orders}.values(), ["table_1.csv", "profile.md"]),
    "a generator": ((part for part in [orders]), ["table_1.csv", "profile.md"]),
    "a record": (Point(1, 2), ["table_1.json"]),
    "nothing": (None, []),
    "an empty list": ([], []),
    "by name": ({"orders": orders}, ["orders.csv", "profile.md"]),
    "two": ([orders, orders], ["table_1.csv", "table_2.csv", "profile.md"]),
}


@pytest.mark.parametrize("what", ONE)
def test_one_thing_is_one_attachment(box, current, what):
    """What is passed without a list is one attachment, of whatever kind it is."""
    value, expected = ONE[what]
    assert sorted(names(cvf.ask(PROMPT, attach=value))) == sorted(expected)


def test_one_path_is_one_file(box, current):
    """A path is not read letter by letter."""
    assert names(cvf.ask(PROMPT, files=__file__)) == ["test_asking.py"]
    assert names(cvf.ask(PROMPT, files=Path(__file__))) == ["test_asking.py"]


def test_one_column_is_one_column(box, current):
    """``redact="email"`` masks that column, not columns called e, m, a, i and l."""
    people = pd.DataFrame({"email": ["ann@example.org", "bob@example.org", "cy@example.org"]})
    options = AskOptions.of({"prompt": PROMPT, "attach": people, "redact": "email"}, {})
    [table, _] = current.draft_of(options, Defaults()).attachments
    assert (b"email" in table.content, b"ann@example" in table.content) == (True, False)


def test_code_is_text_a_file_or_a_function(box, current, tmp_path):
    """A function's source and a file's text are taken for code."""
    (tmp_path / "cell.py").write_text("x = 1\n")
    codes = [cvf.ask(PROMPT, code=code, again=n).entry.code for n, code in enumerate((area, tmp_path / "cell.py"), 1)]
    assert codes == [inspect.getsource(area).rstrip("\n"), "x = 1"]


def test_numbers_of_other_libraries_are_numbers(box, current):
    """numpy's integers are taken as integers."""
    task = cvf.ask(PROMPT, max_credits=np.int64(300), again=np.int8(2), tag=np.int32(1))
    assert (task.entry.max_credits, task.entry.asking) == (300, 2)


REFUSED = {
    "nothing at all": ({"prompt": None}, "nothing to ask"),
    "an empty prompt": ({"prompt": ""}, "nothing to ask"),
    "a blank prompt": ({"prompt": " \n"}, "nothing to ask"),
    "an empty prompt and empty code": ({"prompt": "", "code": " \n"}, "nothing to ask"),
    "a number as prompt": ({"prompt": 123}, "prompt is an int"),
    "a table as prompt": ({"prompt": orders}, "prompt is a DataFrame"),
    "a variable's name": ({"attach": "orders"}, "attach={'orders': orders}"),
    "a variable's name in a list": ({"attach": ["orders"]}, "attach={'orders': orders}"),
    "plain numbers": ({"attach": [1, 2, 3]}, "attach={'numbers': [...]}"),
    "a name that is no text": ({"attach": {1: orders}}, "attach has the name 1"),
    "a table as file": ({"files": orders}, "files is a DataFrame"),
    "a table in the files": ({"files": [orders]}, "attach= takes values"),
    "a number as code": ({"code": 3.5}, "code is a float"),
    "a file that isn't there": ({"code": Path("nowhere.py")}, "code: "),
    "a builtin as code": ({"code": len}, "len"),
    "a number as mode": ({"mode": 3}, "mode is 3"),
    "credits as text": ({"max_credits": "300"}, "max_credits is '300'"),
    "credits as True": ({"max_credits": True}, "max_credits is True"),
    "credits with a fraction": ({"max_credits": 300.5}, "max_credits is 300.5"),
    "a tag that is a float": ({"tag": 1.5}, "tag is 1.5"),
    "a path as project": ({"project": Path("x")}, "project is a PosixPath"),
    "an asking as text": ({"again": "2"}, "again is '2'"),
    "an empty text": ({"attach": ""}, "nothing to look at"),
    "no bytes": ({"attach": [b""]}, "nothing to look at"),
    "None in a list": ({"attach": [None]}, "nothing to look at"),
    "half a character in the code": ({"code": "\ud800"}, "half a character"),
    "an asking that no one counts": ({"again": 10**30}, "counts from 1 to"),
    "asking number 0": ({"again": 0}, "counts from 1"),
    "metadata as a list": ({"metadata": [1]}, "metadata is a list"),
    "a flag as text": ({"allow_secrets": "false"}, "allow_secrets is 'false'"),
    "a number as columns": ({"redact": 3}, "redact is an int"),
    "bytes as text": ({"max_bytes": "1MB"}, "max_bytes is '1MB'"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_meant_is_refused_in_one_line(box, current, what):
    """The message names the argument and says that nothing was sent; and nothing was."""
    arguments, said = REFUSED[what]
    with pytest.raises(CodeVFError) as refused:
        cvf.ask(**{"prompt": PROMPT, **arguments})
    message = str(refused.value)
    assert said in message
    assert (message.endswith("Nothing was sent."), "\n" in message) == (True, False)
    assert creates(box) == []


ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
    st.binary(max_size=5),
    st.complex_numbers(),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.integers(), st.integers(), max_size=2),
    st.just(object()),
    st.just(orders),
    st.just(len),
    st.just(int),
    st.just(range(3)),
    st.just(np.float64(2.5)),
    st.just(pd.NA),
)


@pytest.mark.parametrize("name", [*inspect.signature(cvf.ask).parameters])
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=ANYTHING)
@example(value="line\nbreak")
def test_no_argument_ends_in_a_traceback(current, name, value):
    """Any value of any type in any argument is taken, or refused with an error of ours."""
    arguments = {"prompt": PROMPT, "code": "x = 1", name: value}
    message = ""
    try:
        current.draft_of(AskOptions.of(arguments, {}), Defaults())
    except CodeVFError as refused:
        message = str(refused)
    assert "\n" not in message


def test_every_argument_has_a_reader():
    """An argument that is added to ``ask`` and read nowhere fails here."""
    assert {*BY_ARGUMENT} == set(inspect.signature(cvf.ask).parameters)
    assert {*BY_ARGUMENT} == {*AskOptions.__dataclass_fields__} - {"unnamed", "contents_count", "exception"}


def test_an_argument_without_a_reader_raises(current):
    """There is no silent default for an argument that nobody reads."""
    with pytest.raises(KeyError):
        AskOptions.of({"prompt": PROMPT, "colour": "red"}, {})


def test_configured_defaults_hold_for_python_too(shell, current):
    """``%config CodeVF.mode`` is what an option resolves to that was not given, in the magic and in ``ask`` alike."""
    shell.run_line_magic("config", "CodeVF.mode = 'fast'")
    shell.user_ns["cvf"] = cvf
    shell.run_cell("task = cvf.ask('Is this default right, do you think?', code='x = 1')")
    assert shell.user_ns["task"].entry.mode == ServiceMode.FAST
