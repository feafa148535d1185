"""The dashboard: what is left, what was spent on what, and how long answers took."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import ipywidgets

from codevf_nb import display, frames
from codevf_nb.sdk.models import CreditBalance
from codevf_nb.widgets import charts, fallbacks, stage
from codevf_nb.widgets.controls import COLUMN, Words, button, heading, preformatted, told
from codevf_nb.widgets.desk import desk

if TYPE_CHECKING:
    import pandas as pd

    from codevf_nb.session import Session

PERIODS = (("last 7 days", 7), ("last 30 days", 30), ("last 90 days", 90), ("all time", 0))
STEPS = (("per day", "D"), ("per week", "W"), ("per month", "M"))
GROUPS = ("mode", "tag", "project")
_LABEL = {"description_width": "auto"}
_FIELD = {"width": "auto", "flex": "1 1 14em", "min_width": "0"}


@dataclass(frozen=True)
class Choice:
    """What is looked at: since when (None for always), by what, and in which steps of time."""

    since: datetime | None
    by: str
    freq: str

    def call(self, *, steps: bool) -> str:
        """Return the call that gives the same frame."""
        freq = f', freq="{self.freq}"' if steps else ""
        since = f', since="{self.since:%Y-%m-%d}"' if self.since else ""
        return f'cvf.spend(by=["{self.by}"]{freq}{since})'


class Card:
    """One picture with its heading, and the frame behind it one click away."""

    def __init__(self, title: str, draw: Callable[[pd.DataFrame, Choice, str], str], failed: Words) -> None:
        self._title = title
        self._draw = draw
        self._frame: pd.DataFrame | None = None
        self._call = ""
        self._picture = ipywidgets.HTML()
        self._table = ipywidgets.HTML()
        self._open = False
        self._button = button("Show the table", f"The numbers behind: {title}", told(self._toggle, failed))
        parts = [heading(title), self._picture, self._button, self._table]
        self.widget = ipywidgets.VBox(parts, layout={**COLUMN, "flex": "1 1 24em", "margin": "0 0 1em"})

    def show(self, frame: pd.DataFrame, choice: Choice, *, steps: bool) -> None:
        """Draw a frame; where nothing can be drawn, its table stands open."""
        self._frame, self._call = frame, choice.call(steps=steps)
        if frame.empty:
            self._picture.value = "<div>nothing was asked in this period</div>"
        elif charts.there_is_matplotlib():
            self._picture.value = self._draw(frame, choice, self._title)
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
        self._table.value = preformatted(self._call, "The call") + scrolling(display.plain(table), self._title)


class Dashboard:
    """Balance and budgets above, then four pictures over a chosen period and grouping."""

    display_id = ""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._told = Words(spoken=True)
        self._money = Words(strong=True)
        self._budgets = Words()
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
        self._over_time = Card("Credits over time", _over_time, self._told)
        self._cards = [
            Card("Credits used", _bars("credits_used", "credits"), self._told),
            Card("Credits per answer", _bars("credits_per_answer", "credits"), self._told),
            Card("Time to answer (median)", _bars("median_answered_in", "minutes"), self._told),
        ]
        cards = [card.widget for card in (self._over_time, *self._cards)]
        wrap = {"flex_flow": "row wrap", "grid_gap": "0 2em"}
        again = button("Refresh", "Ask the service for the balance now", told(self._refresh, self._told))
        self.root = ipywidgets.VBox(
            [
                Words(f"Credits ({session.account.environment})", strong=True).widget,
                self._money.widget,
                self._budgets.widget,
                ipywidgets.HBox([*self._controls, again], layout={**wrap, "align_items": "center"}),
                self._told.widget,
                ipywidgets.HBox(cards, layout=wrap),
            ],
            layout={"max_width": "76em", "overflow": "hidden"},
        )
        for control in self._controls:
            control.observe(self._changed, "value")
        session.watcher.listen(self._heard)
        self._changed(None)

    def fallback(self) -> dict[str, str]:
        """Return the balance and the budgets as text."""
        return fallbacks.dashboard(self._session)

    def let_go(self) -> None:
        """Close it: its cell shows something else by now."""
        self._session.watcher.unlisten(self._heard)
        for control in self._controls:
            control.unobserve_all()
        stage.close(self.root)

    # -- what comes in, on any thread

    def _changed(self, _change: Any) -> None:
        desk.do((id(self), "draw"), told(self._draw, self._told))

    def _heard(self, entry: Any) -> None:
        if not entry.is_open:
            self._changed(None)

    # -- at the desk

    def _refresh(self) -> None:
        self._told.say("asking the service …")
        self._session.balance(refresh=True)
        self._draw()

    def _draw(self) -> None:
        self._money.say(_money(self._session.balance()))
        self._budgets.say(*(str(budget) for budget in self._session.ledger.budgets.standing()))
        choice = self._choice()
        where = frames.Where(self._session.account.name, since=choice.since)
        store = self._session.ledger.store
        self._over_time.show(frames.spend(store, where, choice.by, choice.freq), choice, steps=True)
        whole = frames.spend(store, where, choice.by)
        for card in self._cards:
            card.show(whole, choice, steps=False)
        self._told.say()

    def _choice(self) -> Choice:
        today = datetime.fromtimestamp(self._session.ledger.clock(), UTC).replace(hour=0, minute=0, second=0)
        since = today.replace(microsecond=0) - timedelta(days=self._since.value) if self._since.value else None
        return Choice(since, self._by.value, self._freq.value)


def scrolling(markup: str, label: str) -> str:
    """Return a table that scrolls by itself where it is too wide, and can be reached with the keyboard."""
    style = "overflow:auto;max-height:24em;white-space:nowrap"
    return f'<div role="region" aria-label="{label}" tabindex="0" style="{style}">{markup}</div>'


def _money(balance: CreditBalance) -> str:
    parts = ("available", balance.available), ("on hold", balance.on_hold), ("total", balance.total)
    return " · ".join(f"{name} {display.credits(amount)}" for name, amount in parts) + " credits"


def _over_time(frame: pd.DataFrame, choice: Choice, title: str) -> str:
    totals = frame.groupby(choice.by, dropna=False)["credits_used"].sum().sort_values(ascending=False)
    kept = set(totals.index[: charts.MOST])
    named = frame.assign(**{choice.by: frame[choice.by].where(frame[choice.by].isin(kept), "all others")})
    summed = named.groupby([choice.by, "period"], dropna=False, sort=False)["credits_used"].sum().reset_index()
    return charts.over_time(summed, choice.by, title)


def _bars(column: str, unit: str) -> Callable[[pd.DataFrame, Choice, str], str]:
    def draw(frame: pd.DataFrame, choice: Choice, title: str) -> str:
        known = frame[frame[column].notna()]
        values = known[column].dt.total_seconds() / 60 if unit == "minutes" else known[column]
        top = values.astype("float64").sort_values(ascending=False)[: charts.MOST + 1]
        return charts.bars(known.loc[top.index, choice.by].fillna("none").tolist(), top.tolist(), unit, title)

    return draw
