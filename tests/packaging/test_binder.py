"""What Binder would build: read by repo2docker, its requirements installed, every notebook executed there."""

import re
import sys
from pathlib import Path

import nbformat
import pytest

from tests.packaging.conftest import ROOT, Environment, pythons, run

pytestmark = [pytest.mark.packaging, pytest.mark.timeout(1500)]

BINDER = ROOT / "binder"
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))

# What binder/start does for the server, done for one notebook: nbclient, in this environment's kernel.
EXECUTE = """
import sys, nbformat
from nbclient import NotebookClient
notebook = nbformat.read(sys.argv[1], as_version=4)
NotebookClient(notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": sys.argv[2]}}).execute()
nbformat.write(notebook, sys.argv[3])
"""


def test_every_requirement_is_pinned():
    """`name==version`, so that a notebook opens next year as it does today; ipykernel not one that kills threads."""
    lines = [line for line in (BINDER / "requirements.txt").read_text().splitlines() if not line.startswith("#")]
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", line) for line in lines), lines
    pins = dict(line.split("==") for line in lines)
    assert tuple(map(int, pins["ipykernel"].split(".")[:2])) >= (7, 1)


@pytest.mark.parametrize("script", ["postBuild", "start"])
def test_scripts_can_be_executed(script: str):
    """Binder runs them as programs."""
    assert (BINDER / script).stat().st_mode & 0o100
    run("bash", "-n", BINDER / script, cwd=ROOT)


def test_the_badge_opens_the_quickstart_in_lab():
    """In the README, at the notebook that is there."""
    found = re.search(r"https://mybinder\.org/v2/gh/[\w./-]+\?urlpath=(\S+?)\)", (ROOT / "README.md").read_text())
    assert found
    place = found[1].replace("%2F", "/").removeprefix("lab/tree/")
    assert ROOT / place == NOTEBOOKS[0]


def test_repo2docker_reads_it(tmp_path: Path):
    """It recognises the folder and takes the files into its image, without an engine to build it."""
    tools = Environment(tmp_path, sys.executable)
    tools.install("jupyter-repo2docker")
    told = run(tools.bin / "repo2docker", "--no-build", "--debug", "--no-run", ROOT, cwd=tmp_path)
    for part in ("binder/requirements.txt", "binder/postBuild", "binder/start"):
        assert part in told


def test_every_notebook_runs_with_its_requirements(tmp_path: Path):
    """On Binder's Python, one after the other in one home as a visitor would, with the sandbox running and no key."""
    version = (BINDER / "runtime.txt").read_text().strip().removeprefix("python-")
    clean = Environment(tmp_path, pythons()[version])
    clean.install("-r", BINDER / "requirements.txt")
    path = f"{clean.bin}:/usr/bin:/bin"
    mine = {"HOME": str(clean.home), "CODEVF_NB_HOME": str(clean.home / "codevf_nb"), "PATH": path}
    run(BINDER / "postBuild", cwd=ROOT, **mine)
    try:
        for notebook in NOTEBOOKS:
            out = tmp_path / notebook.name
            arguments = ("python", "-c", EXECUTE, notebook, notebook.parent, out)
            run(BINDER / "start", *arguments, cwd=ROOT, **mine)
            cells = [cell for cell in nbformat.read(out, as_version=4).cells if cell.cell_type == "code"]
            assert all(cell.execution_count for cell in cells)
    finally:
        modules = "from codevf_nb.accounts import settings; from codevf_nb.sandbox import process"
        stop = f"{modules}; process.stop(settings.home())"
        run(clean.bin / "python", "-c", stop, cwd=tmp_path, **mine)
