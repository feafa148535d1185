"""`codevf-nb` as a program."""

import re
import subprocess
import sys

import pytest

from codevf_nb.cli import _smoke as smoke


def program(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "codevf_nb.cli", *arguments], capture_output=True, text=True, timeout=110, check=False
    )


def test_demo_asks_and_prints_what_came_of_it():
    """The demo ends with 0 because its question was completed, and prints answer, tasks, spend and what to do next."""
    run = program("demo")
    assert run.returncode == 0, run.stdout + run.stderr
    for told in (
        "may cost at most",
        "29 of the 360",
        "credits_used",
        "questions",
        "was completed",
        "make lab",
    ):
        assert told in run.stdout
    assert "100%" in run.stderr, "a progress bar shows how far it is"


def test_demo_fails_if_the_question_does(monkeypatch, tmp_path, capsys):
    """A notebook whose cell fails ends the demo with another status than 0."""
    import nbformat
    from nbformat.v4 import new_code_cell, new_notebook

    from codevf_nb.cli import _demo as demo

    nbformat.write(new_notebook(cells=[new_code_cell("raise ValueError('no')")]), tmp_path / demo.NOTEBOOK)
    monkeypatch.setattr(demo, "_notebooks", lambda: tmp_path)
    monkeypatch.setenv("CODEVF_NB_HOME", "put back after the test")
    assert demo.run(sys.stdout) == 1
    assert "ValueError" in capsys.readouterr().out


@pytest.fixture
def smoked(box, monkeypatch):
    """The environment names a sandbox."""
    monkeypatch.setenv("CODEVF_API_KEY", box.api_key)
    monkeypatch.setenv("CODEVF_BASE_URL", box.base_url)
    return box


def test_smoke_walks_every_endpoint_and_leaves_nothing(smoked, capsys):
    """All six endpoints are asked, a line per step is printed, and the one task made is cancelled."""
    assert smoke.run(sys.stdout, sleep=lambda _: None) == 0
    asked = {re.sub("task_[^/]+", "ID", f"{method} {path}") for method, path, *_ in smoked.requests()}
    paths = {"GET credits/balance", "GET tags", "POST projects/create", "POST tasks/create"}
    paths |= {"GET tasks/ID", "POST tasks/ID/cancel"}
    assert {line.replace("/api/v1/", "") for line in asked} == paths
    assert [task["status"] for task in smoked.tasks()] == ["cancelled"]
    assert smoked.balance() == {"available": 100_000, "onHold": 0, "total": 100_000}
    assert capsys.readouterr().out.count("ok ") == 9


@pytest.mark.parametrize("call", ["balance", "tags", "projects", "retrieve"])
def test_smoke_stops_at_the_first_failure_and_still_cancels(smoked, call, capsys):
    """A step that fails ends the walk with another status than 0; what was made is cancelled all the same."""
    smoked.add_fault(f"{call}:1:status=404")
    assert smoke.run(sys.stdout, sleep=lambda _: None) == 1
    assert "FAILED" in capsys.readouterr().out
    assert all(task["status"] == "cancelled" for task in smoked.tasks())


def test_smoke_needs_to_be_told_for_a_live_key(monkeypatch, capsys):
    """A live key holds real credits, so nothing is sent without --live."""
    monkeypatch.setenv("CODEVF_API_KEY", "cvf_live_x")
    assert smoke.run(sys.stdout) == 2
    assert "--live" in capsys.readouterr().out


def test_without_a_command_it_tells_what_there_is():
    """A call without a command fails and names the commands."""
    run = program()
    assert run.returncode == 2
    assert "COMMAND" in run.stderr
