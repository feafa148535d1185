"""What a notebook holds that a program has run and saved: the answers, also those that came while another cell ran."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from codevf_nb.accounts import settings
from codevf_nb.sandbox import process

ASK = "%%codevf Is this comparison right? Number {}.\nif total == None:\n    total = 0"
# It ends when the question of that number is answered, and a moment later, when its display has been updated.
BUSY = """
import time
import codevf_nb as cvf
ends = time.monotonic() + 120
while time.monotonic() < ends and not all(cvf.tasks().status == "completed"):
    time.sleep(0.1)
time.sleep(0.5)
"""
CAPTURING = """
from IPython.utils.capture import capture_output
with capture_output() as cap:
""" + "\n".join(f"    {line}" for line in BUSY.strip().splitlines())
CAPTURED = "%%capture cap\nget_ipython().run_cell_magic('codevf', 'Is this right? It is captured.', 'x = 1')"
OUTPUTS = "print(cap.stdout, cap.outputs)"


def saved(tmp_path: Path, execute: Callable[[Path], None], *cells: str) -> list[str]:
    """Run cells as a notebook, and return what the saved notebook holds under each."""
    load = "%load_ext codevf_nb\n%codevf sandbox --rate-limit off --answer-after 1"
    path = tmp_path / "test.ipynb"
    nbformat.write(new_notebook(cells=[new_code_cell(cell) for cell in (load, *cells)]), path)
    try:
        execute(path)
    finally:
        process.stop(settings.home())
    return [shown(cell) for cell in nbformat.read(path, 4).cells[1:]]


def shown(cell: nbformat.NotebookNode) -> str:
    return "\n".join(output.get("text") or output.data["text/plain"] for output in cell.outputs)


def by_nbclient(path: Path) -> None:
    nbformat.write(NotebookClient(nbformat.read(path, 4), kernel_name="python3", timeout=180).execute(), path)


def by_nbconvert(path: Path) -> None:
    command = ["nbconvert", "--execute", "--inplace", "--to", "notebook", str(path)]
    subprocess.run([sys.executable, "-m", *command], check=True, capture_output=True, timeout=180)


def by_jupyter_execute(path: Path) -> None:
    command = ["from nbclient.cli import main; main()", "--inplace", str(path)]
    subprocess.run([sys.executable, "-c", *command], check=True, capture_output=True, timeout=180)


@pytest.mark.parametrize("execute", [by_nbclient, by_nbconvert, by_jupyter_execute])
def test_an_answer_that_comes_while_a_later_cell_runs_is_saved(tmp_path, execute):
    """Under each question stands its answer, and nothing of it anywhere else."""
    first, second, busy = saved(tmp_path, execute, ASK.format(1), ASK.format(2), BUSY)
    for answered in (first, second):
        assert "● completed" in answered
        assert "is None" in answered
        assert "pending" not in answered
    assert busy == ""


LOGGING = """
import logging, sys
logging.basicConfig(level=logging.DEBUG, stream=sys.stderr)
"""


def test_what_a_thread_logs_is_in_no_cell(tmp_path):
    """Somebody's log, at its loudest, has the polls of a question; no cell that runs meanwhile has."""
    logged, answered, busy = saved(tmp_path, by_nbclient, LOGGING, ASK.format(1), BUSY)
    assert (logged, busy) == ("", "")
    assert "● completed" in answered


@pytest.mark.parametrize("capturing", [f"%%capture cap\n{BUSY}", CAPTURING], ids=["magic", "function"])
def test_an_answer_that_comes_while_output_is_captured_is_not_captured(tmp_path, capturing):
    """It stands under its question; what was captured holds only what the capturing cell itself has shown."""
    answered, _, captured = saved(tmp_path, by_nbclient, ASK.format(1), capturing, OUTPUTS)
    assert "● completed" in answered
    assert captured.strip() == "[]"


def test_a_question_that_was_captured_is_shown_as_it_is_by_then(tmp_path):
    """`cap.show()` shows the answer once it is there, and before that the open question, which then gets its answer."""
    early, _, late = saved(tmp_path, by_nbclient, CAPTURED, "cap.show()", BUSY, "cap.show()")[1:]
    for answered in (early, late):
        assert answered.count("● completed") == 1
        assert "sending" not in answered
        assert "pending" not in answered
