"""What the sandbox publishes about itself holds: its description, its README, its independence."""

import doctest
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from codevf_nb import sandbox
from codevf_nb.sandbox import Sandbox
from codevf_nb.sandbox import _faults as faults
from codevf_nb.sandbox import _schema as schema

from .conftest import Api

ROOM = Path(sandbox.__file__).parent
CONFIG = """
[[operations]]
include-name = "POST /tasks/{id}/cancel"
[operations.checks.positive_data_acceptance]
# Whether a task can still be cancelled is no matter of the request's form.
expected-statuses = ["2xx", "400", "404"]
"""


def test_schemathesis_finds_nothing(boxes, tmp_path):
    """Every answer is as openapi.yaml says, for valid and invalid requests, alone and in sequence."""
    pytest.importorskip("schemathesis")
    api = Api(boxes(credits=1e12))
    api.project()
    description = yaml.safe_load((ROOM / "openapi.yaml").read_text(encoding="utf-8"))
    # That fileSize equals the decoded length is a rule that JSON Schema can't say.
    del description["components"]["schemas"]["Attachment"]["properties"]["fileSize"]
    (tmp_path / "openapi.yaml").write_text(yaml.safe_dump(description))
    (tmp_path / "schemathesis.toml").write_text(CONFIG)
    command = [sys.executable, "-m", "schemathesis.cli", "run", "openapi.yaml", "--url", api.box.base_url.rstrip("/")]
    command += ["-H", f"Authorization: Bearer {api.key}", "-n", "12", "--seed", "1", "--max-time", "18", "--no-color"]
    done = subprocess.run(
        [*command, "--generation-database", "none"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
    assert len(api.box.tasks()) > 5


def test_the_readme_names_everything():
    """Every option, fault, operation and schema keyword stands in the README."""
    import argparse

    text = (ROOM / "README.md").read_text(encoding="utf-8")
    parser = argparse.ArgumentParser(add_help=False)
    sandbox.add_arguments(parser)
    options = [name for action in parser._actions for name in action.option_strings if action.help != argparse.SUPPRESS]
    for word in [*options, *faults.FAULT_KINDS, *faults.OPERATIONS, *schema.KEYWORDS]:
        assert f"`{word}" in text, word


def test_the_example_of_the_sandbox_gives_what_it_shows():
    """The example in the docstring of `Sandbox` is executed."""
    finder, runner = doctest.DocTestFinder(exclude_empty=True), doctest.DocTestRunner()
    tried = [runner.run(example) for example in finder.find(Sandbox, globs={"Sandbox": Sandbox})]
    assert sum(outcome.attempted for outcome in tried) > 1
    assert sum(outcome.failed for outcome in tried) == 0


def test_the_process_module_is_light():
    """Starting or finding a home's sandbox imports neither tornado nor jsonschema nor pyflakes."""
    program = (
        "import sys; import codevf_nb.sandbox.process;"
        "print([name for name in ('tornado', 'jsonschema', 'pyflakes', 'asyncio') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_all_is_what_there_is():
    """`__all__` is sorted and each of its names is there."""
    assert sandbox.__all__ == sorted(sandbox.__all__)
    assert all(hasattr(sandbox, name) for name in sandbox.__all__)
