"""Foreign text never runs: not in any view, not in a saved notebook, and all of it stays legible."""

import re

import nbformat
from nbconvert import HTMLExporter
from playwright.sync_api import expect

from tests.browser.foreign import PAYLOADS
from tests.browser.lab import Notebook, notebook_of

PROBE = "window.ran = []; window.codevfprobe = () => { window.ran.push(new Error().stack); return 1 }; null"
LOAD = """%load_ext codevf_nb
%codevf sandbox --answer-after 600 --rate-limit off
import pandas as pd
from sqlalchemy import insert
from codevf_nb import kernel
from codevf_nb.ledger.tables import questions, tags
from tests.browser.foreign import PAYLOADS
current = kernel.current()
texts = [text.encode(errors="replace").decode() for text in PAYLOADS]
fixed = dict(account=current.account.name, environment="sandbox", origin="sandbox", credential="x", asked_by="me",
             asking=1, idempotency_key="", mode="fast", attachments="[]", state="accepted", attempts=1, unheard=0,
             status="completed", credits_used=1.0)
import json, time
rows = [dict(fixed, identity=str(n), task_id=f"task_{n}", prompt=text, project=text, tag=text, message=text,
             notes=json.dumps([text]), result=json.dumps({"deliverables": [{"file_name": text, "url": "http://x.invalid/"}]}),
             prepared_at=time.time() - n, created_at=time.time() - n - 60, completed_at=time.time() - n)
        for n, text in enumerate(texts)]
current.tags()
with current.ledger.store.write() as connection:
    connection.execute(insert(questions), rows)
    connection.execute(insert(tags), [dict(account=current.account.name, tag_id=100 + n, name=text, display_name=text,
        description=text, multiplier="1", is_active=1, sort_order=n, seen_at=0.0) for n, text in enumerate(texts)])
frame = pd.DataFrame({text: [text] for text in texts})"""
SHOW = """from IPython.display import display
for entry in current.ledger.questions.latest(100)[{part}]:
    display(current.task(entry.task_id))"""
PICK = "cvf = __import__('codevf_nb')\ncvf.picker(texts[1], attach=['frame'], project=texts[2], tag=101)"
FAIL = "%codevf show legible <script>codevfprobe()</script><img src=x onerror=codevfprobe()>"


def test_nothing_runs_and_all_is_legible(browser, lab):
    """Each payload stands in every place that foreign text has; none runs, none asks for anything, each can be read."""
    running, root = lab
    assert len(PAYLOADS) >= 60
    name = notebook_of(
        root,
        *(LOAD, SHOW.format(part=":40"), PICK, "%codevf inbox", "%codevf dashboard", FAIL, SHOW.format(part="40:")),
    )
    page = Notebook(browser, running, name)
    away = []
    page.page.on("request", lambda request: away.append(request.url) if ".invalid" in request.url else None)
    page.page.evaluate(PROBE)
    for index in range(7):
        page.run(index)
        assert page.page.evaluate("window.ran") == [], index
    assert page.shown(0).count("\n") < 3, page.shown(0)
    assert missing(page.shown(1) + page.shown(6)) == []
    expect(page.under(2)).to_contain_text("legible1 ")
    for turn in range(len(PAYLOADS) // 10 + 1):
        expect(page.under(3)).to_contain_text(f"legible{len(PAYLOADS) - 1 - 10 * turn} ")
        page.button(3, "Open").first.click()
        assert page.page.evaluate("window.ran") == [], turn
        if turn < len(PAYLOADS) // 10:
            page.button(3, "Next page").click()
    page.under(4).get_by_label("Group by").select_option("project")
    page.button(4, "Show the table").nth(1).click()
    expect(page.under(4).locator("table")).to_contain_text("legible", timeout=30_000)
    page.photograph("foreign")
    page.command("docmanager:save")
    assert page.page.locator("a[href^='javascript' i]").count() == 0, "nor may it wait for a click"
    assert page.page.evaluate("window.ran") == []
    assert away == []
    page.page.context.close()
    converted(browser, root / name)


def missing(text: str) -> list[str]:
    """The payloads that can't be read in a text."""
    return [payload for number, payload in enumerate(PAYLOADS) if not re.search(rf"legible{number}\b", text)]


def converted(browser, path) -> None:
    """Look at the notebook as nbconvert writes it."""
    html, _ = HTMLExporter().from_notebook_node(nbformat.read(path, as_version=4))
    page = browser.new_context().new_page()
    away = []
    page.add_init_script(PROBE)
    page.on("request", lambda request: away.append(request.url) if ".invalid" in request.url else None)
    written = path.with_suffix(".html")
    written.write_text(html, encoding="utf-8")
    page.goto(written.as_uri(), wait_until="domcontentloaded")
    assert missing(page.inner_text("body")) == []
    assert page.evaluate("window.ran") == []
    assert away == []
