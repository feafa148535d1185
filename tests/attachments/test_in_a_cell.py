"""Attachments and their last check as a user meets them: `%%codevf` in a real shell, against a real sandbox."""

import pandas as pd
import pytest
from IPython.utils.capture import capture_output

CELL = "def add(item, to=[]):\n    to.append(item)\n"


def run(shell, line: str, cell: str = CELL):
    """Run a cell as a notebook would, and return its result and all that it showed."""
    with capture_output() as shown:
        result = shell.run_cell(f"%%codevf {line}\n{cell}", store_history=True)
    return result, shown.stdout + shown.stderr + "".join(str(output.data) for output in shown.outputs)


def sent(box) -> list[list[str]]:
    return [[part["fileName"] for part in task["attachments"]] for task in box.tasks()]


def test_expressions_go_under_names_made_of_them(shell, current, box):
    """A list of them is split as Python splits it."""
    shell.user_ns["orders"] = pd.DataFrame({"id": [1], "total": [2], "x": [3]})
    result, _ = run(shell, "Is this default right? -a \"orders[['id','total']],{'limit': 3}\" -w")
    assert result.success
    (names,) = sent(box)
    assert names == ["cell.py", "orders_id_total.csv", "profile.md", "attachment_1.json"]


def test_traceback_and_context_go_along(shell, current, box):
    """The exception of the cell before, and the cells that ran."""
    with capture_output():
        shell.run_cell("x = 1", store_history=True)
        shell.run_cell("x / 0", store_history=True)
    result, _ = run(shell, "Why does this fail here? --traceback --context 2 -w")
    assert result.success
    assert sent(box) == [["cell.py", "traceback.md", "context.py"]]


@pytest.mark.parametrize(
    ("line", "cell", "told"),
    [
        ("Is this default right?", "password = 'k9Qz7wLp'", "a password (cell.py)"),
        ("Why is password='k9Qz7wLp' refused here?", CELL, "a password (the prompt)"),
        ("Is this default right? --metadata token=a1B2c3D4e5F6g7H8", CELL, "a token (metadata token)"),
        ("Is this default right? -a people", CELL, "e-mail addresses (people.csv column email)"),
        ("Is this default right? -a people --redact emial", CELL, "no attached value has this column"),
    ],
)
def test_what_is_private_stops_it_and_is_not_shown(shell, current, box, line, cell, told):
    """One line, in the way of every error; nothing is sent, nothing recorded, and the thing itself is nowhere."""
    shell.user_ns["people"] = pd.DataFrame({"email": ["anna@corp.de"], "n": [1]})
    result, shown = run(shell, line, cell)
    assert told in str(result.error_in_exec)
    assert "Nothing was sent." in shown
    assert "k9Qz7wLp" not in shown
    assert "a1B2c3" not in shown
    assert "anna" not in shown
    assert box.tasks() == []
    assert current.ledger.questions.latest() == []


def test_with_permission_or_masks_it_goes(shell, current, box):
    """Each of the three ways on."""
    shell.user_ns["people"] = pd.DataFrame({"email": ["anna@corp.de"], "n": [1]})
    assert run(shell, "Is this default right? -a people --redact email -w")[0].success
    assert run(shell, "Is this default right now? -a people --allow-personal -w")[0].success
    assert run(shell, "Is this password right? --allow-secrets -w", "password = 'k9Qz7wLp'")[0].success
    assert len(box.tasks()) == 3


def test_the_accounts_key_is_never_sent(shell, current, box, account):
    """Not with --allow-secrets either."""
    result, shown = run(
        shell, "Is this client right? --allow-secrets", f"client = CodeVFClient('{account.api_key.reveal()}')"
    )
    assert "own CodeVF key (cell.py)" in str(result.error_in_exec)
    assert account.api_key.reveal() not in shown
    assert box.tasks() == []


def test_a_masked_question_asked_again_is_the_same(shell, current, box):
    """Masks differ each time; what they stand for hasn't changed, so no change is reported and nothing is paid."""
    shell.user_ns["people"] = pd.DataFrame({"email": ["anna@corp.de"], "n": [1]})
    run(shell, "Is this default right? -a people --redact email -w")
    _, shown = run(shell, "Is this default right? -a people --redact email -w")
    assert "0 credits now" in shown
    assert "changed since" not in shown
    assert len(box.tasks()) == 1


def test_dry_run_shows_all_that_would_go(shell, current, box):
    """Every file with size and first lines, the worst case, what would be left, and whether engineers are at work."""
    shell.user_ns["orders"] = pd.DataFrame({"id": range(3)})
    _, shown = run(shell, "Is this default right? -a orders -m fast --metadata sprint=7 --dry-run")
    lines = shown.splitlines()
    assert lines[0].startswith("would cost at most 360 credits (240 × fast 1.5×")
    assert lines[1] == "would leave at least 99,640 of the 100,000 credits that are available"
    assert "the main hours" in lines[2]
    assert f"cell.py: {len(CELL.rstrip())} bytes" in lines
    assert "    def add(item, to=[]):" in lines
    assert "orders.csv: 9 bytes, 3 of 3 rows" in lines
    assert "metadata: sprint = 7" in lines
    assert lines[-1] == "nothing was sent"
    assert box.tasks() == []
