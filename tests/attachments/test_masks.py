"""A column is masked under every name its user knows it by, whatever holds it."""

import collections
import dataclasses
import datetime as dt
import decimal
import fractions
import io
import sqlite3
import types

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codevf_nb.attachments import (
    AttachmentError,
    Mask,
    column_names,
    gather,
)
from codevf_nb.privacy import PrivateDataError, check

SALARY = 4_217_398_604_117  # more digits than a mask has, in which it could be by chance


@dataclasses.dataclass
class Pay:
    """Somebody's."""

    name: str
    salary: int


@dataclasses.dataclass
class Team:
    """With people in it."""

    people: list


class Slotted:
    __slots__ = ("salary",)

    def __init__(self, salary):
        self.salary = salary

    def __repr__(self):
        return f"Slotted({self.salary})"


Row = collections.namedtuple("Row", "name salary")


def of_sqlite():
    connection = sqlite3.connect(":memory:")
    connection.row_factory = sqlite3.Row
    row = connection.execute(f"SELECT 'Ann' AS name, {SALARY} AS salary").fetchone()
    connection.close()
    return row


def sent(named, redact=("salary",), **options) -> dict[str, str]:
    return {part.file_name: part.content.decode() for part in gather(None, named, redact=redact, **options)}


HOLDERS = {
    "a dict": {"salary": SALARY},
    "a dataclass": Pay("Ann", SALARY),
    "a namedtuple": Row("Ann", SALARY),
    "a UserDict": collections.UserDict(salary=SALARY),
    "an ordered dict": collections.OrderedDict(salary=SALARY),
    "a proxy": types.MappingProxyType({"salary": SALARY}),
    "a namespace": types.SimpleNamespace(salary=SALARY),
    "an object with slots": Slotted(SALARY),
    "a row of SQLite": of_sqlite(),
    "a record of numpy": np.array([("Ann", SALARY)], dtype=[("name", "U9"), ("salary", "i8")])[0],
    "an item of a dict": ("salary", SALARY),
    "values in a list": {"salary": [SALARY, SALARY + 1]},
    "a dict under the name": {"salary": {"2024": SALARY}},
    "a key with levels": {("pay", "salary"): SALARY},
}
AROUND = {
    "in a list": lambda one: [one],
    "in a tuple": lambda one: (one, 1),
    "in a dict": lambda one: {"k": one},
    "deep": lambda one: {"a": [{"b": (one, {"c": [one]})}]},
    "in a dataclass": lambda one: Team([one]),
    "in a deque": lambda one: [collections.deque([one])],
    "in a cell": lambda one: pd.DataFrame({"n": pd.Series([1]), "p": pd.Series([one], dtype=object)}),
    "in an array": lambda one: [np.array([one, None], dtype=object)],
    "in an array in a cell": lambda one: pd.DataFrame({"p": [np.array([one, None], dtype=object)]}),
    "in a list in a cell": lambda one: pd.DataFrame({"p": pd.Series([[one]], dtype=object)}),
}


@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize("holder", HOLDERS)
def test_a_named_value_is_masked_whatever_holds_it(holder, around):
    """By itself and where a table that has the column goes along."""
    value = AROUND[around](HOLDERS[holder])
    for named in ({"v": value}, {"v": value, "t": pd.DataFrame({"salary": [SALARY]})}):
        files = sent(named)
        assert not [name for name, text in files.items() if str(SALARY) in text]
        assert any("masked-" in text for name, text in files.items() if name.startswith("v"))


def test_models_of_pydantic_are_masked():
    """As fields of others, in lists and in cells."""
    pydantic = pytest.importorskip("pydantic")
    model = pydantic.create_model("Pay", name=(str, ...), salary=(int, ...))
    team = pydantic.create_model("Team", people=(list[model], ...))
    one = model(name="Ann", salary=SALARY)
    for value in ([one], {"a": one}, team(people=[one]), pd.DataFrame({"p": [one]})):
        files = sent({"v": value})
        assert not [name for name, text in files.items() if str(SALARY) in text]


