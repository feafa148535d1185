"""A real JupyterLab with a real Chromium in front of it, each with folders of its own, ended whatever happens."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import requests
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import Browser, Locator, Page, TimeoutError, sync_playwright

from tests.waiting import eventually

CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
ARTEFACTS = Path(__file__).parents[2] / "artefacts"
# The panel is pinned once: Lab's own notion of the current widget flickers while it restores.
FIND_NOTEBOOK = """() => {
    const shell = window.jupyterapp && window.jupyterapp.shell;
    if (!shell) return false;
    const found = shell.widgets('main'), all = [];
    if (found[Symbol.iterator]) all.push(...found);
    else for (let one; (one = found.next()) !== undefined;) all.push(one);  // JupyterLab 3
    window.theNotebook = all.find(
        widget => widget.context && widget.sessionContext && widget.content && widget.content.widgets);
    return Boolean(window.theNotebook);
}"""
# Lab may know the status from the server before the kernel's own socket is open; a restart in between is one that
# Jupyter's server doesn't get over. What is told over that socket is waited for.
KERNEL_IDLE = """async () => {
    const notebook = window.theNotebook;
    await notebook.context.ready;
    await notebook.sessionContext.ready;
    const kernel = notebook.sessionContext.session && notebook.sessionContext.session.kernel;
    if (!kernel) return false;
    await kernel.info;
    return kernel.status === 'idle';
}"""

# What is known of a page that wasn't done in time: the kernel, and each code cell's count and last lines.
STANDS = """() => {
    const session = window.theNotebook.sessionContext.session;
    const cells = [...window.theNotebook.content.widgets].filter(cell => cell.model.type === 'code');
    return {kernel: session && session.kernel && session.kernel.status,
            cells: cells.map(cell => [cell.model.executionCount, cell.promptNode && cell.promptNode.innerText,
                                      cell.outputArea.node.innerText.slice(-200)]),
            dialogs: [...document.querySelectorAll('.jp-Dialog')].map(one => one.innerText)} }"""


@dataclass(frozen=True)
class Lab:
    """A running JupyterLab."""

    url: str
    token: str
    app: str
    is_old: bool


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, headless, that talks to nobody of its own accord."""
    path = shutil.which("chromium")
    assert path, "these tests need Debian's chromium: apt-get install chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_FLAGS, headless=True)
        try:
            yield browser
        finally:
            browser.close()


@contextlib.contextmanager
def jupyterlab(
    root: Path,
    state: Path,
    environment: dict[str, str],
    app: str = "lab",
    settings: dict[str, Any] | None = None,
    python: str = sys.executable,
) -> Iterator[Lab]:
    """A JupyterLab (or the ``app`` notebook) on ``root`` with every folder of its own under ``state``.

    Its kernels are those of the environment that ``python`` belongs to, as it is itself.
    """
    token = secrets.token_hex(12)
    own = {
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_DATA_DIR": "data",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "JUPYTERLAB_SETTINGS_DIR": "settings",
        "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
        "IPYTHONDIR": "ipython",
    }
    _write_settings(state / "settings", {**_SETTINGS, **(settings or {})})
    command = [
        *(python, "-m", "jupyter", app, "--no-browser", "--allow-root", "--expose-app-in-browser"),
        *("--ServerApp.ip=127.0.0.1", "--ServerApp.port=0", f"--IdentityProvider.token={token}"),
        *(f"--ServerApp.root_dir={root}", "--ServerApp.terminals_enabled=False"),
        *(["--LabApp.news_url=None"] if app == "lab" else []),
    ]
    with (state / "lab.log").open("wb") as log:
        server = subprocess.Popen(
            command,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**os.environ, **environment, **{name: str(state / folder) for name, folder in own.items()}},
            start_new_session=True,
        )
    # A killed test run must not leave a Lab behind.
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        url = eventually(lambda: _address(server, state), "Lab answers", seconds=60)
        yield Lab(url, token, app, is_old=python != sys.executable)
    finally:
        signal.signal(signal.SIGTERM, before)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGTERM)
        try:
            server.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait(5)


def _address(server: subprocess.Popen, state: Path) -> str | None:
    if server.poll() is not None:
        raise RuntimeError((state / "lab.log").read_text())
    for file in (state / "runtime").glob("jpserver-*.json"):
        with contextlib.suppress(ValueError, requests.RequestException):
            about = json.loads(file.read_text())
            requests.get(f"{about['url']}api/status", params={"token": about["token"]}, timeout=5).raise_for_status()
            return about["url"].rstrip("/")
    return None


# No news; every cell stays in the page, so that all of it can be looked at; and what widgets hold is saved, so that the
# saved notebook can be searched for what must not be there.
_SETTINGS = {
    "@jupyterlab/apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "@jupyterlab/notebook-extension/tracker": {"windowingMode": "none"},
}
SAVE_WIDGET_STATE = {"@jupyter-widgets/jupyterlab-manager/plugin": {"saveState": True}}


