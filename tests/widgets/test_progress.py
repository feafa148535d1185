"""The panel under a cell: what it costs, and that panels which look alike leave each other alone."""

import ipywidgets
import pytest

from codevf_nb.widgets import view_registry
from tests.support.magics import run
from tests.widgets.conftest import click, inside, labelled, widgets_alive, words


@pytest.fixture
def ask(shell, current, page):
    """Ask in a cell and return the panel under it; no answer comes unless somebody looks."""
    current.watcher.stop()

    def asked(number: int):
        page.cell = f"cell {number}"
        result, _ = run(shell, f"%%codevf Is this comparison right? Number {number}.\ntotal = 1")
        assert result.success
        return view_registry._places.all()[-1]

    return asked


def test_a_further_panel_is_six_widgets(ask):
    """All of them have their layouts and styles in common."""
    ask(1)
    before = widgets_alive()
    ask(2)
    assert widgets_alive() == before + 6


def test_a_panel_that_is_let_go_of_takes_nothing_of_the_others(ask, page):
    """Run again, a cell's panel goes, and what it had in common with the other cell's stays on the page."""
    first, second = ask(1), ask(2)
    before = widgets_alive()
    ask(2)
    assert widgets_alive() == before
    assert second.root.comm is None
    for widget in inside(first.root):
        assert widget.comm is not None
        assert widget.layout.comm is not None


def test_the_buttons_go_with_the_answer(ask):
    """Of this panel: another one's question is still open. When the panel is let go of, they are closed too."""
    first, second = ask(1), ask(2)
    buttons = [labelled(first.root, text) for text in ("Cancel", "Refresh")]
    while buttons[1] in first.root.children:
        click(first.root, "Refresh")
    assert buttons[0] not in first.root.children
    assert "This answer is automated" in words(first.root)
    assert labelled(second.root, "Cancel") in second.root.children
    first.close_view()
    assert [button.comm for button in buttons] == [None, None]


def test_the_answer_is_drawn_once(ask):
    """What remains of the panel is the answer with price and state, each once, and how it gets into the file."""
    panel = ask(1)
    while not isinstance(panel.root.children[-1], ipywidgets.HTML):
        click(panel.root, "Refresh")
    (body,) = panel.root.children
    for once in (
        "may cost at most",
        "completed",
        "This answer is automated",
        "run this cell again (0 credits), then save",
    ):
        assert body.value.count(once) == 1


def test_a_second_that_passes_as_the_answer_comes_leaves_it_there(ask, current, monkeypatch):
    """The watcher's thread may bring the answer while the desk's is drawing how long ago the question was asked."""
    panel = ask(1)
    drawn = panel._expected

    def meanwhile() -> str:
        told = drawn()
        while panel._entry.is_open:
            panel.update(current.refresh(panel._entry), None)
        return told

    monkeypatch.setattr(panel, "_expected", meanwhile)
    panel._tick()
    assert "This answer is automated" in words(panel.root)


def test_when_all_widgets_were_closed_the_next_panel_stands(ask):
    """`Widget.close_all()` is anybody's to call: what panels have in common is made anew."""
    ask(1)
    ipywidgets.Widget.close_all()
    for widget in inside(ask(2).root):
        assert widget.comm is not None
        assert widget.layout.comm is not None
