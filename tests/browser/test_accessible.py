"""Every view against axe-core's rules for WCAG 2 A and AA, in light and dark. ``CODEVF_AXE`` names its axe.min.js."""

import json
import os
from pathlib import Path

from playwright.sync_api import expect

from tests.support.pages import ASK, PICK, opened

AXE = os.environ.get("CODEVF_AXE", "")
RUN = """index => axe.run(`[data-cell="${index}"]`, {runOnly: ["wcag2a", "wcag2aa", "wcag21aa"]}).then(
    found => [found.passes.length, found.violations.map(one => [one.id, one.nodes.map(node => node.html)])])"""


def test_every_view_is_accessible(browser, lab):
    """Labels, names, roles and contrast hold in both themes, in every view as it stands on the page."""
    assert AXE, "CODEVF_AXE names no axe.min.js; `make test-browser` fetches it"
    page = opened(browser, lab, PICK, ASK, "%codevf inbox", "%codevf dashboard", after=600)
    for index in (1, 2, 3, 4):
        page.run(index)
    expect(page.under(4).locator("svg[role=img]")).to_have_count(4, timeout=20_000)
    page.button(3, "Open").first.click()
    expect(page.under(3).get_by_label("Task id")).to_be_visible()
    page.button(4, "Show the table").first.click()
    expect(page.under(4).locator("table")).to_be_visible()
    page.page.evaluate(Path(AXE).read_text(encoding="utf-8") + ";null")
    for theme in ("Light", "Dark"):
        page.theme(f"JupyterLab {theme}")
        for index in (1, 2, 3, 4):
            page.under(index)
            passed, found = page.page.evaluate(RUN, index)
            assert passed > 3, "the rules must have found something to look at"
            assert found == [], f"cell {index} in {theme}: {json.dumps(found, indent=1)}"
