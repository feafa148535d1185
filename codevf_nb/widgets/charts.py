"""Frames of spending as pictures that are readable in light and in dark: text and axes take the page's own colour.

Names in them are foreign text. They are drawn as outlines, not as text, with mathematics off; groups are told apart by
hatching as well as by colour. No figure is known to pyplot, so a notebook's own figures are left alone.
"""

from __future__ import annotations

import html
import io
import re
import warnings
from collections.abc import Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from codevf_nb import display

if TYPE_CHECKING:
    import pandas as pd

# Each has a contrast of 3 and more on white and on the darkest page there is.
COLOURS = ("#1f77b4", "#d95f02", "#1b9e77", "#7570b3", "#e7298a", "#767676")
HATCHES = ("", "///", "...", "xxx", "---", "ooo")
# What is drawn in this colour takes that of the page's text.
_INK = "#010203"
_INCHES = (5.6, 2.7)
# Groups that are shown one by one; all others make one more.
MOST = 5


def there_is_matplotlib() -> bool:
    """Whether anything can be drawn."""
    return find_spec("matplotlib") is not None


def bars(names: Sequence[str], values: Sequence[float], unit: str, title: str) -> str:
    """Return one bar per group, the largest on top, as SVG."""
    figure, axes = _empty()
    places = range(len(names))
    drawn = axes.barh(places, values, color=COLOURS[0], edgecolor=_INK, linewidth=0.5)
    axes.bar_label(drawn, labels=[display.credits(value) for value in values], padding=3, color=_INK, fontsize=9)
    axes.set_yticks(list(places), [_short(name) for name in names], parse_math=False)
    axes.set_ylim(max(len(names), 3) - 0.5, -0.5)  # one bar alone isn't a wall
    axes.margins(x=0.15)
    axes.set_xlabel(unit)
    return _svg(figure, title)


def over_time(frame: pd.DataFrame, by: str, title: str) -> str:
    """Return the credits used per period, a stack of groups in each bar, as SVG."""
    figure, axes = _empty()
    periods = sorted(frame["period"].unique())
    below = [0.0] * len(periods)
    for number, (name, group) in enumerate(frame.groupby(by, sort=False, dropna=False)):
        used = group.set_index("period")["credits_used"]
        heights = [float(used.get(period, 0.0)) for period in periods]
        look = {"color": COLOURS[number % len(COLOURS)], "hatch": HATCHES[number % len(HATCHES)], "edgecolor": _INK}
        axes.bar(range(len(periods)), heights, bottom=below, linewidth=0.5, label=f" {_short(name)}", **look)
        below = [height + base for height, base in zip(heights, below, strict=True)]
    step = max(1, -(-len(periods) // 6))
    axes.set_xticks(range(0, len(periods), step), [f"{period:%d %b}" for period in periods[::step]])
    axes.set_ylabel("credits")
    if periods:
        legend = axes.legend(frameon=False, fontsize=9, loc="upper left", bbox_to_anchor=(1, 1), labelcolor=_INK)
        for text in legend.get_texts():
            text.set_parse_math(False)
    return _svg(figure, title)


def _empty() -> tuple[Any, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=_INCHES, layout="constrained")
    figure.patch.set_alpha(0)
    axes = figure.add_subplot()
    axes.patch.set_alpha(0)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(_INK)
    axes.tick_params(colors=_INK, labelsize=9)
    for label in (axes.xaxis.label, axes.yaxis.label):
        label.set_color(_INK)
        label.set_fontsize(9)
    return figure, axes


def _short(name: object) -> str:
    text = " ".join(display.plain(str(name)).split())
    return text if len(text) <= 22 else f"{text[:21]}…"


def _svg(figure: Any, title: str) -> str:
    from matplotlib import rc_context

    drawn = io.StringIO()
    with warnings.catch_warnings(), rc_context({"svg.fonttype": "path", "hatch.linewidth": 0.6}):
        warnings.filterwarnings("ignore", message="Glyph .* missing", category=UserWarning)
        figure.savefig(drawn, format="svg")
    markup = drawn.getvalue()
    markup = markup[markup.index("<svg") :]
    markup = re.sub(r"<!--.*?-->|<metadata>.*?</metadata>|<style.*?</style>", "", markup, flags=re.DOTALL)
    markup = markup.replace(_INK, "currentColor")
    size = f'width="100%" style="max-width:{_INCHES[0]}in;height:auto" role="img" aria-label="{html.escape(title)}"'
    markup = re.sub(r'<svg[^>]*?(viewBox="[^"]*")[^>]*>', rf"<svg \1 {size}>", markup, count=1)
    return f'<div style="color:var(--jp-ui-font-color1,currentColor)">{markup}</div>'