def _write_settings(folder: Path, settings: dict[str, Any]) -> None:
    for name, values in settings.items():
        place = folder / f"{name}.jupyterlab-settings"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(json.dumps(values))


def notebook_of(root: Path, *cells: str, name: str = "test.ipynb") -> str:
    """Write a notebook of these cells, and return its name."""
    kernel = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    nbformat.write(new_notebook(cells=[new_code_cell(cell) for cell in cells], metadata=kernel), root / name)
    return name


class Notebook:
    """A notebook open in the browser, its kernel idle."""

    def __init__(
        self, browser: Browser, lab: Lab, name: str, width: int = 1280, scheme: str = "light", scale: int = 1
    ) -> None:
        view = {"width": width, "height": 1000}
        self.lab = lab
        context = browser.new_context(viewport=view, color_scheme=scheme, device_scale_factor=scale)
        self.page: Page = context.new_page()
        self.problems: list[str] = []
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        place = f"lab/tree/{name}?reset&" if lab.app == "lab" else f"notebooks/{name}?"
        self.page.goto(f"{lab.url}/{place}token={lab.token}")
        self.page.wait_for_function(FIND_NOTEBOOK, timeout=60_000)
        self.page.wait_for_function(KERNEL_IDLE, timeout=60_000)

    def command(self, name: str, *, wait: bool = True) -> None:
        """Run one of Lab's commands; without ``wait`` it is only started."""
        if wait:
            script = """name => Promise.race([
                window.jupyterapp.commands.execute(name).then(() => true),
                new Promise((_, reject) => setTimeout(() => reject(new Error(`${name} takes too long`)), 60000))])"""
        else:
            script = "name => { window.jupyterapp.commands.execute(name); return true }"
        self.page.evaluate(script, name)

    def run(self, index: int, *, wait: bool = True) -> None:
        """Run one cell, counted from 0."""
        self.page.evaluate("index => { window.theNotebook.content.activeCellIndex = index }", index)
        self.command("notebook:run-cell", wait=wait)

    def run_all(self) -> None:
        """Run every cell, as the menu does that says so."""
        self.command("notebook:run-all-cells", wait=False)

    def executed(self, counts: list[int]) -> None:
        """Wait until the code cells have these execution counts, and nothing runs any more."""
        script = """counts => {
            const cells = [...window.theNotebook.content.widgets].map(cell => cell.model);
            const code = cells.filter(model => model.type === 'code');
            return String(code.map(model => model.executionCount)) === String(counts)
                && window.theNotebook.sessionContext.session.kernel.status === 'idle' }"""
        try:
            self.page.wait_for_function(script, arg=counts, timeout=120_000)
        except TimeoutError as late:
            late.add_note(f"the page stands so: {self.page.evaluate(STANDS)}")
            self.photograph("late")
            raise

    def outputs(self, index: int) -> list[dict[str, Any]]:
        """Return what a cell shows, as the document has it."""
        return self.page.evaluate(
            "index => { const m = window.theNotebook.content.widgets[index].model; return m.outputs.toJSON() }", index
        )

    def shown(self, index: int) -> str:
        """Return the text that a reader of the page sees under a cell."""
        return self.page.evaluate("index => window.theNotebook.content.widgets[index].outputArea.node.innerText", index)

    def under(self, index: int) -> Locator:
        """Return what stands under a cell, to click in and to look at."""
        script = "index => window.theNotebook.content.widgets[index].outputArea.node.setAttribute('data-cell', index)"
        self.page.evaluate(script, index)
        return self.page.locator(f'[data-cell="{index}"]')

    def button(self, index: int, text: str) -> Locator:
        """Return the button with this text under a cell."""
        return self.under(index).get_by_role("button", name=text)

    def theme(self, name: str) -> None:
        """Change to a theme of Lab's: JupyterLab Light or JupyterLab Dark."""
        script = "theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})"
        self.page.evaluate(script, name)
        light = "true" if "Light" in name else "false"
        self.page.wait_for_selector(f'body[data-jp-theme-light="{light}"]', state="attached")
        self.page.wait_for_selector("#jupyterlab-splash", state="detached")

    def photograph_cell(self, index: int, name: str) -> None:
        """Keep pictures of what stands under a cell, in light and dark, on a wide and on a narrow page."""
        for width in (1280, 800):
            self.page.set_viewport_size({"width": width, "height": 1800})
            for theme in ("Light", "Dark"):
                self.theme(f"JupyterLab {theme}")
                self.under(index).screenshot(path=self._picture(f"{name}-{theme.lower()}-{width}"))
        self.page.set_viewport_size({"width": 1280, "height": 1000})
        self.theme("JupyterLab Light")

    def photograph(self, name: str) -> None:
        """Keep a picture of the page among the artefacts."""
        self.page.screenshot(path=self._picture(name))

    def _picture(self, name: str) -> Path:
        ARTEFACTS.mkdir(exist_ok=True)
        return ARTEFACTS / f"{'old-' if self.lab.is_old else ''}{name}.png"
