"""A task, a draft, a balance as text and as HTML; all formatting, and all escaping of text from outside.

An engineer's answer, the name of a file or a tag, and an error's message come from outside: they reach the page only
through ``html.escape``, or through a Markdown renderer that drops HTML and script links. ANSI and other control
characters never reach a terminal.
"""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from codevf_nb.accounts import working_hours as hours
from codevf_nb.sdk.models import ServiceMode
from codevf_nb.sdk.statuses import UNKNOWN_STATUS, status_info

if TYPE_CHECKING:
    from codevf_nb.attachments import Attachment
    from codevf_nb.ledger import Entry, Repeat
    from codevf_nb.questions.question import Draft
    from codevf_nb.sdk.models import CreditBalance

SANDBOX_NOTICE = "a program answers, no person reads this, and nothing is paid"
UNKNOWN_BALANCE = "how many credits are available is not known"
STRUCTURED_NOTICE = "structured answer: according to CodeVF's documentation AI generates it, no person wrote it"

# The states of a question without a task: being sent, and certainly not at the service.
SENDING = "… sending"
NOT_ASKED = "✕ not asked: costs 0 credits"

# This much of each text file is shown before it is sent.
_FIRST_LINES = 5
_LINE = 160  # characters

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")


def credits(amount: float | Decimal | None) -> str:
    """Format an amount of credits: 1,204 or 12.5; "?" for None."""
    if amount is None:
        return "?"
    text = f"{amount:,.2f}"
    return text.rstrip("0").rstrip(".")


def duration(seconds: float | None) -> str:
    """Format a duration in seconds in its two largest units: 2 h 5 min; "?" for None."""
    if seconds is None:
        return "?"
    whole = max(0, round(seconds))
    days, hours, minutes = whole // 86400, whole % 86400 // 3600, whole % 3600 // 60
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {whole % 60} s" if minutes else f"{whole} s"


def plain(text: str) -> str:
    """Replace control characters, which could move a cursor or change the text direction, in text from outside."""
    return _CONTROL.sub("�", text.replace("\r\n", "\n"))


def price(entry: Entry) -> str:
    """Return the highest possible cost of a question, and its factors."""
    if entry.is_foreign:
        return "asked from elsewhere; what it may cost is not known here"
    made_of = []
    if entry.max_credits is not None:
        made_of.append(credits(entry.max_credits))
    if entry.mode in {mode.value for mode in ServiceMode}:
        made_of.append(f"{entry.mode} {ServiceMode(str(entry.mode)).multiplier}×")
    if entry.multiplier is not None:
        made_of.append(f"{plain(entry.tag or 'tag')} {entry.multiplier:g}×")
    return f"may cost at most {credits(entry.cost_cap)} credits ({' × '.join(made_of)})"


def ago(seconds: float) -> str:
    """Format how long ago something was in its largest unit: just now, 3 min ago, 2 d ago."""
    if seconds < 60:
        return "just now"
    return " ".join(duration(seconds).split()[:2]) + " ago"


def changed(repeat: Repeat | None, asking: int) -> list[str]:
    """Return a line for each attachment that has changed since the question was asked."""
    lines = []
    for change in repeat.changed if repeat else ():
        now = "changed" if change.rows is None else f"{change.rows[0]:,} → {change.rows[1]:,} rows"
        lines.append(f"{plain(change.name)}: {now} since; --again {asking + 1} asks again")
    return lines


def state(entry: Entry, *, repeated: Repeat | None = None) -> str:
    """Return the state of a question, its cost, and whether it was asked before."""
    if entry.task_id is None:
        why = entry.error or "no response was received yet"
        return f"? question {entry.id} {entry.outcome}: {plain(why)}"
    look = status_info(entry.status)
    parts = [f"{look.mark} {plain(entry.status or UNKNOWN_STATUS)}{look.meaning and ': '}{look.meaning}"]
    if not entry.is_open and entry.completed_at is not None and entry.created_at is not None:
        parts.append(f"after {duration(entry.completed_at - entry.created_at)}")
    if entry.credits_used is not None and not entry.is_open:
        parts.append(f"{credits(entry.credits_used)} credits used")
        if entry.cost_cap is not None:
            parts.append(f"{credits(max(0.0, entry.cost_cap - max(0.0, entry.credits_used)))} released")
    parts.append(plain(entry.task_id))
    if repeated:
        now = "settled now" if repeated.settled else "0 credits now"
        where = "" if repeated.account is None else f" under another key (account {repeated.account})"
        parts.append(f"asked {ago(repeated.ago)}{where}, {now}; --again {entry.asking + 1} asks again")
    if entry.is_forgotten:
        parts.append("its texts were deleted (%codevf forget)")
    return " · ".join(parts)


