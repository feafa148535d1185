"""What tests in a real page share."""

from urllib.parse import urljoin

import requests

from codevf_nb.accounts import settings
from codevf_nb.ledger import Ledger, Store, sqlite_url
from codevf_nb.sandbox import process
from tests.browser.lab import Notebook, notebook_of

LOAD = """%load_ext codevf_nb
%codevf sandbox --answer-after {after} --rate-limit off
import pandas as pd
orders = pd.DataFrame({{"id": range(1204), "customer": "x"}})
customers = orders.head(10)"""


ASK = "%%codevf Is this comparison right?\nif total == None:\n    total = 0"


PICK = "%codevf picker Is this join dropping rows? --attach orders --mode fast --tag engineer"


LOST = "model not found"


def ledger_says(look):
    """Look into the ledger that the notebook's kernel writes."""
    store = Store(sqlite_url(settings.home() / "ledger.sqlite"))
    try:
        return look(Ledger(store, "sandbox", "sandbox").questions)
    finally:
        store.close()


def answer(task_id: str, message: str) -> None:
    """Answer a task by hand, as the sandbox's own routes allow."""
    box = process.find(settings.home())
    place = urljoin(box.base_url, "/_sandbox/answer")
    key = {"Authorization": f"Bearer {box.api_key}"}
    requests.post(place, json={"task_id": task_id, "message": message}, headers=key, timeout=10).raise_for_status()


def opened(browser, lab, *cells, after=2.0) -> Notebook:
    """A notebook of these cells, its first one run; answers come after so many seconds."""
    running, root = lab
    page = Notebook(browser, running, notebook_of(root, LOAD.format(after=after), *cells))
    page.run(0)
    return page
