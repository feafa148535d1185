"""A process that asks is killed wherever it stands; asked again, everything is there once and adds up."""

import os
import random
import tempfile
import threading
import time
from pathlib import Path

import pytest

from codevf_nb import analysis
from codevf_nb.accounts.settings import home
from codevf_nb.ledger import (
    Ledger,
    SendState,
    Store,
    sqlite_url,
)
from codevf_nb.sandbox import Sandbox
from tests.soak.asker import NOBODY
from tests.soak.conftest import Asker
from tests.soak.steps import STEPS

# What a bad network does to each kind of request; the first rule that strikes acts.
BAD_NETWORK = (
    "create:p0.12:drop-before-commit",
    "create:p0.12:drop-after-commit",
    "create:p0.12:truncate",
    "create:p0.08:malformed",
    "create:p0.08:status=503",
    "create:p0.08:status-after-commit=502",
    "create:p0.2:delay-after-commit=0.02",
    "create:p0.1:delay-before-commit=0.02",
    "retrieve:p0.1:drop",
    "retrieve:p0.1:truncate",
    "balance:p0.1:status=500",
    "projects:p0.1:drop-after-commit",
)


def check_everything_adds_up(box: Sandbox, prompts: list[str]) -> None:
    """One task for each question, each answer in the ledger, and the same credits on both sides."""
    store = Store(sqlite_url(home() / "ledger.sqlite"))
    ledger = Ledger(store, "sandbox", "sandbox")
    tasks = {task["prompt"]: task for task in box.tasks()}
    assert sorted(task["prompt"] for task in box.tasks()) == sorted(prompts)
    entries = {entry.prompt: entry for entry in ledger.questions.latest(limit=10_000)}
    assert sorted(entries) == sorted(prompts)
    for prompt, entry in entries.items():
        assert (entry.state, entry.status) == (SendState.ACCEPTED, "completed")
        assert entry.task_id == tasks[prompt]["id"]
        assert entry.message == tasks[prompt]["result"]["message"]
        assert ledger.questions.body(entry.id) is None
    book = analysis.credits(store, "sandbox")
    moved = book[~book["kind"].isin(["balance", "unexplained"])]
    spent = box.options.credits - box.balance()["available"]
    assert -moved["credits"].sum() == spent == sum(task["creditsUsed"] for task in box.tasks())
    assert moved.groupby(["task_id", "kind"]).size().max() == 1
    assert analysis.tasks(store, analysis.Filters("sandbox"))["credits_used"].sum() == spent
    store.close()


def finish(asker: Asker, prompt: str) -> None:
    """Run the cell again until it ends well, as a person would on a bad day."""
    for _ in range(50):
        if "done" in asker.ask(prompt):
            return
    pytest.fail(f"{prompt} never ended well")


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_each_step(step: str, box: Sandbox, asker: Asker):
    """Whichever step of the protocol is a process's last, the next one finds or asks the question, once."""
    prompt = f"What is wrong with this? Killed {step}."
    told = asker.ask(prompt, step)
    assert (told["at"], told["exit"]) == (step, -9)
    assert "done" in asker.ask(prompt)
    check_everything_adds_up(box, [prompt])


@pytest.mark.parametrize("commit", ["before", "after"])
def test_killed_while_the_service_works_on_it(commit: str, box: Sandbox, asker: Asker, monkeypatch: pytest.MonkeyPatch):
    """The request has arrived and nobody will hear its answer: it is made all the same, and found."""
    arrived, made = threading.Event(), threading.Event()
    app, engine = box._server.app, box.engine
    begin, create = app.begin, engine.create
    monkeypatch.setattr(app, "begin", lambda call: (begin(call), call.claim and arrived.set()))
    monkeypatch.setattr(engine, "create", lambda *what: (create(*what), made.set())[0])
    box.add_fault(f"create:1:delay-{commit}-commit=0.3")
    asker.start("Is anybody there to hear the answer?")
    assert (arrived if commit == "before" else made).wait(30)
    asker.kill()
    assert asker.listen("exit")["exit"] == -9
    assert made.wait(30)
    finish(asker, "Is anybody there to hear the answer?")
    check_everything_adds_up(box, ["Is anybody there to hear the answer?"])


@pytest.mark.parametrize("step", ["before-prepare", "before-record_response", "before-accept"])
def test_a_full_disk(step: str, box: Sandbox, asker: Asker):
    """Before the wire nothing is sent; after it, the same cell finds its task once there is room."""
    prompt = "Is there room for this?"
    told = asker.ask(prompt, step, then="fill")["failed"]
    was_sent = step in ("before-record_response", "before-accept")
    assert "can't be used: " in told
    assert ("Nothing was sent." in told, "was sent all the same" in told) == (not was_sent, was_sent)
    assert len(box.tasks()) == was_sent
    finish(asker, prompt)
    check_everything_adds_up(box, [prompt])


def test_a_read_only_home(box: Sandbox, asker: Asker):
    """Answers are still found, at no cost; a new question is refused with one line that says why."""
    # Not under pytest's own folder: nobody but its owner may go through that.
    with tempfile.TemporaryDirectory() as folder:
        asker.home = Path(folder)
        found = asker.ask("Was this asked before?")["done"]
        for path in (*asker.home.iterdir(), asker.home):
            path.chmod(0o555)
            if os.getuid() == 0:
                os.chown(path, NOBODY, NOBODY)
        assert asker.ask("Was this asked before?", then="humble")["done"] == found
        failed = asker.ask("Was that asked before?", then="humble")["failed"]
        asker.home.chmod(0o700)
    assert failed.startswith("NotWrittenError: the ledger at ")
    assert "Nothing was sent. Without the ledger it might be paid twice" in failed
    assert len(box.tasks()) == 1


def test_two_processes_race_on_one_question(box: Sandbox):
    """Two kernels run the same cell at the same moment, ten times over: ten tasks, each found by both."""
    pair = Asker(), Asker()
    prompts = [f"Who asks first? Number {number}." for number in range(10)]
    for asker in pair:
        asker.base_url = box.base_url
    for prompt in prompts:
        for asker in pair:
            asker.start(prompt)
        one, other = (asker.listen("exit") for asker in pair)
        assert one["done"] == other["done"]
    for asker in pair:
        asker.close()
    check_everything_adds_up(box, prompts)


def kill_at_random(box: Sandbox, asker: Asker, kills: int, seed: int) -> None:
    """Kill so many processes, each at a random moment of its life, over as many questions as that takes."""
    print(f"seed {seed}")
    dice = random.Random(seed)
    prompts = ["Is this right? The first one, to get warm.", "Is this right? The second one, left alone."]
    for prompt in prompts:
        began = time.monotonic()
        assert "done" in asker.ask(prompt)
        usual = time.monotonic() - began
    for rule in BAD_NETWORK:
        box.add_fault(rule)
    killed = 0
    while killed < kills:
        prompts.append(f"Is this right? Number {len(prompts)}.")
        for _ in range(6):
            told = asker.ask(prompts[-1], kill_after=dice.uniform(0, 1.2 * usual))
            killed += told["exit"] == -9
        finish(asker, prompts[-1])
    check_everything_adds_up(box, prompts)


def test_killed_at_random_moments(box: Sandbox, asker: Asker):
    """Killed 40 times at moments nobody chose, on a bad network: one task each, every answer, every credit."""
    kill_at_random(box, asker, kills=40, seed=4)


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_killed_at_random_moments_many_times(box: Sandbox, asker: Asker):
    """The same for 250 kills."""
    kill_at_random(box, asker, kills=250, seed=time.time_ns() % 1_000_000)
