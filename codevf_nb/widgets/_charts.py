"""Charts of ``plots`` as SVG for a page. One picture fits light and dark themes: text and axes use the page's colour.

They are drawn on the thread of the job queue, so nothing in matplotlib that threads share is changed: neither its
settings nor the warning filters, and pyplot has no figure of them.
"""

from __future__ import annotations

import html
import io
import re
from collections.abc import Callable
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from codevf_nb import plots

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# The width of a dashboard card on a page of 1280 pixels, so that letters keep their size.
_INCHES = (4.4, 2.9)
# Replaces characters that the font does not have; matplotlib would print a warning under the running cell.
_NO_LETTER = "□"


def has_matplotlib() -> bool:
    """Whether charts can be drawn."""
    return find_spec("matplotlib") is not None


def picture(draw: Callable[[Axes], object], title: str) -> str:
    """Return a chart as SVG. Names in it are outlines, or escaped text if matplotlib is configured so."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=_INCHES, layout="constrained")
    figure.patch.set_alpha(0)
    axes = figure.add_subplot()
    axes.patch.set_alpha(0)
    draw(axes)
    _replace_missing_letters(axes)
    return _svg(figure, title)


def _replace_missing_letters(axes: Axes) -> None:
    """Replace characters in group names that the font does not have."""
    from matplotlib.font_manager import FontProperties, findfont, get_font

    letters = get_font(findfont(FontProperties())).get_charmap()

    def spelled(text: str) -> str:
        return "".join(char if ord(char) in letters else _NO_LETTER for char in text)

    legend = axes.get_legend()
    for name in legend.get_texts() if legend else ():
        name.set_text(spelled(name.get_text()))
    names = [label.get_text() for label in axes.get_yticklabels()]
    if axes.containers and not legend:
        axes.set_yticks(axes.get_yticks(), [spelled(name) for name in names], **plots.FOREIGN)


def _svg(figure: Any, title: str) -> str:
    drawn = io.StringIO()
    figure.savefig(drawn, format="svg", facecolor="none")
    markup = drawn.getvalue()
    markup = markup[markup.index("<svg") :]
    markup = re.sub(r"<!--.*?-->|<metadata>.*?</metadata>|<style.*?</style>", "", markup, flags=re.DOTALL)
    markup = markup.replace(plots.INK, "currentColor")
    size = f'width="100%" style="max-width:{_INCHES[0]}in;height:auto" role="img" aria-label="{html.escape(title)}"'
    markup = re.sub(r'<svg[^>]*?(viewBox="[^"]*")[^>]*>', rf"<svg \1 {size}>", markup, count=1)
    return f'<div style="color:var(--jp-ui-font-color1,currentColor)">{markup}</div>'
