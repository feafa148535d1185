"""Cells that are executed and asked about at once (``--run``), and ``%codevf debug`` about one that has failed."""

import pytest

from tests.support.magics import creates, digest, run


def test_run_executes_the_cell_and_tells_how_it_ended(shell, current, box):
    """With --run the cell's names are there afterwards, and what it made can be attached by the same line."""
    code = "import pandas as pd\nmade = pd.DataFrame({'a': [1, 2]})"
    result, _ = run(shell, f"%%codevf Is this table right? --run -a made -w\n{code}")
    assert result.success
    assert len(shell.user_ns["made"]) == 2
    names = [part["fileName"] for part in box.tasks()[0]["attachments"]]
    assert {"cell.py", "made.csv"} <= set(names)


@pytest.mark.parametrize(
    "line",
    [
        "-m nope",
        "-t plumber",
        "-c 10",
        "-s nothing",
        "-s 5",
        "-f missing.log",
        "--metadata a",
        "--again 0",
        "--context 0",
        "--max-bytes 0",
        "-a made,,made",
        "-a made[",
        "-a other -- short",
        "--text",
    ],
)
def test_what_the_line_shows_to_be_wrong_is_told_before_the_run(shell, current, box, line):
    """A slip never costs a run: the cell isn't executed, nothing is sent, and the line says both."""
    prompt = "" if "--" in line.split() else "Is this table right?"
    result, _ = run(shell, f"%%codevf --run {line} {prompt}\nran = True")
    assert str(result.error_in_exec).endswith("Nothing was sent. The cell was not run.")
    assert "ran" not in shell.user_ns
    assert creates(box) == []


def test_a_secret_in_the_cell_is_told_before_the_run(shell, current, box):
    """What must not leave is looked for before the cell runs, too."""
    result, _ = run(shell, f"%%codevf Is this right? --run\nran = 'AKIA{'Q7RT' * 4}'")
    assert str(result.error_in_exec).endswith("The cell was not run.")
    assert "ran" not in shell.user_ns


def test_masks_are_checked_after_the_run(shell, current, box):
    """A column to mask may be one that the run makes."""
    code = "import pandas as pd\nmade = pd.DataFrame({'who': ['x', 'y']})"
    result, _ = run(shell, f"%%codevf Is this table right? --run -a made --redact who -w\n{code}")
    assert result.success, result.error_in_exec


def test_a_run_that_makes_nothing_to_attach_sends_nothing(shell, current, box):
    """Where the cell raises before it has made what is attached, there is no question."""
    result, _ = run(shell, "%%codevf Is this table right? --run -a made\nmade = 1 / 0")
    assert "no variable 'made' to attach. Nothing was sent." in str(result.error_in_exec)
    assert creates(box) == []


def test_a_dry_run_of_a_run_executes_and_sends_nothing(shell, current, box):
    """--dry-run promises that nothing is sent; the cell runs, for what it makes may be attached."""
    code = "import pandas as pd\nmade = pd.DataFrame({'a': [1, 2]})"
    result, shown = run(shell, f"%%codevf Is this table right? --run -a made --dry-run\n{code}")
    assert result.success
    assert len(shell.user_ns["made"]) == 2
    assert "2 of 2 rows" in shown.stdout
    assert "nothing was sent" in shown.stdout
    assert creates(box) == []


def test_a_failing_run_is_asked_about_with_its_traceback(shell, current, box):
    """The traceback is shown and attached; the same cell failing again is still the same question."""
    cell = "%%codevf Why does this fail? --run -w\n1 / 0"
    _, shown = run(shell, cell)
    assert "ZeroDivisionError" in shown.stdout
    assert "traceback" in str([part["fileName"] for part in box.tasks()[0]["attachments"]])
    run(shell, cell)
    assert len(creates(box)) == 1


def test_an_interrupted_run_asks_nothing(shell, current, box):
    """Ctrl-C while the cell runs means that nobody wants to ask about it."""
    result, _ = run(shell, "%%codevf Why does this hang? --run -w\nraise KeyboardInterrupt")
    assert "nothing was sent" in str(result.error_in_exec)
    assert creates(box) == []


def test_debug_asks_about_the_cell_that_failed(shell, current, box):
    """`%codevf debug` sends the failing cell with its traceback, also after a slip in between."""
    run(shell, "total = 0\nparts = [1, 2]\nsum(parts) / total")
    run(shell, "%codevf dbug")
    result, shown = run(shell, "%codevf debug -w")
    assert result.success, result.error_in_exec
    (asked,) = box.tasks()
    assert asked["prompt"] == "Why does this fail, and how do I mend it?"
    assert asked["attachments"][0]["sha256"] == digest("total = 0\nparts = [1, 2]\nsum(parts) / total")
    assert len(shown.outputs) == 1


def test_debug_with_nothing_to_debug(shell, current, monkeypatch):
    """Before anything has failed, debug says so and sends nothing."""
    monkeypatch.delattr("sys.last_value", raising=False)
    result, _ = run(shell, "%codevf debug")
    assert "no exception has been raised yet" in str(result.error_in_exec)
