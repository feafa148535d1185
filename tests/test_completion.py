"""What Tab offers, on whatever IPython is installed."""

import pandas as pd
import pytest
from IPython.utils.capture import capture_output

from codevf_nb.notebook import _completion as completion
from codevf_nb.notebook import commands
from codevf_nb.questions.options import LINE_OPTIONS as OPTIONS


def offered(line: str, **names) -> list[str]:
    found = completion.offers(line, names)
    assert found is not None
    return [offer.text for offer in found[1]]


def completions(shell, line: str) -> list[str]:
    """Ask the shell itself, as a front end does."""
    from IPython.core.completer import provisionalcompleter

    with provisionalcompleter():
        return [found.text for found in shell.Completer.completions(line, len(line))]


def test_other_lines_are_left_alone():
    """Only our own magics are completed here."""
    assert completion.offers("%%timeit -", {}) is None
    assert completion.offers("codevf", {}) is None


def test_options_are_offered_after_a_dash():
    """A dash brings the options, with what they mean."""
    assert offered("%%codevf is it right --m") == ["--mode", "--max-credits", "--metadata", "--max-bytes"]
    word, found = completion.offers("%%codevf -", {})
    assert {offer.text for offer in found} >= {option.long for option in OPTIONS}
    assert all(offer.meaning for offer in found)
    assert word == "-"


def test_modes_and_subcommands_need_no_session():
    """What the grammar itself knows is there before anything was asked."""
    assert offered("%%codevf -m ") == ["realtime_answer", "fast", "standard"]
    assert offered("%%codevf -m f") == ["fast"]
    assert offered("%codevf sp") == ["spend"]
    assert set(offered("%codevf help ")) == set(commands.COMMANDS)
    assert offered("%%codevf -t ") == []


def test_tables_come_first_among_what_can_be_attached():
    """DataFrames stand before other variables, after a comma too; private names and modules are left out."""
    names = {"zeta": pd.DataFrame({"a": [1]}), "alpha": 5, "_hidden": 1, "pd": pd}
    assert offered("%%codevf right? -a ", **names) == ["zeta", "alpha"]
    assert offered("%%codevf right? -a alpha,z", **names) == ["zeta"]
    assert offered("%%codevf right? -a alpha, z", **names) == ["zeta"]


def test_a_subcommands_own_options_are_offered():
    """A dash after a subcommand brings what its help says may follow it, and nothing else."""
    assert offered("%codevf tasks -") == ["--refresh"]
    assert offered("%codevf show task_1 --r") == ["--refresh"]
    assert offered("%codevf sandbox --s") == ["--stop", "--slow-outside-hours", "--seed"]
    assert offered("%codevf login -") == []


def test_tags_projects_and_tasks_come_from_the_ledger(shell, current, box):
    """What this account has seen is offered without a request: tags with multipliers, tasks with their prompts."""
    with capture_output():
        shell.run_cell("%%codevf Is this default right? -w -p reviews\ndef add(item, to=[]): pass").raise_error()
    task = shell.user_ns["_codevf"]
    asked = len(box.requests())
    found = {offer.text: offer.meaning for offer in completion.offers("%%codevf -t ", {})[1]}
    assert found["engineer"].startswith("1.7×")
    assert "legacy" not in found
    assert offered("%%codevf -p rev") == ["reviews"]
    (offer,) = completion.offers("%codevf show task_", {})[1]
    assert offer.text == task.id
    assert "Is this default right?" in offer.meaning
    assert len(box.requests()) == asked


@pytest.mark.parametrize(
    ("line", "expected"),
    [("%%codevf right? --mo", "--mode"), ("%codevf cre", "credits"), ("%%codevf right? -m fa", "fast")],
)
def test_the_shell_completes(shell, line, expected):
    """IPython's own completer gives our words, and ours only."""
    assert completions(shell, line) == [expected]


def test_a_variable_is_completed_by_the_shell(shell):
    """Names to attach are completed in the middle of a list."""
    shell.user_ns["orders"] = pd.DataFrame({"a": [1]})
    assert "orders" in completions(shell, "%%codevf right? -a ord")


def test_unloading_takes_the_completer_out(shell):
    """After %unload_ext Tab is as it was."""
    shell.run_cell("%unload_ext codevf_nb")
    assert completions(shell, "%%codevf right? --mo") != ["--mode"]
    shell.run_cell("%load_ext codevf_nb")
    assert completions(shell, "%%codevf right? --mo") == ["--mode"]
