"""The wheel holds the package and nothing else, says who it is, and works alone in a clean environment."""

import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.packaging.conftest import ROOT, Environment, pythons, run

pytestmark = [pytest.mark.packaging, pytest.mark.timeout(1500)]

NOTEBOOK_PARTS = {"01-quickstart.ipynb", "data/README.md", "data/customers.csv", "data/orders.csv"}

IMPORT_EVERYTHING = """
import importlib, pkgutil, sys
import codevf_nb
assert "site-packages" in codevf_nb.__file__, codevf_nb.__file__
names = [module.name for module in pkgutil.walk_packages(codevf_nb.__path__, "codevf_nb.")]
for name in names:
    if not name.endswith("__main__"):
        importlib.import_module(name)
print(len(names), codevf_nb.__version__)
"""

ASK = """
import codevf_nb as cvf
cvf.use_sandbox(clock="virtual")
task = cvf.ask("Is this default argument right?", code="def add(item, to=[]):\\n    to.append(item)").wait(60)
print(task.status, cvf.spend()["questions"].sum(), "shares" in task.message)
from codevf_nb.accounts import settings
from codevf_nb.sandbox import process
process.stop(settings.home())
"""


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path):
    """Every file of the package, the quickstart for `codevf-nb demo`, and the metadata."""
    names = set(zipfile.ZipFile(wheel).namelist())
    package = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "codevf_nb").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    expected = package | {f"codevf_nb/notebooks/{part}" for part in NOTEBOOK_PARTS}
    metadata = {name for name in names if name.split("/")[0].endswith(".dist-info")}
    assert names - metadata == expected
    assert {name.rpartition("/")[2] for name in metadata} == {
        "METADATA",
        "WHEEL",
        "RECORD",
        "entry_points.txt",
        "LICENSE",
    }
    assert wheel.name.endswith("-py3-none-any.whl")


def test_the_sdist_holds_what_builds_and_tests_it(dist: Path):
    """Sources, tests and notebooks; nothing that tools or this machine have left."""
    (sdist,) = dist.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    tops = {name.split("/")[0] for name in names}
    documents = {"README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "LICENSE"}
    files = documents | {"Makefile", "pyproject.toml", "PKG-INFO", ".gitignore"}
    assert tops == files | {"codevf_nb", "docs", "notebooks", "tests", "binder"}
    assert "tests/packaging/test_release.py" in names
    assert not [name for name in names if "__pycache__" in name or ".ipynb_checkpoints" in name]


def test_the_index_would_take_it(dist: Path):
    """`twine check --strict` finds nothing to say: the description renders, no field is missing."""
    told = run(sys.executable, "-m", "twine", "check", "--strict", *dist.iterdir(), cwd=dist)
    assert told.count("PASSED") == 2


@pytest.mark.parametrize("version", pythons())
def test_it_works_alone_in_a_clean_environment(wheel: Path, tmp_path: Path, version: str):
    """The command, every module, and a question to the sandbox, away from the checkout; without the `lab` extra."""
    clean = Environment(tmp_path, pythons()[version])
    clean.install(wheel)
    helped = clean.run("codevf-nb", "--help")
    assert all(command in helped for command in ("demo", "sandbox", "smoke"))
    count, told = clean.run("python", "-c", IMPORT_EVERYTHING).split()
    assert int(count) > 50
    assert told == wheel.name.split("-")[1]
    assert clean.run("python", "-c", ASK).split() == ["completed", "1", "True"]


def test_the_demo_runs_from_the_wheel(wheel: Path, tmp_path: Path):
    """With the `lab` extra, `codevf-nb demo` executes the notebook that the wheel brought along."""
    clean = Environment(tmp_path, sys.executable)
    clean.install(f"{wheel}[lab]")
    told = clean.run("codevf-nb", "demo")
    assert "findings in 2 files" in told
    assert "The question was completed." in told
