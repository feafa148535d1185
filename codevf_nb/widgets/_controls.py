"""Controls that every view uses: lines of text, buttons, and a button that asks for confirmation.

Text from outside reaches the page only through ``lines``, ``TextLines`` and ``preformatted``, which escape it, or in
controls that show plain text. Descriptions and titles contain this project's text only: older front ends read them as
HTML.
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
from codevf_nb.widgets._styles import shared_styles

# A second click this soon is the other half of a double click, in seconds.
DOUBLE_CLICK_SECONDS = 0.6
# A button that waits for its confirmation is reset after this long, in seconds.
ARMED_SECONDS = 15.0

WIDE = {"width": "auto", "min_width": "0"}
# Columns are side by side where there is space, otherwise below each other.
COLUMN = {"flex": "1 1 20em", "min_width": "0", "width": "auto"}


def lines(*texts: str, spoken: bool = False, strong: bool = False) -> str:
    """Return lines of text as escaped HTML; an empty string without any text.

    Args:
        *texts: The lines; empty ones are left out.
        spoken: A screen reader reads changes aloud.
        strong: Bold.
    """
    role = ' role="status"' if spoken else ""
    weight = ";font-weight:600" if strong else ""
    text = "".join(f"<div>{html.escape(display.plain(line))}</div>" for line in texts if line)
    return f'<div{role} style="line-height:1.5;overflow-wrap:anywhere{weight}">{text}</div>' if text else ""


class TextLines:
    """Lines of text on the page."""

    def __init__(self, *texts: str, spoken: bool = False, strong: bool = False) -> None:
        self._spoken = spoken
        self._strong = strong
        self.widget = ipywidgets.HTML(**shared_styles(ipywidgets.HTML, **WIDE))
        self.set_lines(*texts)

    def set_lines(self, *texts: str) -> None:
        """Replace the lines."""
        self.widget.value = lines(*texts, spoken=self._spoken, strong=self._strong)


def heading(text: str) -> Any:
    """Return the heading of a section."""
    markup = f'<div role="heading" aria-level="3" style="font-weight:600">{html.escape(text)}</div>'
    return ipywidgets.HTML(markup, **shared_styles(ipywidgets.HTML))


def preformatted(text: str, label: str) -> str:
    """Return a block of text, escaped, in its own scroll area, which the keyboard can reach."""
    return (
        f'<div role="region" aria-label="{html.escape(label)}" tabindex="0" style="max-height:20em;overflow:auto;'
        "white-space:pre-wrap;overflow-wrap:anywhere;font-family:var(--jp-code-font-family,monospace);font-size:90%;"
        f'line-height:1.4">{html.escape(display.plain(text))}</div>'
    )


def button(text: str, tooltip: str, clicked: Callable[[], None]) -> Any:
    """Return a button; ``clicked`` runs on the thread of the job queue."""
    made = ipywidgets.Button(description=text, tooltip=tooltip, **shared_styles(ipywidgets.Button, width="auto"))
    made.on_click(lambda _: job_queue.submit((id(made), "click"), clicked))
    return made


class ConfirmButton:
    """A button for an action that can't be undone: the second click confirms the first."""

    def __init__(self, text: str, tooltip: str, confirmed: Callable[[], None]) -> None:
        self._text = text
        self._confirmed = confirmed
        self._armed_at: float | None = None
        self.widget = ipywidgets.Button(
            description=text, tooltip=tooltip, **shared_styles(ipywidgets.Button, width="auto")
        )
        self.widget.on_click(lambda _: self._on_click(time.monotonic()))

    def reset(self) -> None:
        """Forget a first click."""
        self._armed_at = None
        self.widget.description = self._text

    def expire(self) -> None:
        """Forget a first click that was not confirmed in time."""
        if self._armed_at is not None and time.monotonic() - self._armed_at > ARMED_SECONDS:
            self.reset()

    def _on_click(self, at: float) -> None:
        """Submit a click with its time, since the job queue may be busy."""
        job_queue.submit((id(self), at), lambda: self._clicked(at))

    def _clicked(self, at: float) -> None:
        if self.widget.disabled:
            return
        if self._armed_at is None:
            self.widget.description = f"{self._text}? Click again to confirm"
            self._armed_at = time.monotonic()  # from now on the question is visible, so a click can confirm it
        elif at - self._armed_at > DOUBLE_CLICK_SECONDS:
            self.reset()
            self._confirmed()


def reporting_errors(job: Callable[[], None], show: Callable[[str], None]) -> Callable[[], None]:
    """Return a job that passes the message of an error to ``show``."""

    def run() -> None:
        try:
            job()
        except CodeVFError as error:
            show(str(error))
        except Exception as error:  # noqa: BLE001 - the person who clicked must see every error
            log.exception("a job of a view failed")
            show(f"this went wrong: {type(error).__name__}: {error}")

    return run
