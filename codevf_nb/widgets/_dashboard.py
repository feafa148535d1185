"""The dashboard: balance, budgets, spending by group, and time to answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import ipywidgets

from codevf_nb import analysis, plots
from codevf_nb.display import rendering as display
from codevf_nb.sdk.exceptions import CodeVFError
from codevf_nb.sdk.models import CreditBalance
from codevf_nb.widgets import _charts as charts
from codevf_nb.widgets import _fallbacks as fallbacks
from codevf_nb.widgets import view_registry
from codevf_nb.widgets._controls import (
    COLUMN,
    TextLines,
    button,
    heading,
    preformatted,
    reporting_errors,
)
from codevf_nb.widgets._job_queue import job_queue

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from codevf_nb.session import Session

PERIODS = (("last 7 days", 7), ("last 30 days", 30), ("last 90 days", 90), ("all time", 0))
STEPS = (("per day", "D"), ("per week", "W"), ("per month", "M"))
GROUPS = ("mode", "tag", "project")
_LABEL = {"description_width": "auto"}
_FIELD = {"width": "auto", "flex": "1 1 14em", "min_width": "0"}


@dataclass(frozen=True)
class Choice:
    """The selected period (``since`` None: all time), grouping and time steps."""

    since: datetime | None
    by: str
    freq: str

    @property
    def _since(self) -> str:
        return f', since="{self.since:%Y-%m-%d}"' if self.since else ""

    def spend(self, *, steps: bool = False) -> str:
        """Return the Python call that returns the frame of spending."""
        freq = f', freq="{self.freq}"' if steps else ""
        return f'cvf.spend(by=["{self.by}"]{freq}{self._since})'

    def tasks(self) -> str:
        """Return the Python call that returns the frame of questions."""
        return f"cvf.tasks({self._since.removeprefix(', ')})"


class Card:
    """A chart with its heading, and a button that shows the table of its data."""

    def __init__(self, title: str, failed: TextLines) -> None:
        self._title = title
        self._frame: pd.DataFrame | None = None
        self._calls = ""
        self._picture = ipywidgets.HTML()
        self._table = ipywidgets.HTML()
        self._open = False
        self._button = button(
            "Show the table", f"The numbers behind: {title}", reporting_errors(self._toggle, failed.set_lines)
        )
        parts = [heading(title), self._picture, self._button, self._table]
        self.widget = ipywidgets.VBox(parts, layout={**COLUMN, "flex": "1 1 24em", "margin": "0 0 1em"})

    def show(self, frame: pd.DataFrame, draw: Callable[[Axes], object], *calls: str) -> None:
        """Draw a chart; ``frame`` is its data, ``calls`` are the Python calls that return the same."""
        self._frame, self._calls = frame, "\n".join(calls)
        if frame.empty:
            self._picture.value = "<div>nothing was asked in this period</div>"
        elif charts.has_matplotlib():
            self._picture.value = charts.picture(draw, self._title)
        else:
            self._picture.value = "<div>pip install matplotlib draws this; the table has the numbers</div>"
        self._draw_table()

    def _toggle(self) -> None:
        self._open = not self._open
        self._button.description = "Hide the table" if self._open else "Show the table"
        self._draw_table()

    def _draw_table(self) -> None:
        if not self._open or self._frame is None:
            self._table.value = ""
            return
        frame = self._frame
        if "period" in frame:
            frame = frame.assign(period=frame["period"].dt.strftime("%Y-%m-%d"))
        table = frame.to_html(index=False, max_rows=60, border=0, float_format=lambda value: f"{value:,.2f}")
        self._table.value = preformatted(self._calls, "The calls") + scrolling(display.plain(table), self._title)


class Dashboard:
    """Balance and budgets, and four charts of a selected period and grouping."""

    display_id = ""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._message = TextLines(spoken=True)
        self._money = TextLines(strong=True)
        self._budgets = TextLines()
        self._since = ipywidgets.Dropdown(
            description="Period", style=_LABEL, options=PERIODS, value=30, layout=dict(_FIELD)
        )
        self._by = ipywidgets.Dropdown(
            description="Group by", style=_LABEL, options=GROUPS, value="mode", layout=dict(_FIELD)
        )
        self._freq = ipywidgets.Dropdown(
            description="Steps", style=_LABEL, options=STEPS, value="D", layout=dict(_FIELD)
        )
        self._controls = [self._since, self._by, self._freq]
        self._over_time, self._used, self._per_answer, self._waiting = (
            Card(title, self._message)
            for title in ("Credits over time", "Credits used", "Credits per answer", "Time to answer")
        )
        cards = [card.widget for card in (self._over_time, self._used, self._per_answer, self._waiting)]
        wrap = {"flex_flow": "row wrap", "grid_gap": "0 2em"}
        again = button(
            "Refresh", "Ask the service for the balance now", reporting_errors(self._refresh, self._message.set_lines)
        )
        self.root = ipywidgets.VBox(
            [
                TextLines(f"Credits ({session.account.environment})", strong=True).widget,
                self._money.widget,
                self._budgets.widget,
                ipywidgets.HBox([*self._controls, again], layout={**wrap, "align_items": "center"}),
                self._message.widget,
                ipywidgets.HBox(cards, layout=wrap),
            ],
            layout={"max_width": "76em", "overflow": "hidden"},
        )
        for control in self._controls:
            control.observe(self._changed, "value")
        session.watcher.add_listener(self._on_update)
        self._changed(None)

    def fallback(self) -> dict[str, str]:
        """Return the balance and the budgets as text."""
        return fallbacks.dashboard(self._session)

    def close_view(self) -> None:
        """Close the view: its cell shows something else now."""
        self._session.watcher.remove_listener(self._on_update)
        for control in self._controls:
            control.unobserve_all()
        view_registry.close(self.root)

    # -- events, on any thread

    def _changed(self, _change: Any) -> None:
        job_queue.submit((id(self), "draw"), reporting_errors(self._draw, self._message.set_lines))

    def _on_update(self, entry: Any) -> None:
        if not entry.is_open:
            self._changed(None)

    # -- jobs, on the thread of the job queue

    def _refresh(self) -> None:
        self._message.set_lines("asking the service …")
        self._session.balance(refresh=True)
        self._draw()

    def _draw(self) -> None:
        try:
            self._money.set_lines(_money(self._session.balance()))
        except CodeVFError as error:  # the data of the ledger is shown without a balance
            self._money.set_lines(f"{display.UNKNOWN_BALANCE}: {error}")
        self._budgets.set_lines(*(str(budget) for budget in self._session.ledger.budgets.standing()))
        self._draw_cards(self._choice())
        self._message.set_lines()

    def _draw_cards(self, choice: Choice) -> None:
        where = analysis.Filters(self._session.account.name, since=choice.since)
        store, plot = self._session.ledger.store, "from codevf_nb import plots\nplots."
        steps = analysis.spend(store, where, choice.by, choice.freq)
        whole = analysis.spend(store, where, choice.by)
        asked = analysis.tasks(store, where, only=(choice.by, "answered_in"))
        self._over_time.show(
            steps,
            lambda axes: plots.spend_over_time(steps, axes),
            f"spend = {choice.spend(steps=True)}",
            f"{plot}spend_over_time(spend)",
        )
        self._used.show(
            whole, lambda axes: plots.spend_by(whole, axes), f"spend = {choice.spend()}", f"{plot}spend_by(spend)"
        )
        self._per_answer.show(
            whole,
            lambda axes: plots.spend_by(whole, axes, "credits_per_answer"),
            f"spend = {choice.spend()}",
            f'{plot}spend_by(spend, column="credits_per_answer")',
        )
        self._waiting.show(
            whole,
            lambda axes: plots.time_to_answer(asked, choice.by, axes),
            f"spend = {choice.spend()}",
            f'{plot}time_to_answer({choice.tasks()}, by="{choice.by}")',
        )

    def _choice(self) -> Choice:
        # The time of the service, since a sandbox's clock may be virtual.
        seen = self._session.ledger.balances.last()
        now = self._session.ledger.clock() if seen is None else seen.at
        today = datetime.fromtimestamp(now, UTC).replace(hour=0, minute=0, second=0)
        since = today.replace(microsecond=0) - timedelta(days=self._since.value) if self._since.value else None
        return Choice(since, self._by.value, self._freq.value)


def scrolling(markup: str, label: str) -> str:
    """Return a table in its own scroll area, which the keyboard can reach."""
    style = "overflow:auto;max-height:24em;white-space:nowrap"
    return f'<div role="region" aria-label="{label}" tabindex="0" style="{style}">{markup}</div>'


def _money(balance: CreditBalance) -> str:
    parts = ("available", balance.available), ("on hold", balance.on_hold), ("total", balance.total)
    return " · ".join(f"{name} {display.credits(amount)}" for name, amount in parts) + " credits"
