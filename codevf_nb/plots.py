"""Charts of spending and time to answer, like ``df.plot``: they take a frame and return matplotlib axes.

Each takes ``ax=`` (else it makes a figure of its own) and passes further keywords to matplotlib. Nothing global
changes: no style, no rcParams, and a figure that is given stays the caller's. Figures made here are transparent, and
every colour has contrast to a light and a dark page. Groups differ by hatching or dashes as well as by colour; if there
are too many to distinguish, the smallest ones are drawn as one, "4 others". Names of groups come from outside, so they
are never read as mathematics or TeX.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import pandas as pd

from codevf_nb.display import rendering as display
from codevf_nb.sdk.exceptions import BadRequestError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK: Final = "#767676"
COLOURS: Final = ("#3d7fc4", "#cf6a1c", "#3a8f5c", "#9467bd", "#c8524f", "#1f8f9b", "#8f7a2f", "#b8609a")
# Only lines: an SVG contains each hatching as an image, and hatchings of dots are large.
HATCHES: Final = ("", "///", "\\\\\\", "xxx", "---", "|||", "+++", "//--")
# The last four lines have markers, since eight kinds of dashes are hard to distinguish.
LINES: Final = tuple(zip(("-", "--", ":", "-.") * 2, [""] * 4 + ["o", "s", "^", "D"], strict=True))
OTHER: Final = "#7a7a7a"
# The most groups with a style of their own, and the most bars.
MOST_STYLES: Final = len(COLOURS)
MOST_BARS: Final = 15
# The longest name next to a bar, and in a legend, in characters.
LONGEST_NAME: Final = 28
LONGEST_IN_LEGEND: Final = 22
NOTHING: Final = "nothing to show yet"
UNNAMED: Final = "(none)"
ADD_UP: Final = ("credits_used", "credits_held", "questions")
RATES: Final = ("credits_per_answer",)
# matplotlib's options for text from outside.
FOREIGN: Final[dict[str, Any]] = {"parse_math": False, "usetex": False}

_INCHES = (7.0, 3.2)
_SECONDS = {"s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_MARKS = {"s": (1, 4, 15), "min": (1, 4, 15), "h": (1, 4), "d": (1, 4, 15, 60, 240)}
_MOST_MARKS = 6
# Of a legend: its characters per inch, and the width of a symbol with its margins in characters.
_LETTERS_PER_INCH = 17
_LETTERS_OF_A_SYMBOL = 7


class Group(NamedTuple):
    """Rows that are drawn as one, with their style: colour, hatching of areas, dashes and markers of lines."""

    name: str
    rows: pd.DataFrame
    colour: str
    hatch: str
    dashes: str
    mark: str


def spend_over_time(spend: pd.DataFrame, ax: Axes | None = None, **kwargs: Any) -> Axes:
    """Draw credits used per period as bars, one colour per group on top of each other.

    Args:
        spend: A frame from ``spend(freq=…)``.
        ax: The axes to draw on; None makes a figure.
        **kwargs: Passed to ``Axes.stairs``.

    Raises:
        BadRequestError: the frame has no periods, or holds credits of several environments.
    """
    if "period" not in spend:
        raise BadRequestError('this needs periods: spend(by="mode", freq="W").')
    axes = _axes(_one_environment(spend), ax, "credits used", "")
    begins = pd.DatetimeIndex(spend["period"].drop_duplicates().sort_values())
    edges, floor, drawn = _edges(begins), np.zeros(len(begins)), []
    for group in _styled(_groups(spend), lambda rows: float(rows["credits_used"].sum())):
        sums = group.rows.groupby("period")["credits_used"].sum()
        top = floor + sums.reindex(begins).to_numpy("float64", na_value=0.0)
        # Hatching is drawn in the colour of edges, which are none wide.
        look = {"color": group.colour, "hatch": group.hatch, "edgecolor": "#ffffff", "linewidth": 0}
        options = {**look, "label": group.name, "fill": True, **_spelled_out(kwargs)}
        # All bars of a group are one patch: a bar each takes seconds where there are hundreds of days.
        drawn.append(axes.stairs(_gapped(top), edges, baseline=np.repeat(floor, 2)[:-1], **options))
        floor = top
    if len(begins):
        axes.set_ylim(0, None if floor.any() else 1)  # nothing used yet is no reason for hundredths of a credit
        _dates(axes)
        _legend(axes, drawn)
    return axes


def spend_by(spend: pd.DataFrame, ax: Axes | None = None, column: str = "credits_used", **kwargs: Any) -> Axes:
    """Draw credits used per group as bars from left to right, the greatest first.

    Args:
        spend: A frame from ``spend(by=…)``.
        ax: The axes to draw on; None makes a figure.
        column: ``credits_used``, ``credits_held``, ``questions`` or ``credits_per_answer``.
        **kwargs: Passed to ``Axes.barh``.

    Raises:
        BadRequestError: the frame holds credits of several environments, or there is no such column to draw.
    """
    if column not in (*ADD_UP, *RATES):
        raise BadRequestError(f"this draws {', '.join((*ADD_UP, *RATES))}, not {column}.")
    if column in RATES and "period" in spend:
        raise BadRequestError(f"{column} of several periods doesn't add up: spend() without freq.")
    axes = _axes(_one_environment(spend), ax, "", column.replace("_", " "))
    sums = [(name, float(rows[column].sum())) for name, rows in _groups(spend) if rows[column].notna().any()]
    bars = _bars(sums, adds_up=column in ADD_UP)
    if bars:
        names, values = zip(*bars, strict=True)
        drawn = axes.barh(range(len(bars)), values, **{"color": COLOURS[0], **_spelled_out(kwargs)})
        axes.bar_label(drawn, [display.credits(value) for value in values], padding=3, color=INK)
        axes.set_yticks(range(len(bars)), names, **FOREIGN)
        axes.set_ylim(len(bars) - 0.5 - max(len(bars), 3), len(bars) - 0.5)  # one bar alone isn't a wall
        axes.margins(x=0.15)  # space for the numbers
        if not any(values):
            axes.set_xlim(0, 1)
    return axes


def time_to_answer(tasks: pd.DataFrame, by: str = "mode", ax: Axes | None = None, **kwargs: Any) -> Axes:
    """Draw the cumulative distribution of the time to answer, a line per group, on a logarithmic scale.

    Args:
        tasks: A frame from ``tasks()``.
        by: The column to group by.
        ax: The axes to draw on; None makes a figure.
        **kwargs: Passed to ``Axes.step``.
    """
    answered = tasks[tasks["answered_in"].notna()]
    axes = _axes(answered, ax, "answered", "time to answer")
    drawn = []
    for group in _styled(_parts(answered, [by]), len):
        seconds = np.sort(group.rows["answered_in"].dt.total_seconds().to_numpy("float64")).clip(min=1.0)
        parts = np.arange(1, len(seconds) + 1) / len(seconds)
        look = {"color": group.colour, "linestyle": group.dashes, "marker": group.mark, "markevery": 0.15}
        options = {**look, "label": f"{group.name} ({len(seconds):,})", "where": "post", **_spelled_out(kwargs)}
        drawn += axes.step(np.r_[seconds[:1], seconds], np.r_[0.0, parts], **options)
    if len(answered):
        _lengths(axes)
        _legend(axes, drawn)
    return axes


def _axes(frame: pd.DataFrame, ax: Axes | None, y: str, x: str) -> Axes:
    """Return axes with labels and few lines; without data they show a text that says so."""
    if ax is None:
        # By pyplot, as df.plot does it, since only its figures appear under a cell by themselves.
        from matplotlib import pyplot as plt

        figure, ax = plt.subplots(figsize=_INCHES, layout="constrained")
        figure.patch.set_alpha(0)
        ax.patch.set_alpha(0)
    ax.set(xlabel=x, ylabel=y)
    ax.tick_params(colors=INK)
    for part in (ax.xaxis.label, ax.yaxis.label, ax.title, ax.xaxis.get_offset_text(), ax.yaxis.get_offset_text()):
        part.set_color(INK)
    for side, spine in ax.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(INK)
    if frame.empty:
        ax.set(xticks=[], yticks=[])
        ax.text(0.5, 0.5, NOTHING, transform=ax.transAxes, ha="center", va="center", color=INK)
    return ax


def _one_environment(spend: pd.DataFrame) -> pd.DataFrame:
    """Check that credits of a sandbox and of a live account are not in one bar."""
    if "environment" in spend and spend["environment"].nunique() > 1:
        names = " and ".join(sorted(spend["environment"].dropna().unique()))
        raise BadRequestError(f'these are credits of {names}, which don\'t add up: frame.query("environment == …").')
    return spend


def _groups(spend: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """Return the groups of a spending frame by name; their columns are left of the numbers."""
    groups = list(spend.columns[: spend.columns.get_loc("questions")].difference(["period", "environment"], sort=False))
    return _parts(spend, groups) if groups else [("credits", spend)] * bool(len(spend))


def _parts(frame: pd.DataFrame, groups: list[str]) -> list[tuple[str, pd.DataFrame]]:
    parts: Any = frame.groupby(groups, sort=True, dropna=False, observed=True)
    return [
        (_name(" · ".join(UNNAMED if pd.isna(name) else str(name) for name in names)), part) for names, part in parts
    ]


def _name(name: str, most: int = LONGEST_NAME) -> str:
    """Return a group's name in one line, shortened so that the chart has enough space."""
    text = " ".join(display.plain(name).split())
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _styled(parts: Sequence[tuple[str, pd.DataFrame]], weight: Any) -> list[Group]:
    """Assign a style to each group; with too many groups, those of the least weight become one."""
    kept, rest = list(parts), []
    if len(parts) > MOST_STYLES:
        order = sorted(range(len(parts)), key=lambda at: -weight(parts[at][1]))
        most = set(order[: MOST_STYLES - 1])
        kept, rest = ([part for at, part in enumerate(parts) if (at in most) is these] for these in (True, False))
    groups = [
        Group(_name(name, LONGEST_IN_LEGEND), rows, colour, hatch, *line)
        for (name, rows), colour, hatch, line in zip(kept, COLOURS, HATCHES, LINES, strict=False)
    ]
    if rest:
        together = pd.concat([rows for _, rows in rest])
        groups.append(Group(f"{len(rest):,} others", together, OTHER, "", "-", ""))
    return groups


