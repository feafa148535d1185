"""One browser for all, and for each test a Lab of its own with a sandbox beside it."""

import os
from pathlib import Path

import pytest

from codevf_nb.sandbox import process
from tests.browser.lab import SAVE_WIDGET_STATE, chromium, jupyterlab

OLD = os.environ.get("CODEVF_OLD", "")


@pytest.fixture(scope="session")
def one_browser():
    with chromium() as started:
        yield started


@pytest.fixture
def browser(one_browser):
    """The browser without a page; none stays open behind a test, where it would call its Lab for ever."""
    yield one_browser
    for context in one_browser.contexts:
        context.close()


@pytest.fixture
def lab(tmp_path: Path, own_home: Path, request: pytest.FixtureRequest):
    """A Lab on a folder of its own, with the sandbox's home beside it.

    A test may ask for another app or setting, or with ``old`` for the versions of Colab, in the Lab that draws them.
    """
    root, state = tmp_path / "notebooks", tmp_path / "lab"
    root.mkdir()
    state.mkdir()
    home = own_home / "codevf_nb"
    options = dict(getattr(request, "param", {}))
    settings = SAVE_WIDGET_STATE if options.pop("save_widget_state", False) else {}
    if options.pop("old", False):
        assert OLD, "CODEVF_OLD names no Python of an old JupyterLab's environment; `make test-browser` makes one"
        options["python"] = str(Path(OLD).absolute())
    with jupyterlab(root, state, {"CODEVF_NB_HOME": str(home)}, settings=settings, **options) as running:
        yield running, root
    process.stop(home)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder needs a browser."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("browser")
