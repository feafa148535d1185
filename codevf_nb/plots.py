"""Spending and waiting as pictures, in the habit of ``df.plot``: a frame goes in, matplotlib's axes come out.

Each takes ``ax=`` (else it makes a figure of its own) and hands further keywords on to matplotlib. Nothing global is
touched: no style, no rcParams, and a figure that is given stays the caller's. Figures made here are transparent, and
every colour stands out against a white page and a dark one alike.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from codevf_nb.sdk.exceptions import BadRequestError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK: Final = "#767676"
COLOURS: Final = ("#3d7fc4", "#cf6a1c", "#3a8f5c", "#9467bd", "#c8524f", "#1f8f9b", "#8f7a2f", "#b8609a")
NOTHING: Final = "nothing to show yet"
UNNAMED: Final = "(none)"

_INCHES = (7.0, 3.2)
_SECONDS = {"s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}


def spend_over_time(spend: pd.DataFrame, ax: Axes | None = None, **kwargs: Any) -> Axes:
    """Draw credits used per period as bars, one colour per group on top of each other.

    ``spend``: a frame from ``spend(freq=…)``; ``kwargs`` go to ``Axes.bar``.

    Raises:
        BadRequestError: the frame has no periods, or holds credits of several environments.
    """
    if "period" not in spend:
        raise BadRequestError('this needs periods: spend(by="mode", freq="W").')
    axes = _axes(_one_environment(spend), ax, "credits used", "")
    begins = pd.DatetimeIndex(spend["period"].drop_duplicates().sort_values()).tz_localize(None)
    floor = np.zeros(len(begins))
    for (name, part), colour in zip(_groups(spend), _colours(), strict=False):
        heights = part.groupby("period")["credits_used"].sum().to_numpy("float64")
        options = {"color": colour, "label": name, "width": _widths(begins), "align": "edge", **kwargs}
        axes.bar(begins.to_numpy(), heights, bottom=floor, **options)
        floor = floor + heights
    if len(begins):
        _dates(axes)
        _legend(axes)
    return axes


def spend_by(spend: pd.DataFrame, ax: Axes | None = None, **kwargs: Any) -> Axes:
    """Draw credits used per group as bars from left to right, the greatest first.

    ``spend``: a frame from ``spend(by=…)``; ``kwargs`` go to ``Axes.barh``.

    Raises:
        BadRequestError: the frame holds credits of several environments.
    """
    axes = _axes(_one_environment(spend), ax, "", "credits used")
    sums = {name: float(part["credits_used"].sum()) for name, part in _groups(spend)}
    names = sorted(sums, key=lambda name: sums[name])
    if names:
        axes.barh(names, [sums[name] for name in names], **{"color": COLOURS[0], **kwargs})
    return axes


def time_to_answer(tasks: pd.DataFrame, by: str = "mode", ax: Axes | None = None, **kwargs: Any) -> Axes:
    """Draw which part of the questions had its answer within which time, a line per group, on a logarithmic scale.

    ``tasks``: a frame from ``tasks()``; ``by``: one of its columns; ``kwargs`` go to ``Axes.step``.
    """
    answered = tasks[tasks["answered_in"].notna()]
    axes = _axes(answered, ax, "answered", "time to answer")
    for (name, part), colour in zip(_parts(answered, [by]), _colours(), strict=False):
        seconds = np.sort(part["answered_in"].dt.total_seconds().to_numpy("float64")).clip(min=1.0)
        parts = np.arange(1, len(seconds) + 1) / len(seconds)
        options = {"color": colour, "label": f"{name} ({len(seconds):,})", "where": "post", **kwargs}
        axes.step(np.r_[seconds[:1], seconds], np.r_[0.0, parts], **options)
    if len(answered):
        _lengths(axes)
        _legend(axes)
    return axes


def _axes(frame: pd.DataFrame, ax: Axes | None, y: str, x: str) -> Axes:
    """Return axes with names and without clutter; where there is nothing to draw they say so."""
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
    """Credits of a sandbox and of a live account must not end up in one bar."""
    if "environment" in spend and spend["environment"].nunique() > 1:
        names = " and ".join(sorted(spend["environment"].dropna().unique()))
        raise BadRequestError(f'these are credits of {names}, which don\'t add up: frame.query("environment == …").')
    return spend


def _groups(spend: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Return the groups of a frame of spending, each with its name: the columns left of the numbers."""
    groups = list(spend.columns[: spend.columns.get_loc("questions")].difference(["period", "environment"], sort=False))
    return _parts(spend, groups) if groups else iter([("credits", spend)] if len(spend) else [])


def _parts(frame: pd.DataFrame, groups: list[str]) -> Iterator[tuple[str, pd.DataFrame]]:
    for names, part in frame.groupby(groups, sort=True, dropna=False, observed=True):
        yield " · ".join(UNNAMED if name is pd.NA else str(name) for name in names), part


def _colours() -> Iterator[str]:
    while True:
        yield from COLOURS


def _widths(begins: pd.DatetimeIndex) -> Any:
    """Return how wide each period is, with a gap; the last is as wide as the one before it, one alone a day."""
    widths = np.diff(begins.to_numpy())
    last = widths[-1:] if len(widths) else np.array([np.timedelta64(1, "D")])
    return np.r_[widths, last].astype("m8[us]") * 0.9


def _dates(axes: Axes) -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    locator = AutoDateLocator(maxticks=8)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]


def _lengths(axes: Axes) -> None:
    """Name lengths of time as people do, and parts in percent."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter, PercentFormatter

    axes.set_xscale("log")
    marks = [count * unit for unit in _SECONDS.values() for count in (1, 4, 15) if count * unit < unit * 60]
    axes.xaxis.set_major_locator(FixedLocator(sorted(set(marks))))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda seconds, _at: _length(seconds)))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.set_ylim(0, 1.02)


def _length(seconds: float) -> str:
    name, unit = max(((name, unit) for name, unit in _SECONDS.items() if unit <= max(seconds, 1)), key=lambda it: it[1])
    return f"{seconds / unit:g} {name}"


def _legend(axes: Axes) -> None:
    # Above, where it covers nothing.
    axes.legend(frameon=False, labelcolor=INK, loc="lower left", bbox_to_anchor=(0, 1), ncols=4)