def _bars(sums: Sequence[tuple[str, float]], *, adds_up: bool) -> list[tuple[str, float]]:
    """Return the bars from bottom to top; the lowest one is the sum of those that are too many to show."""
    order = sorted(sums, key=lambda bar: -bar[1])
    if len(order) > MOST_BARS:
        rest = order[MOST_BARS - 1 :]
        summed = (f"{len(rest):,} others", sum(value for _, value in rest))
        order = [*order[: MOST_BARS - 1], summed] if adds_up else order[:MOST_BARS]
    return order[::-1]


def _spelled_out(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Replace matplotlib's short keyword names by the long ones, so that c= overrides color=."""
    short = {"c": "color", "ls": "linestyle", "lw": "linewidth", "ec": "edgecolor", "fc": "facecolor"}
    return {short.get(name, name): value for name, value in kwargs.items()}


def _edges(begins: pd.DatetimeIndex) -> Any:
    """Return where each bar begins and ends: its period but for a gap; the last is as long as the one before it."""
    starts = begins.tz_localize(None).to_numpy()
    lengths = np.diff(starts)
    last = lengths[-1:] if len(lengths) else np.array([np.timedelta64(1, "D")])
    ends = starts + np.r_[lengths, last[: len(starts)]].astype("m8[us]") * 0.9
    return np.column_stack([starts, ends]).ravel()


def _gapped(heights: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return heights with nothing between them."""
    return np.insert(heights, range(1, len(heights)), np.nan)


def _dates(axes: Axes) -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    locator = AutoDateLocator(maxticks=8)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]


def _lengths(axes: Axes) -> None:
    """Label durations with units, and fractions in percent."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator, PercentFormatter

    axes.set_xscale("log")
    least, most = axes.get_xlim()
    marks = [count * _SECONDS[unit] for unit, counts in _MARKS.items() for count in counts]
    marks = [mark for mark in marks if least <= mark <= most]
    axes.xaxis.set_major_locator(FixedLocator(marks[:: -(-len(marks) // _MOST_MARKS) or 1]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda seconds, _at: _length(seconds)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.set_ylim(0, 1.02)


def _length(seconds: float) -> str:
    name, unit = max(((name, unit) for name, unit in _SECONDS.items() if unit <= max(seconds, 1)), key=lambda it: it[1])
    return f"{seconds / unit:g} {name}"


def _legend(axes: Axes, drawn: Sequence[Any]) -> None:
    """Draw the legend above the chart, in as many columns as fit."""
    names = [str(handle.get_label()) for handle in drawn]
    available = axes.get_window_extent().width / axes.figure.dpi * _LETTERS_PER_INCH
    # A name is put in afterwards: one that begins with _ would be left out.
    legend = axes.legend(
        drawn,
        [str(number) for number in range(len(names))],
        loc="lower left",
        bbox_to_anchor=(0, 1),
        ncols=max(count for count in range(1, 5) if count == 1 or _width(names, count) <= available),
        fontsize="small",
        columnspacing=1.2,
        frameon=False,
        labelcolor=INK,
    )
    for text, name in zip(legend.get_texts(), names, strict=True):
        text.set(text=name, **FOREIGN)


def _width(names: Sequence[str], columns: int) -> int:
    """Return the approximate width of a legend in characters: the longest name and the symbol of each column."""
    return sum(max(map(len, column)) + _LETTERS_OF_A_SYMBOL for column in np.array_split(names, columns) if len(column))
