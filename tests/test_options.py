"""Every row of the table of options does what it says: typed on a real line, over a real service."""

import inspect
import json
import warnings
from contextlib import contextmanager
from dataclasses import dataclass, fields

import pandas as pd
import polars as pl
import pytest
from IPython.utils.capture import capture_output

from codevf_nb import api, kernel, widgets
from codevf_nb.accounts import settings
from codevf_nb.notebook import _completion as completion
from codevf_nb.notebook.grammar import read
from codevf_nb.questions import defaults
from codevf_nb.questions.options import BY_ARGUMENT, LINE_OPTIONS, OPTIONS, AskOptions, Defaults, Kind, Option
from codevf_nb.sandbox import Sandbox
from codevf_nb.sdk.secret import Secret
from codevf_nb.task import Task
from codevf_nb.widgets import _cell_text as cell_text
from codevf_nb.widgets._form import Form

PROMPT = "Is this loop right, do you think?"
PEOPLE = "people = 'ann.smith@gmail.com, bob.jones@gmail.com, cy.young@gmail.com, dee.fox@gmail.com'"
KEY = f"token = 'ghp_{'a1B2c3D4e5' * 3}F6g7H8'"


@dataclass(frozen=True)
class Case:
    """A line on which the option is typed, and what it takes for its effect to be seen."""

    words: str
    without: str = ""
    cell: str = "x = 1"
    before: tuple[str, ...] = ("y = 2",)
    broken_ledger: bool = False


# An option is typed in addition to ``without``. A row of the table that has no case here fails, and so does a case in
# which the option changes nothing.
CASES = {
    "mode": Case("-m fast"),
    "tag": Case("-t engineer"),
    "max_credits": Case("-c 300"),
    "project": Case("-p reviews"),
    "attach": Case("-a orders"),
    "file": Case("-f data.csv"),
    "figure": Case("--figure"),
    "traceback": Case("--traceback", before=("1 / 0",)),
    "last": Case("--last", "--traceback", before=("1 / 0", "y = 2")),
    "context": Case("--context 1"),
    "schema": Case("-s shape"),
    "metadata": Case("--metadata ticket=7"),
    "text": Case("--text", cell="Is the loop above right?"),
    "run": Case("--run"),
    "out": Case("-o answer"),
    "wait": Case("-w"),
    "timeout": Case("--timeout 0", "-w"),
    "again": Case("--again 2"),
    "max_bytes": Case("--max-bytes 6000", "-a long"),
    "redact": Case("--redact total", "-a orders"),
    "profile": Case("--profile full", "-a lazy"),
    "allow_secrets": Case("--allow-secrets", cell=KEY),
    "allow_personal": Case("--allow-personal", cell=PEOPLE),
    "no_ledger": Case("--no-ledger", broken_ledger=True),
    "dry_run": Case("--dry-run"),
    "help": Case("--help"),
}


@dataclass(frozen=True)
class Effect:
    """What a line has done: the question it made, what the service received, and what a person sees."""

    identity: str | None
    received: str
    shown: str
    error: str
    variables: frozenset[str]
    is_open: bool


RECEIVED = {"prompt", "mode", "tagIdUsed", "maxCredits", "metadata", "attachments", "responseSchema"}


@pytest.fixture
def effect_of(shell, tmp_path, monkeypatch):
    """Run a line in a home and on a service of its own, so that no question is a repeat, and return what it did."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data.csv").write_text("a\n1\n")
    shell.user_ns |= {"orders": pd.DataFrame({"total": [11, 22, 33]}), "long": pd.DataFrame({"n": range(5000)})}
    shell.user_ns |= {"shape": {"type": "object"}, "lazy": pl.LazyFrame({"n": range(200_000)})}
    runs = iter(range(100))

    def run(line: str, case: Case) -> Effect:
        home = tmp_path / f"home-{next(runs)}"
        home.mkdir()
        monkeypatch.setenv("CODEVF_NB_HOME", str(home))
        if case.broken_ledger:
            (home / "ledger.sqlite").write_bytes(b"no database at all")
        with Sandbox(clock="virtual", reviewer="auto" if "-w" in line.split() else "none") as box, warnings_off():
            account = settings.Account(
                "sandbox",
                "sandbox",
                box.base_url,
                Secret(box.api_key),
                "a test",
                "sandbox",
                requests_per_second=None,
                polls_move_time=True,
            )
            kernel.use(account)
            with capture_output():
                shell.run_cell("import matplotlib.pyplot as plt; plt.close(); _ = plt.plot([1])", store_history=True)
                for cell in case.before:
                    shell.run_cell(cell, store_history=True)
            before = set(shell.user_ns)
            with capture_output() as shown:
                result = shell.run_cell(f"%%codevf {PROMPT} {line}\n{case.cell}")
            made = frozenset(set(shell.user_ns) - before)
            values = [shell.user_ns.pop(name) for name in made]
            entry = next((value.entry for value in values if isinstance(value, Task)), None)
            received = [{name: task[name] for name in RECEIVED} for task in box.tasks()]
            effect = Effect(
                None if entry is None else entry.identity,
                json.dumps([received, entry and entry.project], sort_keys=True),
                shown.stdout.replace(str(home), ""),
                str(result.error_in_exec or "").replace(str(home), ""),
                made,
                entry is not None and entry.is_open,
            )
            kernel.forget()
        return effect

    return run


@contextmanager
def warnings_off():
    """A ledger that can't be opened is warned of, which is not what is tested here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        yield


