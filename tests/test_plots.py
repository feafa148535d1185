"""Pictures of spending: what is drawn is what the frame says, and nothing else is touched."""

from datetime import UTC, datetime
from itertools import pairwise

import matplotlib as mpl
import matplotlib.colors
import matplotlib.pyplot as plt
import pytest
from matplotlib.figure import Figure

from codevf_nb import analysis, plots
from codevf_nb.ledger import MemoryStore
from codevf_nb.sdk.exceptions import BadRequestError
from tests.frames.history import DAY, History

MONDAY = datetime(2026, 1, 5, tzinfo=UTC).timestamp()
LIVE = analysis.Filters("live-1")


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


def stacked(ax) -> dict[str, list[tuple[float, float]]]:
    """Where each bar of each group begins and ends, from below."""
    return {
        group.get_label(): list(zip(group.get_data().baseline[::2], group.get_data().values[::2], strict=True))
        for group in ax.patches
    }


def test_bars_over_time_are_the_frames_sums(store):
    """A colour per group, stacked; weeks side by side where they lie in time, with a gap between them."""
    ax = plots.spend_over_time(analysis.spend(store, LIVE, "mode", "W"))
    drawn(ax)
    assert stacked(ax) == {
        "fast": [(0, 100), (0, 0), (0, 300)],
        "standard": [(100, 100), (0, 200), (300, 300)],
        plots.UNNAMED: [(100, 105), (200, 200), (300, 300)],
    }
    edges = ax.patches[0].get_data().edges
    assert [right - left for left, right in pairwise(edges[::2])] == [7.0, 7.0]
    assert [right - left for left, right in zip(edges[::2], edges[1::2], strict=True)] == pytest.approx([6.3] * 3)


def legend(ax) -> list[str]:
    return [text.get_text() for text in ax.get_legend().get_texts()]


def many(count: int) -> MemoryStore:
    """Projects p0, p1, … each of which cost more than the one before, and took longer to be answered."""
    store = MemoryStore()
    past = History(store)
    for number in range(count):
        for _ in range(number + 1):
            past.answered(MONDAY, used=10.0, took=60.0 * (number + 1), project=f"p{number:02}")
    return store


@pytest.mark.parametrize(("count", "looks"), [(8, 8), (9, 8), (30, 8)])
def test_groups_are_told_apart_without_their_colours(count, looks):
    """Up to eight have a hatching or a kind of line each; of more, the least are one group, and nothing is lost."""
    store = many(count)
    areas = plots.spend_over_time(analysis.spend(store, LIVE, "project", "W"))
    lines = plots.time_to_answer(analysis.tasks(store, LIVE), "project")
    assert len(areas.patches) == len(lines.lines) == looks
    named = areas.patches if count <= 8 else areas.patches[:-1]
    assert len({patch.get_hatch() for patch in named}) == len(named)
    assert len({(line.get_linestyle(), line.get_marker()) for line in lines.lines[: len(named)]}) == len(named)
    assert stacked(areas)[legend(areas)[-1]][0][1] == 10.0 * count * (count + 1) / 2
    if count > 8:
        least = count - 7
        assert legend(areas)[-1] == f"{least} others"
        assert legend(lines)[-1] == f"{least} others ({least * (least + 1) // 2:,})"
        assert areas.patches[-1].get_facecolor() == matplotlib.colors.to_rgba(plots.OTHER)
        assert legend(areas)[:-1] == [f"p{number:02}" for number in range(least, count)]


def test_bars_that_are_too_many_are_one_at_the_bottom():
    """The greatest by name, then the sum of the others; a rate has no sum, so its least are left out."""
    table = analysis.spend(many(20), LIVE, "project")
    ax = plots.spend_by(table)
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert (labels[0], labels[1], labels[-1]) == ("6 others", "p06", "p19")
    assert sum(bar.get_width() for bar in ax.containers[0]) == table["credits_used"].sum()
    rates = plots.spend_by(table, column="credits_per_answer")
    assert [bar.get_width() for bar in rates.containers[0]] == [10.0] * 15


def test_another_column_can_be_drawn(store):
    """Each bar has its number beside it; what isn't known has no bar."""
    History(store).ask(MONDAY, mode="realtime_answer", cap=500)
    table = analysis.spend(store, LIVE, "mode")
    held = plots.spend_by(table, column="credits_held")
    assert held.get_xlabel() == "credits held"
    assert [text.get_text() for text in held.texts][-1] == "500"
    assert len(plots.spend_by(table, column="credits_per_answer").containers[0]) == 3
    with pytest.raises(BadRequestError, match="not share"):
        plots.spend_by(table, column="share")
    with pytest.raises(BadRequestError, match="several periods"):
        plots.spend_by(analysis.spend(store, LIVE, "mode", "W"), column="credits_per_answer")


FOREIGN = ("$x_{", "$x$", r"\input{a}", "_hidden", "a\nb\x1b[31m\u202e", "long " * 50, "100% & #1")


