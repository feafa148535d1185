"""The dashboard: what is left, and pictures with the frames behind them."""

import re
import warnings
from concurrent.futures import ThreadPoolExecutor

import matplotlib as mpl
import pandas as pd
import pytest
from matplotlib import pyplot as plt

import codevf_nb
from codevf_nb import plots
from codevf_nb.display import rendering as display
from codevf_nb.widgets import _charts as charts
from codevf_nb.widgets._dashboard import Dashboard
from tests.support.inboxes import fill
from tests.widgets.conftest import click, done, inside, labelled, words

NASTY = "$x_{</text><script>alert(1)</script>"


@pytest.fixture
def dashboard(current, page):
    """Open a dashboard over what is in the ledger, of all time."""
    views = []

    def open_one():
        views.append(Dashboard(current))
        labelled(views[-1].root, "Period").value = 0
        done()
        return views[-1]

    yield open_one
    for view in views:
        view.close_view()


def test_it_tells_balance_holds_and_budgets(dashboard, current):
    """What may still be spent stands first."""
    current.ledger.budgets.set("500/day")
    told = words(dashboard().root)
    assert "available 100,000 · on hold 0 · total 100,000 credits" in told
    assert "500 of 500 credits per day are left" in told


def test_without_the_service_what_the_ledger_knows_is_shown(dashboard, current, box):
    """The balance can't be asked for: that is said, and the pictures are drawn."""
    fill(current, 4)
    box.add_fault("balance:1-99:status=500")
    current.client._transport.sleep = lambda _: None
    told = words(dashboard().root)
    assert display.UNKNOWN_BALANCE in told
    assert told.count("<svg") == 4


def test_each_picture_has_its_frame_one_click_away(dashboard, current):
    """The table is that of the call that stands with it."""
    fill(current, 40)
    view = dashboard()
    assert words(view.root).count("<svg") == 4
    tables = [widget for widget in inside(view.root) if getattr(widget, "description", "") == "Show the table"]
    for button in tables:
        button.click()
    done()
    told = words(view.root)
    assert told.count("<table") == 4
    assert "cvf.spend(by=[&quot;mode&quot;], freq=&quot;D&quot;)" in told
    (row,) = codevf_nb.spend(by=["mode"]).itertuples()
    assert f"{row.credits_used:,.2f}" in told
    assert "plots.time_to_answer(cvf.tasks(), by=&quot;mode&quot;)" in told
    click(view.root, "Hide the table")
    assert words(view.root).count("<table") == 3


def test_it_is_drawn_anew_by_another_grouping(dashboard, current):
    """Choosing another grouping, step or period changes what is shown."""
    fill(current, 40)
    view = dashboard()
    click(view.root, "Show the table")
    for label, value in (("Group by", "project"), ("Steps", "M")):
        labelled(view.root, label).value = value
        done()
    assert "shop" in words(view.root)
    assert "freq=&quot;M&quot;" in words(view.root)
    labelled(view.root, "Period").value = 7
    done()
    assert "nothing was asked in this period" in words(view.root)


def test_names_in_pictures_are_outlines(dashboard, current):
    """A project's name is foreign text: it can't end the picture, run, or be read as mathematics."""
    fill(current, 4, project=NASTY)
    view = dashboard()
    labelled(view.root, "Group by").value = "project"
    done()
    told = words(view.root)
    assert "<script" not in told.lower()
    assert "this went wrong" not in told
    click(view.root, "Show the table")
    assert "&lt;script&gt;" in words(view.root)
    assert "<script" not in words(view.root).lower()


def a_picture(name: str = "shop") -> str:
    spend = pd.DataFrame({"project": pd.Series([name, "lab"], dtype="string"), "questions": 1})
    return charts.picture(lambda axes: plots.spend_by(spend.assign(credits_used=[2.0, 1.0]), axes), "Credits used")


def test_pictures_take_the_pages_own_colour():
    """Text and axes are drawn in whatever the page writes in, so that they are readable in light and in dark."""
    drawn = a_picture()
    assert "currentColor" in drawn
    assert "#000000" not in drawn
    assert plots.INK not in drawn
    assert 'role="img" aria-label="Credits used"' in drawn
    assert "<style" not in drawn


def test_pictures_leave_everything_as_it_is():
    """Drawn while the user's own cell runs: no setting, no filter of warnings and no figure of theirs is touched."""
    settings, filters = dict(mpl.rcParams), list(warnings.filters)
    before = plt.get_fignums()
    figure = plt.figure()

    def draw(_axes):
        mpl.rcParams["lines.linewidth"] = 7.0  # a user's cell, in the middle of it

    try:
        charts.picture(draw, "Credits used")
        assert mpl.rcParams["lines.linewidth"] == 7.0
        assert warnings.filters == filters
        assert plt.gcf() is figure
        assert plt.get_fignums() == [*before, figure.number]
    finally:
        plt.close(figure)
        mpl.rcParams.update(settings)


@pytest.mark.parametrize("kind", ["path", "none"])
def test_a_name_is_drawn_with_what_the_font_has(kind):
    """Letters that it lacks are boxes, and nobody is warned about them under whichever cell is running."""
    with mpl.rc_context({"svg.fonttype": kind}):
        drawn = a_picture("日本 <script>alert(1)</script>")
    assert "<script" not in drawn
    assert kind == "path" or "□□ &lt;script&gt;" in drawn


def test_pictures_are_drawn_on_several_threads_at_once():
    """Each comes out as it does alone."""
    with ThreadPoolExecutor(4) as pool:
        pictures = list(pool.map(lambda number: shape(a_picture(f"p{number % 2}")), range(12)))
    assert set(pictures) == {shape(a_picture("p0")), shape(a_picture("p1"))}


def shape(markup: str) -> str:
    """A picture without the ids that are new each time."""
    return re.sub(r'(id=|#|url\(#)"?[\w-]+', "", markup)


def test_without_matplotlib_there_are_tables(dashboard, current, monkeypatch):
    """Where nothing can be drawn, it says so, and the numbers are there all the same."""
    monkeypatch.setattr(charts, "has_matplotlib", lambda: False)
    fill(current, 4)
    view = dashboard()
    assert "pip install matplotlib" in words(view.root)
    click(view.root, "Show the table")
    assert "<table" in words(view.root)


def test_a_page_without_widgets_tells_the_balance(current):
    """A terminal shows what is left, and the commands that do the rest."""
    current.balance()
    text = repr(codevf_nb.dashboard())
    assert "available: 100,000 credits" in text
    assert "%codevf spend" in text
