"""Pictures of spending: what is drawn is what the frame says, and nothing else is touched."""

from datetime import UTC, datetime
from itertools import pairwise

import matplotlib as mpl
import matplotlib.colors
import matplotlib.pyplot as plt
import pytest
from matplotlib.figure import Figure

from codevf_nb import frames, plots
from codevf_nb.ledger import MemoryStore
from codevf_nb.sdk.exceptions import BadRequestError
from tests.frames.history import DAY, History

MONDAY = datetime(2026, 1, 5, tzinfo=UTC).timestamp()
LIVE = frames.Where("live-1")


@pytest.fixture(autouse=True)
def _nothing_stays(monkeypatch):
    """No test sees another's figures, and none opens a window."""
    mpl.use("agg")
    yield
    plt.close("all")


@pytest.fixture
def store() -> MemoryStore:
    store = MemoryStore()
    past = History(store)
    for week, mode in enumerate(("fast", "standard", "fast")):
        past.answered(MONDAY + week * 7 * DAY, used=100.0 * (week + 1), took=60.0 * (week + 1), mode=mode)
    past.answered(MONDAY, used=5.0, mode=None)
    History(store, "sandbox", "sandbox").answered(MONDAY, used=9000.0)
    return store


def drawn(ax: Figure) -> None:
    """Render it, as a notebook would."""
    ax.figure.canvas.draw()


def test_bars_over_time_are_the_frames_sums(store):
    """A colour per group, stacked; weeks side by side where they lie in time."""
    ax = plots.spend_over_time(frames.spend(store, LIVE, "mode", "W"))
    drawn(ax)
    heights = {group.get_label(): [bar.get_height() for bar in group] for group in ax.containers}
    assert heights == {"fast": [100.0, 0.0, 300.0], "standard": [0.0, 200.0, 0.0], plots.UNNAMED: [5.0, 0.0, 0.0]}
    assert [bar.get_y() for bar in ax.containers[2]] == [100.0, 200.0, 300.0], "on top of each other"
    lefts = [bar.get_x() for bar in ax.containers[0]]
    assert [right - left for left, right in pairwise(lefts)] == [7.0, 7.0]


def test_bars_by_group_show_the_greatest_first(store):
    """At the top, where one begins to read."""
    ax = plots.spend_by(frames.spend(store, LIVE, ("project", "mode")))
    drawn(ax)
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert labels == ["shop · (none)", "shop · standard", "shop · fast"]
    assert [bar.get_width() for bar in ax.containers[0]] == [5.0, 200.0, 400.0]


def test_time_to_answer_is_a_rising_line_per_group(store):
    """It ends at all of them, at the longest; who has no answer isn't counted."""
    History(store).ask(MONDAY + 99)
    ax = plots.time_to_answer(frames.tasks(store, LIVE))
    drawn(ax)
    lines = {line.get_label(): line.get_xydata().tolist() for line in ax.lines}
    assert lines["fast (2)"] == [[60.0, 0.0], [60.0, 0.5], [180.0, 1.0]]
    assert sum(len(line) - 1 for line in lines.values()) == 4


EMPTY = frames.Where("nobody")
DRAW = {
    "spend_over_time": lambda store, where, **kwargs: plots.spend_over_time(
        frames.spend(store, where, "mode", "W"), **kwargs
    ),
    "spend_by": lambda store, where, **kwargs: plots.spend_by(frames.spend(store, where), **kwargs),
    "time_to_answer": lambda store, where, **kwargs: plots.time_to_answer(frames.tasks(store, where), **kwargs),
}
each_plot = pytest.mark.parametrize("draw", DRAW.values(), ids=DRAW)


@each_plot
def test_an_empty_frame_says_so(store, draw):
    """An honest empty picture, not an error and not a scale that means nothing."""
    ax = draw(store, EMPTY)
    drawn(ax)
    assert [text.get_text() for text in ax.texts] == [plots.NOTHING]
    assert not ax.containers
    assert not ax.lines


@each_plot
def test_the_callers_axes_are_used_and_nothing_else_is(store, draw):
    """No figure is opened beside them, no setting changed, and the current axes stay the caller's."""
    settings = dict(mpl.rcParams)
    ax = Figure().add_subplot()
    assert draw(store, LIVE, ax=ax) is ax
    assert plt.get_fignums() == []
    assert dict(mpl.rcParams) == settings


@each_plot
def test_keywords_are_matplotlibs(store, draw):
    """Whatever one wants otherwise is said as it is said to matplotlib."""
    ax = draw(store, LIVE, color="#123456", alpha=0.5)
    parts = [*ax.lines, *(bar for group in ax.containers for bar in group)]
    assert {
        matplotlib.colors.to_hex((part.get_color if part in ax.lines else part.get_facecolor)()) for part in parts
    } == {"#123456"}


def contrast(one: str, other: str) -> float:
    """WCAG's contrast of two colours, 1 to 21."""

    def luminance(colour: str) -> float:
        channels = matplotlib.colors.to_rgb(colour)
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("page", ["#ffffff", "#111111", "#0d1117"])
def test_it_can_be_read_on_light_and_dark_pages(page):
    """Text stands out by 4 to 1, areas by 3 to 1."""
    assert contrast(plots.INK, page) >= 4
    assert all(contrast(colour, page) >= 3 for colour in plots.COLOURS)


def test_what_does_not_add_up_is_refused(store):
    """Live and sandbox credits in one bar, and time without periods."""
    everywhere = frames.spend(store, frames.Where(), "mode", "W")
    with pytest.raises(BadRequestError, match="live and sandbox, which don't add up"):
        plots.spend_over_time(everywhere)
    with pytest.raises(BadRequestError, match="live and sandbox"):
        plots.spend_by(everywhere)
    assert plots.spend_by(everywhere[everywhere["environment"] == "live"]).containers
    with pytest.raises(BadRequestError, match="needs periods"):
        plots.spend_over_time(frames.spend(store, LIVE))