@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow", "map"])
def test_structs_in_cells_are_masked(library):
    """Also those of polars and Arrow, and Arrow's maps."""
    rows = [{"salary": SALARY, "more": [{"salary": SALARY}]}]
    table = {
        "pandas": lambda: pd.DataFrame({"p": rows}),
        "polars": lambda: pl.DataFrame({"p": rows}),
        "pyarrow": lambda: pa.table({"p": rows}),
        "map": lambda: pa.table({"p": pa.array([[("salary", SALARY)]], pa.map_(pa.string(), pa.int64()))}),
    }[library]()
    files = sent({"t": table})
    assert str(SALARY) not in "".join(files.values())
    assert "masked-" in files["t.csv"]


def test_every_column_of_a_name_is_masked():
    """A name that occurs twice is made unique when it is sent, and is masked both times."""
    a, b = pd.DataFrame({"id": [1, 2], "salary": [10, 20]}), pd.DataFrame({"id": [1, 2], "salary": [3001, 4001]})
    files = sent({"t": pd.concat([a, b], axis=1)})
    table = pd.read_csv(io.StringIO(files["t.csv"]))
    assert table["salary.1"].str.startswith("masked-").all()
    assert "3001" not in "".join(files.values())
    assert "Masked: salary, salary.1" in files["profile.md"]
    arrow = pa.Table.from_arrays([pa.array([SALARY]), pa.array([SALARY])], names=["salary", "salary"])
    assert str(SALARY) not in "".join(sent({"t": arrow}).values())


LEVELS = pd.DataFrame({("user", "email"): ["a@corp.de"], ("user", "id"): [1], ("n", ""): [2]})
NAMED = {
    "a comma": (pd.DataFrame({"last, first": ["a@corp.de"]}), "last, first"),
    "a blank at its end": (pd.DataFrame({"email ": ["a@corp.de"]}), "email "),
    "the last level": (LEVELS, "email"),
    "the first level": (LEVELS, "user"),
    "all levels": (LEVELS, ("user", "email")),
    "the first of three levels": (pd.DataFrame({("a", "b", "c"): ["a@corp.de"]}), ("a", "b")),
    "the name in the file": (LEVELS, "user / email"),
    "another case": (pd.DataFrame({"E-Mail": ["a@corp.de"]}), "e-mail"),
    "an index": (pd.DataFrame({"n": [1]}, index=pd.Index(["a@corp.de"], name="email")), "email"),
    "a level of an index": (
        pd.DataFrame({"n": [1]}, index=pd.MultiIndex.from_tuples([(1, "a@corp.de")], names=["k", "email"])),
        "email",
    ),
    "an index without a name": (pd.DataFrame({"n": [1]}, index=["a@corp.de"]), "index"),
    "a number": (pd.DataFrame({0: ["a@corp.de"]}), 0),
    "a quote": (pd.DataFrame({'the "mail"': ["a@corp.de"]}), 'the "mail"'),
    "a line break": (pd.DataFrame({"e\nmail": ["a@corp.de"]}), "e\nmail"),
    "a Series": (pd.Series(["a@corp.de"], name="email"), "email"),
    "categories": (pd.DataFrame({"email": pd.Categorical(["a@corp.de"])}), "email"),
}


@pytest.mark.parametrize("name", NAMED)
def test_any_column_can_be_named(name):
    """From Python each name is taken as it is, and one text is one name."""
    table, column = NAMED[name]
    for redact in ([column], (column,), column) if isinstance(column, str) else ([column],):
        files = sent({"t": table}, redact=redact)
        assert "corp.de" not in "".join(files.values())
        assert "masked-" in files["t.csv"]


@given(
    st.lists(
        st.text(st.characters(blacklist_characters="\"'", codec="utf-8"), min_size=1).filter(str.strip), max_size=4
    )
)
def test_names_that_are_quoted_can_be_typed(names):
    """With commas and blanks in them, in either kind of quotes."""
    for quote in "\"'":
        assert column_names(" , ".join(f"{quote}{name}{quote}" for name in names)) == names
    plain = [name.strip() for name in names if "," not in name]
    assert column_names(",".join(plain)) == plain


@pytest.mark.parametrize(("typed", "told"), [('"a', "not closed"), ('"a" b', "comma is missing"), ("'a'b", "comma")])
def test_a_slip_in_the_quotes_is_named(typed, told):
    """Before anything is masked or sent."""
    with pytest.raises(AttachmentError, match=told):
        column_names(typed)


