"""Every public function of the client has an example in its docstring, and each example gives what it shows."""

import doctest
import inspect
from importlib import import_module
from pathlib import Path

import pytest

from codevf_nb import sdk
from codevf_nb.sandbox import Sandbox
from codevf_nb.sdk import CodeVFClient
from codevf_nb.sdk._client import Credits, Projects, Tags
from codevf_nb.sdk.downloads import Downloads
from codevf_nb.sdk.tasks import Tasks

MODULES = sorted(path.stem for path in Path(sdk.__file__).parent.glob("*.py") if path.stem != "__init__")
FINDER = doctest.DocTestFinder(exclude_empty=True)
RESOURCES = (Projects, Tasks, Downloads, Credits, Tags)


@pytest.fixture(scope="module")
def names(tmp_path_factory):
    """A client of a real sandbox, a project, an open task and a deliverable: what the examples start with."""
    with Sandbox(clock="virtual") as box, CodeVFClient(box.api_key, base_url=box.base_url) as client:
        project = client.projects.create("Examples")
        attachments = [("load.py", "def load(paths=[]):\n    return paths\n")]
        reviewed = client.tasks.create("What is wrong here?", 240, project.id, attachments=attachments)
        deliverable = client.tasks.wait(reviewed.id).result.deliverables[0]
        box.top_up(100_000 - float(client.credits.get_balance().available))
        yield {
            "client": client,
            "project": project,
            "deliverable": deliverable,
            "folder": tmp_path_factory.mktemp("downloads"),
        }


@pytest.mark.parametrize("module", MODULES)
def test_each_example_gives_what_it_shows(names, module):
    """The examples of a module are executed, against a real service where they use one."""
    runner = doctest.DocTestRunner(optionflags=doctest.IGNORE_EXCEPTION_DETAIL)
    report = []
    for example in FINDER.find(import_module(f"codevf_nb.sdk.{module}")):
        if example.name.startswith("codevf_nb.sdk.tasks.Tasks"):
            task = names["client"].tasks.create("Is this join dropping rows?", 240, names["project"].id)
            example.globs["task"] = task
        example.globs.update(names)
        runner.run(example, out=report.append)
    assert not runner.failures, "".join(report)


def test_every_public_function_has_an_example():
    """Each function in `__all__`, and each method of the client's resources, shows how it is called."""
    functions = [value for name in sdk.__all__ if inspect.isfunction(value := getattr(sdk, name))]
    methods = [method for kind in RESOURCES for name, method in vars(kind).items() if not name.startswith("_")]
    assert len(functions) > 15
    assert len(methods) > 8
    assert [item.__qualname__ for item in [*functions, *methods] if "Example:" not in (item.__doc__ or "")] == []


def test_an_example_that_is_wrong_fails():
    """The runner compares: an example with another result is a failure."""
    wrong = doctest.DocTestParser().get_doctest(">>> 1 + 1\n3\n", {}, "wrong", None, 0)
    assert doctest.DocTestRunner().run(wrong, out=lambda _: None).failed == 1
