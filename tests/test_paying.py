"""Ways in which people have paid by accident with other clients, tried here in a real shell over a real service."""

from dataclasses import replace

import pandas as pd
import pytest
from IPython.utils.capture import capture_output

from codevf_nb import kernel
from codevf_nb.questions.options import LINE_OPTIONS as OPTIONS

CELL = "x = 1"


def run(shell, line, cell=CELL):
    with capture_output() as shown:
        result = shell.run_cell(f"%%codevf {line}\n{cell}", store_history=True)
    return result, shown.stdout


def creates(box):
    return [path for _, path, _, _ in box.requests() if path.endswith("tasks/create")]


VALUES = {
    "--mode": "fast",
    "--tag": "engineer",
    "--max-credits": "300",
    "--project": "p",
    "--attach": "orders",
    "--file": "data.csv",
    "--context": "1",
    "--schema": "shape",
    "--metadata": "ticket=7",
    "--out": "answer",
    "--timeout": "5 --wait",
    "--again": "2",
    "--max-bytes": "5000",
    "--redact": "total --attach orders",
    "--last": " --traceback",
    "--text": "",
}


@pytest.mark.parametrize("option", [option.long for option in OPTIONS])
@pytest.mark.parametrize("first", [True, False])
def test_a_dry_run_sends_nothing_whatever_else_is_given(shell, current, box, tmp_path, monkeypatch, option, first):
    """No other option takes a way on which the dry run is not looked at."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data.csv").write_text("a\n1\n")
    shell.user_ns |= {"orders": pd.DataFrame({"total": [1]}), "shape": {"type": "object"}}
    with capture_output():
        shell.run_cell("import matplotlib.pyplot as plt; _ = plt.plot([1])", store_history=True)
        shell.run_cell("1 / 0", store_history=True)
    other = f"{option} {VALUES.get(option, '')}".strip()
    words = f"--dry-run {other}" if first else f"{other} --dry-run"
    run(shell, f"Is this loop right, do you think? {words}")
    assert creates(box) == []


@pytest.mark.parametrize(
    "line",
    [
        'Is this loop right, do you think? "--dry-run -c 300"',  # one word, as an unquoted shell variable makes it
        "Is this loop right, do you think? '--dry-run' ",
        "Is this loop right, do you think? (--dry-run)",
        "Is this loop right, do you think?--dry-run",
        "Is this loop right, do you think? --dryrun",
        "Is this loop right, do you think? --no-send",
        "Is this loop right, do you think? --estimate-only",
        "Is this loop right, do you think? -tengineer",
        "Is this loop right, do you think? -pfoo",
        "Is this loop right, do you think? -ow",
        "Is this loop right, do you think? -a[orders]",
        "Is this loop right, do you think? -fdata.csv",
    ],
)
def test_a_mistyped_dry_run_is_no_paid_run(shell, current, box, line):
    """A word that looks like an option and is none is refused, and never dropped or sent."""
    result, _ = run(shell, line)
    assert "Nothing was sent." in str(result.error_in_exec)
    assert creates(box) == []


def test_a_cell_that_is_run_again_and_again_is_paid_once(shell, current, box):
    """Shift+Enter several times in a row, a second view of the notebook, Run All twice."""
    before = box.balance()["available"]
    for _ in range(5):
        result, _ = run(shell, "Is this loop right, do you think?")
        assert result.success, result.error_in_exec
    held = before - box.balance()["available"]
    assert (len(creates(box)), held <= 240) == (1, True)


def test_a_service_that_is_slower_than_the_client_is_not_asked_for_another_task(shell, current, box):
    """The request is answered with 503 or not at all after the task was made: the same key finds the same task."""
    box.add_fault("create:1-2:drop-after-commit")
    result, _ = run(shell, "Is this loop right, do you think?")
    if not result.success:
        result, _ = run(shell, "Is this loop right, do you think?")
    assert result.success, result.error_in_exec
    assert len(box.tasks()) == 1


@pytest.mark.parametrize("cell", ["  -m fast\ny = 1", "-t engineer", "%%codevf --dry-run\ny = 1", "\n--dry-run\ny = 1"])
def test_options_on_the_line_below_are_not_sent_as_code(shell, current, box, cell):
    """A line that should have ended in a backslash, or the magic typed twice."""
    result, _ = run(shell, "Is this loop right, do you think?", cell)
    assert "Nothing was sent." in str(result.error_in_exec)
    assert creates(box) == []


def test_a_minus_at_the_start_of_a_cell_is_code(shell, current, box):
    """``-c * 2`` is an expression, and no option."""
    result, _ = run(shell, "Is this sign right, do you think?", "-c * 2")
    assert result.success
    assert len(creates(box)) == 1


def test_logging_out_leaves_a_sandbox_where_it_is(shell, current, box, monkeypatch):
    """A kernel never changes silently to the account of a key."""
    current.account = replace(current.account, source=kernel.SANDBOX_SOURCE)
    monkeypatch.setenv("CODEVF_API_KEY", "cvf_test_another")
    with capture_output():
        shell.run_cell("%codevf logout", store_history=True)
    assert kernel.open_session() is current
