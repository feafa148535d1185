"""Every test has its own home and no key in its environment; what needs a service gets a sandbox over a real socket."""

import os
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from codevf_nb.accounts import settings

pytest.register_assert_rewrite("tests.support")

from tests.support.delivery import clock, kernel  # noqa: E402, F401 - fixtures

# These tests are of targets of their own, which bring what they import.
collect_ignore = [name for name, needs in (("browser", "playwright"), ("engines", "duckdb")) if not find_spec(needs)]


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of this test's own: no key, ledger, settings or `~/.netrc` of the machine reaches it."""
    for name in [name for name in os.environ if name.startswith("CODEVF_")]:
        monkeypatch.delenv(name)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("CODEVF_NB_HOME", str(home / "codevf_nb"))
    monkeypatch.setenv("IPYTHONDIR", str(home / "ipython"))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    settings.folder_name.cache_clear()
    return home


@pytest.fixture
def box() -> Iterator:
    """A sandbox on a virtual clock: it answers after a few polls, and nobody waits."""
    from codevf_nb.sandbox import Sandbox

    with Sandbox(clock="virtual") as sandbox:
        yield sandbox


@pytest.fixture
def account(box) -> settings.Account:
    """The sandbox's account, with no limit on requests: the limiter has tests of its own."""
    return settings.Account(
        name="sandbox",
        environment="sandbox",
        base_url=box.base_url,
        api_key=box.api_key,
        source="a test",
        origin="sandbox",
        requests_per_second=None,
        polls_move_time=True,
    )


@pytest.fixture
def current(account) -> Iterator:
    """This process's session, on the sandbox."""
    from codevf_nb.kernel import forget, use

    yield use(account)
    forget()


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Iterator:
    """A real IPython shell with the extension loaded."""
    from IPython.core.interactiveshell import InteractiveShell

    from codevf_nb.kernel import forget

    InteractiveShell.clear_instance()
    shell = InteractiveShell.instance()
    shell.history_manager.enabled = False
    shell.extension_manager.load_extension("codevf_nb")
    yield shell
    shell.extension_manager.unload_extension("codevf_nb")
    forget()
    shell.history_manager.end_session()
    InteractiveShell.clear_instance()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say why a run in CI fails that has no failed test."""
    if _skipped_in_ci(terminalreporter):
        terminalreporter.write_line("In CI no test may be skipped, so this run fails.", red=True)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run in CI in which a test was skipped: CI has all that the tests need."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None and session.exitstatus == 0 and _skipped_in_ci(reporter):
        session.exitstatus = 1


def _skipped_in_ci(reporter: pytest.TerminalReporter) -> bool:
    return os.environ.get("CI") == "true" and bool(reporter.stats.get("skipped"))
