"""The small parts that every view is made of: lines of text, buttons, and a button that asks once.

Foreign text reaches the page through ``lines``, ``Words`` and ``Page`` alone, or in controls that write text only.
Descriptions and titles hold this project's own words: older front ends take those for HTML.
"""

from __future__ import annotations

import html
import time
from collections.abc import Callable
from typing import Any

import ipywidgets

from codevf_nb.display import rendering as display
from codevf_nb.sdk.exceptions import CodeVFError
from codevf_nb.widgets._job_queue import job_queue, log
from codevf_nb.widgets._styles import looks

# A second click this soon is the other half of a double click, in seconds.
DOUBLE_CLICK_SECONDS = 0.6
# An armed button goes back to what it was after so many seconds.
ARMED_SECONDS = 15.0

WIDE = {"width": "auto", "min_width": "0"}
# Columns stand side by side where there is room, and below each other where there isn't.
COLUMN = {"flex": "1 1 20em", "min_width": "0", "width": "auto"}


def lines(*said: str, spoken: bool = False, strong: bool = False) -> str:
    """Return lines of text as markup, escaped; nothing where none says anything.

    ``spoken``: a screen reader tells what changes.
    """
    role = ' role="status"' if spoken else ""
    weight = ";font-weight:600" if strong else ""
    text = "".join(f"<div>{html.escape(display.plain(line))}</div>" for line in said if line)
    return f'<div{role} style="line-height:1.5;overflow-wrap:anywhere{weight}">{text}</div>' if text else ""


class Words:
    """Lines of text on the page."""

    def __init__(self, *said: str, spoken: bool = False, strong: bool = False) -> None:
        self._spoken = spoken
        self._strong = strong
        self.widget = ipywidgets.HTML(**looks(ipywidgets.HTML, **WIDE))
        self.say(*said)

    def say(self, *said: str) -> None:
        """Replace what stands there."""
        self.widget.value = lines(*said, spoken=self._spoken, strong=self._strong)


def heading(text: str) -> Any:
    """Return a heading of a view's part."""
    markup = f'<div role="heading" aria-level="3" style="font-weight:600">{html.escape(text)}</div>'
    return ipywidgets.HTML(markup, **looks(ipywidgets.HTML))


def preformatted(text: str, label: str) -> str:
    """Return a block of text as it is, escaped, that scrolls by itself and can be reached with the keyboard."""
    return (
        f'<div role="region" aria-label="{html.escape(label)}" tabindex="0" style="max-height:20em;overflow:auto;'
        "white-space:pre-wrap;overflow-wrap:anywhere;font-family:var(--jp-code-font-family,monospace);font-size:90%;"
        f'line-height:1.4">{html.escape(display.plain(text))}</div>'
    )


def button(text: str, tooltip: str, clicked: Callable[[], None]) -> Any:
    """Return a button; ``clicked`` runs at the desk."""
    made = ipywidgets.Button(description=text, tooltip=tooltip, **looks(ipywidgets.Button, width="auto"))
    made.on_click(lambda _: job_queue.do((id(made), "click"), clicked))
    return made


class AskOnce:
    """A button for what can't be taken back: the first click asks, the second one does it."""

    def __init__(self, text: str, tooltip: str, confirmed: Callable[[], None]) -> None:
        self._text = text
        self._confirmed = confirmed
        self._armed_at: float | None = None
        self.widget = ipywidgets.Button(description=text, tooltip=tooltip, **looks(ipywidgets.Button, width="auto"))
        self.widget.on_click(lambda _: self._heard(time.monotonic()))

    def disarm(self) -> None:
        """Forget a first click."""
        self._armed_at = None
        self.widget.description = self._text

    def cool(self) -> None:
        """Forget a first click that no second one has followed for long."""
        if self._armed_at is not None and time.monotonic() - self._armed_at > ARMED_SECONDS:
            self.disarm()

    def _heard(self, at: float) -> None:
        """Leave a click at the desk; what counts is when it was made, however long the desk is busy."""
        job_queue.do((id(self), at), lambda: self._clicked(at))

    def _clicked(self, at: float) -> None:
        if self.widget.disabled:
            return
        if self._armed_at is None:
            self.widget.description = f"{self._text}? Click again to confirm"
            self._armed_at = time.monotonic()  # from now on it can be read, and a click can mean it
        elif at - self._armed_at > DOUBLE_CLICK_SECONDS:
            self.disarm()
            self._confirmed()


def told(job: Callable[[], None], say: Callable[[str], None]) -> Callable[[], None]:
    """Return a job that says what went wrong, where it did."""

    def run() -> None:
        try:
            job()
        except CodeVFError as error:
            say(str(error))
        except Exception as error:  # noqa: BLE001 - whatever it is, the person who clicked is told
            log.exception("a view stumbled")
            say(f"this went wrong: {type(error).__name__}: {error}")

    return run