@pytest.mark.parametrize("row", LINE_OPTIONS, ids=lambda row: row.name)
def test_an_option_on_the_line_has_an_effect(effect_of, row):
    """An option that is read and then thrown away fails; so does one without a case, and one whose row says less."""
    case = CASES[row.name]
    without, given = effect_of(case.without, case), effect_of(f"{case.without} {case.words}", case)
    assert given != without
    if without.identity and given.identity:
        assert (given.identity != without.identity) == row.in_identity
        assert (given.received != without.received) == row.in_request


def test_nothing_but_an_option_has_an_effect(effect_of):
    """The same line twice does the same, so that the test above sees the option alone."""
    case = Case("-a orders -w")
    assert effect_of(case.words, case) == effect_of(case.words, case)


# -- the other readers of the table


@pytest.mark.parametrize("row", [row for row in OPTIONS if row.argument], ids=lambda row: row.name)
def test_an_argument_has_a_field_and_a_default(row):
    """Read from an argument that was not given, it is what ``AskOptions`` holds without it."""
    held = getattr(AskOptions(), row.argument)
    assert row.read(row.argument, held) == held


def test_every_field_has_a_row():
    """A field that nobody can fill in fails; the others are made with the attachments."""
    made = {"unnamed", "contents_count", "exception"}
    assert {field.name for field in fields(AskOptions)} - made == set(BY_ARGUMENT)


def test_the_configurable_options_are_those_with_a_default(shell):
    """``%config CodeVF`` has what an option resolves to, and nothing else."""
    configurable = {row.name for row in OPTIONS if row.configurable}
    assert set(defaults.of(shell).values()) == configurable == {field.name for field in fields(Defaults)}


@pytest.mark.parametrize("row", [row for row in OPTIONS if row.configurable], ids=lambda row: row.name)
def test_a_configured_default_has_an_effect(shell, effect_of, row):
    """It changes what is sent, and is no part of the question's identity."""
    case, value = Case(""), CASES[row.name].words.split()[1]
    without = effect_of("", case)
    setattr(defaults.of(shell), row.name, int(value) if row.kind is Kind.INTEGER else value)
    given = effect_of("", case)
    assert given.received != without.received
    assert given.identity == without.identity


def test_the_picker_takes_what_the_table_says():
    """Its arguments are the rows with a field in the picker."""
    assert set(inspect.signature(api.picker).parameters) == {
        row.argument or row.name for row in OPTIONS if row.in_picker
    }


@pytest.mark.parametrize("row", LINE_OPTIONS, ids=lambda row: row.name)
def test_the_picker_and_the_line_ask_the_same(shell, current, tmp_path, monkeypatch, row):
    """What the picker's line fills in is the question that the magic makes of that line, and of the cell it gives."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data.csv").write_text("a\n1\n")
    shell.user_ns |= {"orders": pd.DataFrame({"total": [1]}), "shape": {"type": "object"}}
    shell.user_ns |= {"lazy": pl.LazyFrame({"n": range(5)}), "long": pd.DataFrame({"n": [1]})}
    with capture_output():
        shell.run_cell("import matplotlib.pyplot as plt; plt.close(); _ = plt.plot([1])", store_history=True)
        shell.run_cell("1 / 0", store_history=True)
    case = CASES[row.name]
    forms = []
    monkeypatch.setattr(
        widgets, "open_picker", lambda session, shell, preset: forms.append(Form(session, shell, preset))
    )
    with capture_output():
        result = shell.run_cell(f"%codevf picker {PROMPT} {case.without} {case.words}")
    if row.name == "help":
        return
    if not row.in_picker:
        assert "the picker has no field for" in str(result.error_in_exec)
        assert row.long in str(result.error_in_exec)
        return
    result.raise_error()
    [form] = forms
    picked = current.draft_of(form.options(), Defaults()).question.identity(current.account.name)
    for cell in (f"%%codevf {PROMPT} {case.without} {case.words}\n", form.cell()):
        with capture_output():
            shell.run_cell(cell + ("" if "--text" in cell else "\n")).raise_error()
        assert shell.user_ns["_codevf"].entry.identity == picked
    assert Form(current, shell, {"prompt": PROMPT}).cell() != form.cell()
    form.close()


@pytest.mark.parametrize("kind", Kind, ids=lambda kind: kind.name)
def test_tab_knows_every_kind_of_value(kind):
    """A kind without a row in the table of completions raises."""
    assert isinstance(completion._values(kind, {}), list)


def test_a_row_says_all_of_an_option():
    """A flag with the name of a value, a value without one, and an argument without a reader are refused."""
    for wrong in ({"metavar": "N"}, {"kind": Kind.TEXT}, {"argument": "colour"}):
        with pytest.raises(ValueError, match="colour: "):
            Option("colour", "the colour of the answer", **wrong)


def test_a_name_that_is_no_option_raises():
    """There is no silent default for an option that isn't in the table."""
    with pytest.raises(KeyError):
        read("is it right -m fast").options.value("colour")
    with pytest.raises(KeyError):
        cell_text.cell(PROMPT, {"colour": "red"})