def notices(entry: Entry) -> list[str]:
    """Return the notices that every view of a question must show: that no person wrote it, and what differs."""
    found = [f"sandbox: {SANDBOX_NOTICE}"] if entry.environment == "sandbox" else []
    if entry.is_structured:
        found.append(STRUCTURED_NOTICE)
    return found + [plain(note) for note in entry.notes or ()]


def task_bundle(entry: Entry, *, repeated: Repeat | None = None, problem: str | None = None) -> dict[str, str]:
    """Return a question and its answer as text/plain and text/html; the highest possible cost comes first.

    Args:
        entry: The question.
        repeated: Set where it was asked before.
        problem: What delays the answer at the moment.
    """
    lines = [price(entry), state(entry, repeated=repeated), *changed(repeated, entry.asking)]
    lines += [*sent(entry), *notices(entry)]
    if problem and entry.is_open:
        lines.append(plain(problem))
    return {"text/plain": _task_text(entry, lines), "text/html": _task_html(entry, lines)}


def asking_bundle(draft: Draft, state: str, environment: str) -> dict[str, str]:
    """Return a priced question without a task as text/plain and text/html; the highest cost comes first."""
    notice = [f"sandbox: {SANDBOX_NOTICE}"] if environment == "sandbox" else []
    lines = [f"may cost at most {_worst_case(draft)}", plain(" ".join(state.split())), *notice]
    return {"text/plain": "\n".join(lines), "text/html": _box(lines)}


def draft_text(
    draft: Draft, environment: str, balance: CreditBalance | None = None, now: datetime | None = None
) -> str:
    """Return the text of a dry run: files, highest possible cost, credits left after it, and working hours.

    Args:
        draft: A priced draft.
        environment: live, test or sandbox.
        balance: The balance; None leaves it out.
        now: The time for the working hours; None leaves them out.
    """
    lines = [
        would_cost(draft),
        *_left(draft.priced.cost_cap, balance),
        *([] if now is None else [hours.describe(now)]),
        *_would_send(draft, environment),
    ]
    return "\n".join([*lines, "nothing was sent"])


def known_text(draft: Draft, entry: Entry, environment: str) -> str:
    """Return the text of a dry run for a question that was asked before, so that it costs nothing."""
    shows = "run the cell without --dry-run to see it" if entry.is_open else "its answer is shown without --dry-run"
    first = f"would cost 0 credits: asked before as {plain(str(entry.task_id))} ({plain(entry.status or '?')}); {shows}"
    asks = f"--again {entry.asking + 1} asks again, and would be paid"
    return "\n".join([first, asks, *_would_send(draft, environment), "nothing was sent"])


def would_cost(draft: Draft) -> str:
    """Return the highest possible cost of a priced draft, and its factors."""
    return f"would cost at most {_worst_case(draft)}"


def _worst_case(draft: Draft) -> str:
    terms = draft.priced
    tag = plain(terms.tag.display_name or terms.tag.name)
    made_of = f"{credits(terms.max_credits)} × {terms.mode.value} {terms.mode.multiplier}× × {tag}"
    return f"{credits(terms.cost_cap)} credits ({made_of} {float(terms.tag.cost_multiplier):g}×)"


def _would_send(draft: Draft, environment: str) -> list[str]:
    question = draft.question
    lines = [
        f"to: {environment}, project {plain(draft.project)}",
        f"prompt: {plain(question.prompt)}",
        *(f"metadata: {plain(key)} = {plain(str(value))}" for key, value in question.metadata.items()),
    ]
    for part in draft.attachments:
        lines += _draft_file(part)
    lines += [plain(f"not checked for private data: {name}") for name in draft.unread]
    return lines


