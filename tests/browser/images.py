"""The pictures in the README, taken of a real page: ``python -m tests.browser.images``.

Each is a cell and what stands under it, in JupyterLab, against a sandbox whose seed is fixed.
"""

import os
import re
import shutil
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, expect

from codevf_nb.sandbox import process
from tests.browser.lab import Lab, Notebook, chromium, jupyterlab, notebook_of

ROOT = Path(__file__).parents[2]
IMAGES = ROOT / "notebooks" / "images"
WIDTH = 960
LOAD = """import pandas as pd
import codevf_nb as cvf
%load_ext codevf_nb
%codevf sandbox --seed 1 --clock virtual
orders, customers = pd.read_csv("data/orders.csv"), pd.read_csv("data/customers.csv")"""


def first_cell() -> str:
    """Return the first ``%%codevf`` cell of the README: the one that the reader is told to try."""
    found = re.search(r"```python\n(%%codevf .*?)\n```", (ROOT / "README.md").read_text(encoding="utf-8"), re.S)
    assert found, "the README shows no %%codevf cell"
    return found[1]


def take(browser: Browser, lab: Lab, root: Path, folder: Path) -> list[Path]:
    """Photograph the README's cell with its answer, and the picker; return the pictures."""
    shutil.copytree(ROOT / "notebooks" / "data", root / "data")
    ask = 'cvf.picker(prompt="Is this join dropping rows?", attach=["orders", "customers"], mode="fast")'
    page = Notebook(browser, lab, notebook_of(root, LOAD, first_cell(), ask), width=WIDTH, scale=2)
    page.page.set_viewport_size({"width": WIDTH, "height": 1600})
    page.run(0)
    page.run(1)
    expect(page.under(1)).to_contain_text("credits used")
    page.run(2)
    expect(page.button(2, "Submit")).to_be_enabled()
    page.command("application:toggle-left-area")
    folder.mkdir(exist_ok=True)
    taken = []
    for index, name in ((1, "answer"), (2, "picker")):
        page.page.evaluate("index => window.theNotebook.content.widgets[index].node.id = 'pictured'", index)
        place = folder / f"{name}.png"
        page.page.locator("#pictured").screenshot(path=place, animations="disabled")
        page.page.evaluate("index => window.theNotebook.content.widgets[index].node.id = ''", index)
        taken.append(place)
    return taken


def main() -> None:
    """Take the pictures anew, in place."""
    with tempfile.TemporaryDirectory() as folder:
        home, root, state = (Path(folder) / name for name in ("home", "notebooks", "lab"))
        root.mkdir()
        state.mkdir()
        os.environ["CODEVF_NB_HOME"] = str(home)
        try:
            with jupyterlab(root, state, {"CODEVF_NB_HOME": str(home)}) as lab, chromium() as browser:
                for place in take(browser, lab, root, IMAGES):
                    print(f"{place.relative_to(ROOT)}  {place.stat().st_size:,} bytes")
        finally:
            process.stop(home)


if __name__ == "__main__":
    main()
