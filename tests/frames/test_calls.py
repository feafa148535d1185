"""The calls people type: ``cvf.tasks()`` and its siblings, on a session with a sandbox."""

import pytest

import codevf_nb as cvf
from codevf_nb import kernel

CODE = "def add(item, to=[]):\n    to.append(item)"
SCHEMA = {
    "type": "array",
    "items": {"type": "object", "properties": {"line": {"type": "integer"}, "message": {"type": "string"}}},
}


@pytest.fixture
def asked(current):
    """Two questions, answered."""
    first = cvf.ask("Is this default argument right?", code=CODE, mode="fast", tag="engineer").wait()
    second = cvf.ask("Is this default argument wrong?", code=CODE, metadata={"n": 1}).wait()
    return first, second


def test_the_book_meets_what_the_service_says(asked, box):
    """Holds, releases and charges add up to the balance that the service itself tells."""
    book = cvf.credits(refresh=True)
    assert (book["credits"].cumsum() == book["available"]).all()
    assert (book["available"] + book["on_hold"] == book["total"]).all()
    assert book["available"].iloc[-1] == box.balance()["available"]
    assert book["kind"].tolist().count("unexplained") == 1, "only the first balance has no history"


def test_nothing_is_asked_of_the_service_unless_said(asked, box):
    """Frames come from the ledger; ``refresh=True`` asks first."""
    for call in (cvf.tasks, cvf.credits, cvf.spend, cvf.forecast, cvf.balance, cvf.tags):
        before = len(box.requests())
        call()
        assert len(box.requests()) == before, call
        call(refresh=True)
        assert len(box.requests()) > before, call


def test_refresh_learns_what_became_of_open_ones(current, box):
    """A task that has been answered meanwhile is completed in the frame."""
    current.watcher.stop()
    cvf.ask("Is this default argument right?", code=CODE)
    assert cvf.tasks()["status"].tolist() == ["pending"]
    box.advance(3600)
    assert cvf.tasks(refresh=True)["status"].tolist() == ["completed"]


def test_filters_reach_the_frame(asked, monkeypatch):
    """``mine`` is the user that asked."""
    assert cvf.tasks(mode="fast")["task_id"].tolist() == [asked[0].id]
    assert cvf.spend(mode="fast", mine=True)["questions"].tolist() == [1]
    assert len(cvf.tasks(since="2026-01-05", until="2026-01-06")) == 2
    assert cvf.spend("mode", "D", since="2026-01-04", until="2026-01-06")["questions"].tolist() == [0, 0, 1, 1]
    monkeypatch.setenv("JUPYTERHUB_USER", "somebody else")
    assert len(cvf.tasks(mine=True)) == 0


def test_frames_are_there_after_a_restart(asked, account):
    """A new session on the same home reads the same ledger."""
    before = cvf.tasks()
    kernel.forget()
    kernel.use(account)
    assert cvf.tasks().equals(before)


def test_one_account_never_adds_to_another(asked, account):
    """Frames speak of the current account unless all are asked for."""
    kernel.forget()
    kernel.use(type(account)(**{**vars(account), "name": "other"}))
    assert len(cvf.tasks()) == len(cvf.credits()) == 0
    assert set(cvf.tasks(account="all")["account"]) == {"sandbox"}
    assert cvf.spend(account="sandbox")["questions"].sum() == 2


def test_structured_answers_become_rows(current):
    """Of one task by ``.frame()``, of many by ``cvf.answers``, given as tasks, ids or a frame."""
    tasks = [cvf.ask("List what is wrong here.", code=CODE, schema=SCHEMA, metadata={"n": n}).wait() for n in (1, 2)]
    table = cvf.answers(tasks)
    assert table["task_id"].tolist() == [tasks[0].id] * len(tasks[0].frame()) + [tasks[1].id] * len(tasks[1].frame())
    assert len(table) >= 2
    assert cvf.answers(cvf.tasks()).equals(table)
    assert cvf.answers([task.id for task in tasks]).equals(table)
    assert table.drop(columns="task_id").head(len(tasks[0].frame())).equals(tasks[0].frame())