def _left(cost_cap: int, balance: CreditBalance | None) -> list[str]:
    if balance is None:
        return []
    if balance.available is None:
        return [UNKNOWN_BALANCE]
    left = balance.available - cost_cap
    if left < 0:
        return [f"more than the {credits(balance.available)} credits that are available: {credits(-left)} are missing"]
    return [f"would leave at least {credits(left)} of the {credits(balance.available)} credits that are available"]


def _draft_file(part: Attachment) -> list[str]:
    """Return a file's name, size and content, and its first lines where it is text."""
    holds = f", made of {'; '.join(part.holds)}" if part.holds else ""
    lines = [plain(f"{part.file_name}: {len(part.content):,} bytes{part.extent}{holds}")]
    try:
        first = part.content.decode().splitlines()[:_FIRST_LINES]
    except UnicodeDecodeError:
        return lines
    return lines + [f"    {plain(line[:_LINE])}{'…' if len(line) > _LINE else ''}" for line in first]


def sent(entry: Entry) -> list[str]:
    """Return one line with the sent files and the rows of each table: ``trips.csv 10,968 of 50,000 rows``."""
    files = []
    for record in entry.attachments or ():
        rows = record.get("rows")
        held = f" ({'; '.join(record['holds'])})" if record.get("holds") else ""
        of = f"{rows[0]:,} of " if rows and rows[0] < rows[-1] else ""
        counted = f" {of}{rows[-1]:,} rows" if rows else ""
        files.append(f"{record.get('name', 'a file whose name was forgotten')}{counted}{held}")
    return [plain(f"sent: {', '.join(files)}")] if files and entry.task_id else []


def moment(seconds: float | None) -> str:
    """Format a time (seconds since 1970 UTC) as UTC to the minute; "?" for None."""
    return "?" if seconds is None else datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _task_text(entry: Entry, lines: list[str]) -> str:
    body = [] if entry.message is None else ["", plain(entry.message).rstrip()]
    body += [f"file: {plain(part.file_name)}" for part in entry.files]
    if (data := _data(entry)) is not None:
        body += ["", plain(data)]
    return "\n".join([*lines, *body])


def _task_html(entry: Entry, lines: list[str]) -> str:
    answer = ""
    if entry.message is not None:
        answer = f'<div style="margin-top:.6em">{_markdown().render(plain(entry.message))}</div>'
    files = "".join(f"<li>{html.escape(plain(part.file_name))}</li>" for part in entry.files)
    files = f"<div>Files (task.download() saves them):<ul>{files}</ul></div>" if files else ""
    data = _data(entry)
    data = "" if data is None else f'<pre style="margin:.6em 0 0">{html.escape(plain(data))}</pre>'
    return _box(lines, answer + files + data)


def _box(lines: list[str], below: str = "") -> str:
    """Return lines in a frame: the price, the state in bold, and the others small; ``below`` is HTML."""
    first, second, *rest = (html.escape(line) for line in lines)
    small = "".join(f'<div style="opacity:.75;font-size:90%">{line}</div>' for line in rest)
    return (
        '<div class="codevf-task" style="border:1px solid var(--jp-border-color2,#bdbdbd);border-radius:4px;'
        'padding:.6em .9em;max-width:60em">'
        f'<div>{first}</div><div style="font-weight:600">{second}</div>{small}{below}</div>'
    )


def _data(entry: Entry) -> str | None:
    """Return as JSON the data of a structured answer, or what a response has besides text and files."""
    import json

    data = entry.data if entry.is_structured else entry.more
    return None if data is None else json.dumps(data, indent=2, ensure_ascii=False)


@lru_cache(maxsize=1)
def _markdown() -> Any:
    """Return the renderer for Markdown from outside: no raw HTML, no script links, no images."""
    from markdown_it import MarkdownIt

    return MarkdownIt("js-default").disable("image")
