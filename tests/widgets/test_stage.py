"""Where views stand: what takes their place when nobody answers their clicks any more."""

import pandas as pd

import codevf_nb
from codevf_nb.widgets import view_registry
from codevf_nb.widgets._job_queue import job_queue
from tests.widgets.conftest import PROMPT, click, done


def replaced(page) -> dict[str, str]:
    """The text that took a view's place, by display id."""
    return {options["display_id"]: bundle["text/plain"] for bundle, options in page.shown if options.get("update")}


def test_text_takes_the_place_of_each_view(shell, current, page, picker):
    """Each display gets its own fallback and no widget, and nothing ticks any more."""
    shell.user_ns["orders"] = pd.DataFrame({"id": range(3)})
    unsent = picker(prompt=PROMPT)
    page.cell = "other"
    codevf_nb.inbox()._ipython_display_()
    done()
    view_registry.replace_all_by_text()
    texts = replaced(page)
    assert len(texts) == 2
    assert "%%codevf PROMPT" in texts[unsent.display_id]
    assert any("%codevf tasks lists all" in text for text in texts.values())
    assert all(view_registry.WIDGET not in bundle for bundle, options in page.shown if options.get("update"))
    assert job_queue._periodic == []


def test_a_picker_that_has_asked_becomes_what_it_asked(shell, current, page, picker):
    """Its cell would show the form again, so the text names the command that finds the answer."""
    current.watcher.stop()  # so that the question stays open
    view = picker(prompt=PROMPT)
    click(view.root, "Submit")
    task = shell.user_ns["_codevf"]
    told = view.fallback()["text/plain"]
    assert f"%codevf show {task.id} finds the answer and costs nothing." in told
    assert "Running this cell" not in told


def test_a_view_that_fails_leaves_the_others_their_text(shell, page, picker, monkeypatch, caplog):
    """What one can't tell any more is logged, and the next one is told."""
    first = picker(prompt=PROMPT)
    page.cell = "other"
    second = picker(prompt=PROMPT)
    monkeypatch.setattr(first, "fallback", lambda: 1 / 0)
    view_registry.replace_all_by_text()
    assert list(replaced(page)) == [second.display_id]
    assert "could not be replaced" in caplog.text
