"""The example notebooks are tests: committed executed, and what they show is what they show when run again."""

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from sqlalchemy import func, select

from codevf_nb.sandbox import process
from tests.notebooks.execute import NOTEBOOKS, execute
from tests.support.notebooks import EVERY

NBVAL = ("--nbval", "--nbval-sanitize-with", str(Path(__file__).with_name("sanitize.cfg")))
each_notebook = pytest.mark.parametrize("path", EVERY, ids=lambda path: path.stem)


def code_cells(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_there_are_notebooks():
    """An empty folder would pass every other test here."""
    assert [path.stem for path in EVERY] == [
        "01-quickstart",
        "02-widgets",
        "03-dataframes-and-secrets",
        "04-structured-answers",
        "05-spend-analysis",
        "06-when-things-go-wrong",
    ]


@each_notebook
def test_outputs_are_exactly_those_committed(path: Path, own_home: Path):
    """nbval runs the notebook in a home of its own and compares every output but the sandbox's port and the time of day."""
    home = own_home / "nbval"
    try:
        run = subprocess.run(
            [sys.executable, "-m", "pytest", *NBVAL, "-q", "-p", "no:cacheprovider", str(path)],
            env={**os.environ, "CODEVF_NB_HOME": str(home)},
            capture_output=True,
            text=True,
            timeout=110,
            check=False,
        )
    finally:
        process.stop(home)
    assert run.returncode == 0, run.stdout + run.stderr
    cells = len(code_cells(nbformat.read(path, as_version=4)))
    assert f"{cells} passed" in run.stdout


@each_notebook
def test_committed_notebooks_are_executed_in_order(path: Path):
    """nbval passes a stripped notebook, so that it isn't one is asserted here."""
    cells = code_cells(nbformat.read(path, as_version=4))
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert any(cell.outputs for cell in cells)


@each_notebook
def test_a_second_run_submits_nothing(path: Path, own_home: Path):
    """Restart and run all, with the same home: every question is found, and the service hears of none."""
    home = own_home / "twice"

    def asked() -> int:
        from codevf_nb.ledger import Store, sqlite_url
        from codevf_nb.ledger.tables import questions

        store = Store(sqlite_url(home / "ledger.sqlite"))
        with store.read() as connection:
            attempts = connection.scalar(select(func.sum(questions.c.attempts)))
        store.close()
        return attempts

    execute(path, home)
    first = asked()
    execute(path, home)
    assert first > 0
    assert asked() == first
