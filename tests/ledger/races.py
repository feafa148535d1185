"""Races of processes that share a ledger: each waits for its start with everything loaded, so that they do race."""

import subprocess
import sys

from codevf_nb.ledger import Ledger, Store
from codevf_nb.sandbox import Sandbox

ASK = """
import os, sys, time
from codevf_nb.ledger import BudgetExceededError, Store
from codevf_nb.session import Session
from codevf_nb.accounts.settings import Account
from codevf_nb.delivery import InFlightError
_, ledger, base_url, api_key, prompt = sys.argv
session = Session(Account("sandbox", "sandbox", base_url, api_key, "a test", "sandbox", None), Store(ledger))
draft = session.draft(prompt, code="a.merge(b)", project="team")
print("ready", flush=True)
sys.stdin.readline()
for _ in range(300):
    try:
        print(session.ask(draft).id)
        break
    except InFlightError:
        time.sleep(0.1)
    except BudgetExceededError:
        print("past the budget")
        break
session.close()
os._exit(0)
"""
SAME, OTHERS = 3, 2


def run(url: str, *prompts: str) -> tuple[list[str], list[str]]:
    """Ask each prompt in a process of its own, all at once; what each process printed, and the tasks there then are."""
    with Sandbox(rate_limit=None, reviewer="none") as box:
        pipe = subprocess.PIPE
        common = [sys.executable, "-c", ASK, url, box.base_url, box.api_key]
        racers = [subprocess.Popen([*common, prompt], stdin=pipe, stdout=pipe, text=True) for prompt in prompts]
        try:
            for racer in racers:
                assert racer.stdout.readline() == "ready\n"
            for racer in racers:
                racer.stdin.write("go\n")
                racer.stdin.flush()
            printed = [racer.communicate(timeout=60)[0].strip() for racer in racers]
        finally:
            for racer in racers:
                racer.kill()
                racer.wait(10)
        return printed, [task["id"] for task in box.tasks()]


def for_one_budget(url: str) -> None:
    """Five kernels ask at once, three of them the same question, and a budget has room for two: two tasks are made.

    Those with the same question all get its task, or are all refused; nobody pays twice, or past the budget.
    """
    store = Store(url)
    budgets = Ledger(store, "sandbox", "sandbox").budgets
    budgets.set("500/day")
    others = (f"Is this join dropping rows? It is number {number}." for number in range(OTHERS))
    printed, made = run(url, *["Is this join dropping rows?"] * SAME, *others)
    assert len(made) == 2, printed
    assert set(printed) == {*made, "past the budget"}
    assert len(set(printed[:SAME])) == 1
    assert len(set(printed[SAME:])) == OTHERS
    assert budgets.standing()[0].taken == 480
    store.close()
