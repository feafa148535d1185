"""The picker: a question put together by hand, with its price and its preview beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import ipywidgets

from codevf_nb.accounts import working_hours
from codevf_nb.display import rendering as display
from codevf_nb.sdk.exceptions import CodeVFError
from codevf_nb.widgets import _fallbacks as fallbacks
from codevf_nb.widgets import live_displays, view_registry
from codevf_nb.widgets._controls import (
    COLUMN,
    TextLines,
    button,
    heading,
    lines,
    preformatted,
    reporting_errors,
)
from codevf_nb.widgets._form import Form
from codevf_nb.widgets._job_queue import job_queue
from codevf_nb.widgets._progress import Progress

if TYPE_CHECKING:
    from codevf_nb.questions.question import Draft
    from codevf_nb.session import Session
    from codevf_nb.task import Task

# Seconds without typing before the form is checked again.
PAUSE_SECONDS = 0.25
# So many characters of the cell stand in one line of a narrow page, and so many lines at most are shown at once.
NARROW, MOST_ROWS = 28, 14
# Where the task goes, as with %%codevf.
VARIABLE = "_codevf"


class Picker:
    """The form on one side; price, balance, hours, warnings and preview on the other; Submit below."""

    display_id = ""

    def __init__(self, session: Session, shell: Any, preset: Mapping[str, Any]) -> None:
        self._session = session
        self._shell = shell
        self._preset = preset
        self._progress: Progress | None = None
        self._task: Task | None = None
        self.form = Form(session, shell, preset)
        self._price = TextLines(spoken=True, strong=True)
        self._money = TextLines()
        self._about = TextLines()
        self._preview = ipywidgets.HTML()
        self._why = TextLines(spoken=True)
        self._magic = ipywidgets.Textarea(layout={"width": "auto", "display": "none"})
        self._magic.description = "As magic"
        self._submit = button("Submit", "Send this question", reporting_errors(self._send, self._why.set_lines))
        self._submit.disabled = True
        spell = button(
            "Copy as magic",
            "The cell that asks the same, to be copied",
            reporting_errors(self._spell, self._why.set_lines),
        )
        beside = [heading("What it may cost"), self._price.widget, self._money.widget, self._about.widget]
        columns = [
            self.form.widget(),
            ipywidgets.VBox([*beside, heading("What would be sent"), self._preview], layout=COLUMN),
        ]
        row = {"flex_flow": "row wrap", "grid_gap": "0 2em"}
        parts = [
            TextLines(_whose(session)).widget,
            ipywidgets.HBox(columns, layout=row),
            self._why.widget,
            ipywidgets.HBox([self._submit, spell]),
            self._magic,
        ]
        self._asking = ipywidgets.VBox(parts, layout={"max_width": "76em", "overflow": "hidden"})
        self.root = ipywidgets.VBox([self._asking])
        for control in self.form.controls:
            control.observe(self._changed, "value")
        self._changed(None)

    def fallback(self) -> dict[str, str]:
        """Return how to ask without it; once it has asked, what became of that."""
        task = self._task
        if task is None:
            return fallbacks.picker(self._session)
        return fallbacks.progress(task.entry, task.repeated, cell_asks=False)

    def close_view(self) -> None:
        """Close it: its cell shows something else by now."""
        for control in self.form.controls:
            control.unobserve_all()
        self.form.close()
        if self._progress is not None:
            self._progress.close_view()
        view_registry.close(self._asking, self.root)

    def _changed(self, _change: Any) -> None:
        job_queue.submit((id(self), "check"), self._check, after=PAUSE_SECONDS)

    def _check(self) -> None:
        """Update what depends on the form; Submit is on when all of it can be sent."""
        if self._progress is not None:
            return
        reasons = [*self._draw_price(), *self._draw_preview()]
        self._about.set_lines(
            *self.form.meaning(), working_hours.describe(datetime.fromtimestamp(self._session.ledger.clock(), UTC))
        )
        self._submit.disabled = bool(reasons)
        self._why.set_lines(*(f"Submit is off: {reason}" for reason in dict.fromkeys(reasons)))

    def _draw_price(self) -> list[str]:
        """Show the worst case and what would be left; return why that can't be paid."""
        try:
            price = self.form.price()
        except CodeVFError as error:
            self._price.set_lines("may cost: not known yet")
            self._money.set_lines()
            return [str(error)]
        self._price.set_lines(f"may cost at most {display.credits(price)} credits")
        budgets = self._session.ledger.budgets.standing(self.form.project.value.strip())
        try:
            available = self._session.balance().available
        except CodeVFError as error:
            self._money.set_lines(display.UNKNOWN_BALANCE, *map(str, budgets))
            return [str(error)]
        left = None if available is None else available - price
        text = f"available: {display.credits(available)} credits, after this {display.credits(left)}"
        self._money.set_lines(text, *map(str, budgets))
        return _too_dear(price, left, [budget for budget in budgets if price > Decimal(str(budget.left))])

    def _draw_preview(self) -> list[str]:
        """Show what would be sent; return why it can't be."""
        try:
            look = replace(self.form.options(), profile=None)  # a look is taken at every change: it never scans
            draft = self._session.priced(self._session.draft_of(look, self.form.defaults, is_preview=True))
        except CodeVFError as error:
            self._preview.value = lines("nothing, as long as Submit is off")
            return [str(error).removesuffix(" Nothing was sent.")]
        text = display.draft_text(draft, self._session.account.environment).removesuffix("nothing was sent")
        self._preview.value = preformatted(text, "What would be sent")
        return []

    def _draft(self) -> Draft:
        return self._session.draft_of(self.form.options(), self.form.defaults)

    def _spell(self) -> None:
        cell = self.form.cell()
        # All of it can be read at once, also on a narrow page, where a line is wrapped.
        self._magic.rows = min(MOST_ROWS, sum(1 + len(line) // NARROW for line in cell.split("\n")))
        self._magic.value = cell
        self._magic.layout.display = ""

    def _send(self) -> None:
        """Ask, once however often it was clicked, and show the progress in the form's place."""
        if self._progress is not None or self._submit.disabled:
            return
        self._submit.disabled = True
        self._why.set_lines("sending …")
        try:
            task = self._session.ask(self._draft())
        except Exception:
            self._submit.disabled = False
            raise
        self._shell.user_ns[VARIABLE] = task
        self._follow(task)

    def _follow(self, task: Task) -> None:
        self._task = task
        self._progress = Progress(self._session, task, cell_asks=False)
        self.root.children = (self._progress.root,)
        live_displays.of(self._session).follow(task, self.display_id, self._progress)


def _whose(session: Session) -> str:
    """Say which account this is on, and who answers."""
    environment = session.account.environment
    notice = f": {display.SANDBOX_NOTICE}" if environment == "sandbox" else ""
    return f"Ask an engineer ({environment}{notice})"


def _too_dear(price: Decimal, left: Decimal | None, budgets: list[Any]) -> list[str]:
    reasons = [f"it may cost {display.credits(price)} credits, and {budget}." for budget in budgets]
    if left is not None and left < 0:
        reasons.append(f"it may cost {display.credits(-left)} credits more than are available.")
    return reasons