HINTED = [
    {"e-mail, private": ["a@corp.de", "b@corp.de"]},
    {("person", "email"): ["a@corp.de", "b@corp.de"], ("person", "id"): [1, 2]},
    {"my e-mail": ["a@corp.de", "b@corp.de"], "e-mail": ["c@corp.de", "d@corp.de"]},
    {"-email": ["a@corp.de", "b@corp.de"]},
    {"it's e-mail": ["a@corp.de", "b@corp.de"]},
    {"$email": ["a@corp.de", "b@corp.de"]},
]


@pytest.mark.parametrize("columns", HINTED, ids=str)
def test_a_hint_can_be_pasted_as_it_stands(current, shell, columns, capsys):
    """Behind the prompt and in front of it."""
    shell.user_ns["t"] = pd.DataFrame(columns)
    parts = gather(None, {"t": shell.user_ns["t"]})
    with pytest.raises(PrivateDataError) as refused:
        check({}, [(part.file_name, part.content) for part in parts])
    hint = str(refused.value).partition("allow")[0]
    hint = hint[hint.index("--redact") : hint.index(" masks columns")]
    for line in (f"Is this right? -a t {hint} --dry-run", f"-a t {hint} --dry-run Is this right?"):
        shell.run_cell_magic("codevf", line, "x = 1")
        said = capsys.readouterr().out
        assert "masked-" in said
        assert "corp.de" not in said


EQUAL = [
    (7, 7.0),
    (7, np.float32(7)),
    (7, decimal.Decimal("7.0")),
    (7, fractions.Fraction(7)),
    (7, np.int8(7)),
    (7, 7 + 0j),
    (1, True),
    (0, np.bool_(False)),
    (0.5, decimal.Decimal("0.50")),
    (2**63, float(2**63)),
    (-0.0, 0),
    ("a", np.str_("a")),
    (float("inf"), np.float64("inf")),
    (pd.Timestamp("2024-01-01T05").to_pydatetime(), pd.Timestamp("2024-01-01T05")),
    (pd.Timestamp("2024-01-01"), np.datetime64("2024-01-01")),
    (pd.Timestamp("2024-01-01T05", tz="UTC"), pd.Timestamp("2024-01-01T06", tz="Europe/Berlin")),
    (dt.timedelta(hours=1), np.timedelta64(60, "m")),
    (decimal.Decimal("1e9999"), decimal.Decimal("10e9998")),
]


@pytest.mark.parametrize(("one", "two"), EQUAL, ids=str)
def test_values_that_join_have_the_same_mask(one, two):
    """Whatever their types: a join of what is sent finds what a join of the originals finds."""
    mask = Mask(["x"])
    assert one == two
    assert mask.value(one) == mask.value(two)


@settings(deadline=None)
@given(
    *[
        st.one_of(
            st.integers(), st.floats(allow_nan=False), st.decimals(allow_nan=False), st.booleans(), st.text(),
            st.datetimes(), st.fractions(),
        )
    ] * 2
)  # fmt: skip
def test_masks_are_equal_where_values_are(one, two):
    """And only there: 7 and "7" join with each other in no table."""
    mask = Mask(["x"])
    assert (mask.value(one) == mask.value(two)) == (one == two)


def test_masking_changes_nothing_of_what_was_given():
    """Neither the table nor what is in its cells."""
    cell, pay = {"salary": SALARY}, Pay("Ann", SALARY)
    table = pd.DataFrame({"p": [cell], "q": [pay], "salary": [1]})
    sent({"t": table, "d": [cell, pay]})
    assert cell == {"salary": SALARY}
    assert pay.salary == SALARY
    assert table["salary"][0] == 1
    assert table["p"][0] is cell


def test_what_is_not_named_goes_as_without_masks():
    """Cells that hold none of the columns are written as ever."""
    table = pd.DataFrame({"p": [{"a": 1}], "q": [Pay("Ann", 1)], "email": ["x"]})
    with_mask = pd.read_csv(io.StringIO(sent({"t": table}, redact=["email"])["t.csv"]))
    without = pd.read_csv(io.StringIO(sent({"t": table}, redact=[])["t.csv"]))
    assert with_mask[["p", "q"]].equals(without[["p", "q"]])