@pytest.mark.parametrize("usetex", [False, True])
def test_names_are_never_read_as_mathematics_or_tex(usetex):
    """A project may be called anything: it is drawn, in one line, as it is, also where matplotlib is set to use TeX."""
    store = MemoryStore()
    past = History(store)
    for name in FOREIGN:
        past.answered(MONDAY, project=name)
    shown = {"$x_{", "$x$", r"\input{a}", "_hidden", "a b�[31m�", "100% & #1"}
    long = "long " * 9
    with mpl.rc_context({"text.usetex": usetex}):
        areas = plots.spend_over_time(analysis.spend(store, LIVE, "project", "W"))
        bars = plots.spend_by(analysis.spend(store, LIVE, "project"))
        lines = plots.time_to_answer(analysis.tasks(store, LIVE), "project")
    assert set(legend(areas)) == {*shown, long[:21] + "…"}
    assert {name.removesuffix(" (1)") for name in legend(lines)} == {*shown, long[:21] + "…"}
    assert {label.get_text() for label in bars.get_yticklabels()} == {*shown, long[:27] + "…"}
    texts = [*areas.get_legend().get_texts(), *lines.get_legend().get_texts(), *bars.get_yticklabels()]
    assert not any(text.get_usetex() or text.get_parse_math() for text in texts)
    if not usetex:
        for ax in (areas, bars, lines):
            drawn(ax)


def test_nothing_is_cut_off_by_the_figures_edge():
    """Long names and many of them: whatever is drawn stands inside its figure."""
    store = MemoryStore()
    past = History(store)
    for number in range(12):
        past.answered(
            MONDAY + number * DAY, used=123456.78, took=3.0**number, project=f"project with a long name {number}"
        )
    for ax in (
        plots.spend_over_time(analysis.spend(store, LIVE, "project", "D")),
        plots.spend_by(analysis.spend(store, LIVE, "project")),
        plots.time_to_answer(analysis.tasks(store, LIVE), "project"),
    ):
        drawn(ax)
        box, figure = ax.get_tightbbox(), ax.figure.bbox
        assert box.x0 >= 0
        assert box.y0 >= 0
        assert box.x1 <= figure.width
        assert box.y1 <= figure.height
        assert ax.get_window_extent().height > figure.height / 3, "the picture itself has room"


def test_bars_by_group_show_the_greatest_first(store):
    """At the top, where one begins to read."""
    ax = plots.spend_by(analysis.spend(store, LIVE, ("project", "mode")))
    drawn(ax)
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert labels == ["shop · (none)", "shop · standard", "shop · fast"]
    assert [bar.get_width() for bar in ax.containers[0]] == [5.0, 200.0, 400.0]


def test_time_to_answer_is_a_rising_line_per_group(store):
    """It ends at all of them, at the longest; who has no answer isn't counted."""
    History(store).ask(MONDAY + 99)
    ax = plots.time_to_answer(analysis.tasks(store, LIVE))
    drawn(ax)
    lines = {line.get_label(): line.get_xydata().tolist() for line in ax.lines}
    assert lines["fast (2)"] == [[60.0, 0.0], [60.0, 0.5], [180.0, 1.0]]
    assert sum(len(line) - 1 for line in lines.values()) == 4


EMPTY = analysis.Filters("nobody")
DRAW = {
    "spend_over_time": lambda store, where, **kwargs: plots.spend_over_time(
        analysis.spend(store, where, "mode", "W"), **kwargs
    ),
    "spend_by": lambda store, where, **kwargs: plots.spend_by(analysis.spend(store, where), **kwargs),
    "time_to_answer": lambda store, where, **kwargs: plots.time_to_answer(analysis.tasks(store, where), **kwargs),
}
each_plot = pytest.mark.parametrize("draw", DRAW.values(), ids=DRAW)


@each_plot
def test_an_empty_frame_says_so(store, draw):
    """An honest empty picture, not an error and not a scale that means nothing."""
    ax = draw(store, EMPTY)
    drawn(ax)
    assert [text.get_text() for text in ax.texts] == [plots.NOTHING]
    assert not ax.patches
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
    parts = [*ax.lines, *ax.patches]
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


@pytest.mark.parametrize("used", [0.0, 12.0])
def test_an_axis_of_credits_begins_at_nothing(used):
    """Before anything is used it goes up to one credit, not to hundredths of one."""
    store = MemoryStore()
    History(store).answered(MONDAY, used=used)
    over_time = plots.spend_over_time(analysis.spend(store, LIVE, "mode", "D")).get_ylim()
    by_mode = plots.spend_by(analysis.spend(store, LIVE, "mode")).get_xlim()
    if used:
        assert over_time[0] == by_mode[0] == 0
        assert min(over_time[1], by_mode[1]) > used
    else:
        assert over_time == by_mode == (0, 1)


@pytest.mark.parametrize("page", ["#ffffff", "#111111", "#0d1117"])
def test_it_can_be_read_on_light_and_dark_pages(page):
    """Text stands out by 4 to 1, areas by 3 to 1."""
    assert contrast(plots.INK, page) >= 4
    assert all(contrast(colour, page) >= 3 for colour in (*plots.COLOURS, plots.OTHER))


def test_what_does_not_add_up_is_refused(store):
    """Live and sandbox credits in one bar, and time without periods."""
    everywhere = analysis.spend(store, analysis.Filters(), "mode", "W")
    with pytest.raises(BadRequestError, match="live and sandbox, which don't add up"):
        plots.spend_over_time(everywhere)
    with pytest.raises(BadRequestError, match="live and sandbox"):
        plots.spend_by(everywhere)
    assert plots.spend_by(everywhere[everywhere["environment"] == "live"]).containers
    with pytest.raises(BadRequestError, match="needs periods"):
        plots.spend_over_time(analysis.spend(store, LIVE))
