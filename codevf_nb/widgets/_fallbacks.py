"""Each view as text for front ends without widgets: text or a table, and the commands that do the same."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import TYPE_CHECKING

from codevf_nb.display import rendering as display
from codevf_nb.ledger import PageFilter
from codevf_nb.sdk.models import ServiceMode
from codevf_nb.sdk.statuses import status_info

if TYPE_CHECKING:
    from codevf_nb.ledger import Entry, Repeat
    from codevf_nb.session import Session

# The number of questions that are listed.
LISTED = 10


def progress(entry: Entry, repeated: Repeat | None = None, *, cell_asks: bool = True) -> dict[str, str]:
    """Return a question, and while it is open how to get its answer.

    Args:
        entry: The question.
        repeated: Set where it was asked before.
        cell_asks: Running the cell again shows the answer too.
    """
    bundle = display.task_bundle(entry, repeated=repeated)
    if not entry.is_open or entry.task_id is None:
        return bundle
    show = f"%codevf show {display.plain(entry.task_id)}"
    finds = f"Running this cell again finds the answer and costs nothing; so does {show}."
    below = finds if cell_asks else f"{show} finds the answer and costs nothing."
    return {
        "text/plain": f"{bundle['text/plain']}\n{below}",
        "text/html": f"{bundle['text/html']}<div>{html.escape(below)}</div>",
    }


def answered(entry: Entry, repeated: Repeat | None = None, *, cell_asks: bool = True) -> str:
    """Return the end of a question as HTML, for a widget that the answer could not replace in the notebook.

    That happens on a page that was reloaded, and within an Output widget.
    """
    drawn = display.task_bundle(entry, repeated=repeated)["text/html"]
    if not status_info(entry.status).has_answer:
        return drawn
    finds = "run this cell again" if cell_asks else f"run %codevf show {display.plain(entry.task_id or '')} in a cell"
    below = f"This page can't put the answer into the notebook's file by itself: {finds} (0 credits), then save."
    return f"{drawn}<div>{html.escape(below)}</div>"


def picker(session: Session) -> dict[str, str]:
    """Return how to ask with the magic, with the modes and tags."""
    modes = [(mode.value, f"{mode.multiplier}×", mode.meaning) for mode in ServiceMode]
    tags = [(tag.name, f"{tag.cost_multiplier:g}×", tag.description or "") for tag in session.tags() if tag.is_active]
    return _bundle(
        "Run with widgets, this cell shows the picker. A cell asks the same; --dry-run shows first what would be sent:",
        "%%codevf PROMPT --mode MODE --tag TAG --max-credits N --attach NAME,…",
        table=[("mode or tag", "factor", "meaning"), *modes, *tags],
        below="%codevf help lists all options.",
    )


def inbox(session: Session) -> dict[str, str]:
    """Return the newest questions, and the commands that show them."""
    entries = session.ledger.pages.page(PageFilter(), LISTED)
    rows = [(entry.task_id or "", entry.status or entry.outcome, entry.prompt or "") for entry in entries]
    return _bundle(
        f"The newest questions ({session.account.environment}). Run with widgets, this cell shows the inbox.",
        table=[("task", "state", "prompt"), *((first, second, prompt[:80]) for first, second, prompt in rows)],
        below="%codevf tasks lists all, %codevf show TASK opens one, %codevf cancel TASK stops one.",
    )


def dashboard(session: Session) -> dict[str, str]:
    """Return the balance and the budgets, and the commands that show spending."""
    last = session.ledger.balances.last()
    if last is None:
        balance = ["no balance has been seen yet"]
    else:
        amounts = ("available", last.available), ("on hold", last.on_hold)
        balance = [f"{name}: {display.credits(amount)} credits" for name, amount in amounts]
        balance += ["credits have moved since this was asked"] if last.is_behind else []
    budgets = [str(budget) for budget in session.ledger.budgets.standing()]
    return _bundle(
        f"Credits ({session.account.environment}). Run with widgets, this cell shows the dashboard.",
        *balance,
        *budgets,
        below="%codevf balance, %codevf budget, %codevf spend and %codevf credits tell the rest.",
    )


def _bundle(*lines: str, table: Sequence[tuple[str, ...]] = (), below: str) -> dict[str, str]:
    """Return lines, a table and a last line as text and as HTML; all of it is escaped here."""
    cells = [tuple(" ".join(display.plain(cell).split()) for cell in row) for row in table]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    rows = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]
    said = [display.plain(line) for line in lines]
    markup = "".join(f"<div>{html.escape(line)}</div>" for line in said)
    if cells:
        head, *body = ("".join(f"<td>{html.escape(cell)}</td>" for cell in row) for row in cells)
        head = head.replace("<td>", '<th scope="col">').replace("</td>", "</th>")
        markup += (
            f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(f'<tr>{row}</tr>' for row in body)}</tbody></table>"
        )
    markup += f"<div>{html.escape(below)}</div>"
    return {"text/plain": "\n".join([*said, *rows, below]), "text/html": f'<div class="codevf-view">{markup}</div>'}
