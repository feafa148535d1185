"""The task a user holds."""

import asyncio

import pandas as pd
import pytest

import codevf_nb as cvf
from codevf_nb import kernel
from codevf_nb.sandbox import Sandbox
from codevf_nb.sdk.exceptions import CodeVFError, DownloadError, WaitTimeoutError

CODE = "def add(item, to=[]):\n    to.append(item)"
FINDING = {"line": {"type": "integer"}, "message": {"type": "string"}}
FINDINGS = {
    "type": "object",
    "properties": {"findings": {"type": "array", "items": {"type": "object", "properties": FINDING}}},
    "required": ["findings"],
}


@pytest.fixture
def unanswered(account):
    """A sandbox that answers only when told to."""
    with Sandbox(clock="virtual", reviewer="none") as box:
        kernel.use(type(account)(**{**vars(account), "base_url": box.base_url, "api_key": box.api_key}))
        yield box
        kernel.forget()


def test_an_answer_reaches_whoever_waits(unanswered):
    """What an engineer writes is the task's message, and its files can be downloaded."""
    task = cvf.ask("Is this default right?", code=CODE)
    unanswered.answer(task.id, message="Use None.", credits_used=100)
    assert task.wait(timeout=20).message == "Use None."
    assert (task.status, task.credits_used, task.result) == ("completed", 100, "Use None.")
    assert repr(task) == f"<Task {task.id} completed (sandbox)>"


def test_deliverables_are_saved(current, tmp_path):
    """A file that came with the answer is stored under its own name, found again, and never put over another one."""
    task = cvf.ask("Is this default right?", code=CODE).wait(timeout=20)
    (path,) = task.download(tmp_path)
    assert path.name == "findings.csv"
    assert "cell.py" in path.read_text()
    assert task.download(tmp_path) == [path]
    path.write_text("mine")
    with pytest.raises(DownloadError, match=r"findings\.csv already exists; overwrite=True replaces it"):
        task.download(tmp_path)
    assert path.read_text() == "mine"
    assert task.download(tmp_path, overwrite=True) == [path]
    assert "cell.py" in path.read_text()


def test_deliverables_shadow_no_module(current, tmp_path, monkeypatch):
    """Unless a folder is named, they go into one of the task's own: not where Python looks for modules."""
    monkeypatch.chdir(tmp_path)
    task = cvf.ask("Is this default right?", code=CODE).wait(timeout=20)
    (path,) = task.download()
    assert path.parent.name == f"codevf_{task.id}"
    assert [found.name for found in tmp_path.iterdir() if found.name != "home"] == [path.parent.name]


def test_waiting_ends_and_the_task_goes_on(unanswered):
    """A timeout names the task, what it is, and how to come back."""
    task = cvf.ask("Is this default right?", code=CODE)
    with pytest.raises(WaitTimeoutError, match=f"%codevf show {task.id}"):
        task.wait(timeout=0.05)
    assert task.is_open


def test_a_task_can_be_awaited(current):
    """`await task` gives the task when it is answered."""

    async def ask():
        return await cvf.ask("Is this default right?", code=CODE)

    assert asyncio.run(ask()).status == "completed"


def test_structured_answers_become_rows(current):
    """With a schema the result is data, its frame has a row per object, and it is said that AI made it."""
    task = cvf.ask("List what is wrong here.", code=CODE, schema=FINDINGS).wait(timeout=20)
    assert task.result["findings"][0]["line"] == 1
    frame = task.frame()
    assert isinstance(frame, pd.DataFrame)
    assert "message" in frame
    assert "AI generates it" in task._repr_mimebundle_()["text/plain"]


def test_text_has_no_rows(current):
    """A person's answer isn't turned into a table; the message says what to do."""
    task = cvf.ask("Is this default right?", code=CODE).wait(timeout=20)
    with pytest.raises(CodeVFError, match="ask with a schema"):
        task.frame()


def test_cancelling_releases(unanswered):
    """A cancelled task is final and holds nothing."""
    task = cvf.ask("Is this default right?", code=CODE)
    assert task.cancel().status == "cancelled"
    assert not task.is_open
    assert cvf.credits()["on_hold"].iloc[-1] == 0
    assert unanswered.balance()["onHold"] == 0
