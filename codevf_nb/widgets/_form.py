"""What a person fills in to ask: every control with its label, and what was filled in as the session takes it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ipywidgets

from codevf_nb import attachments
from codevf_nb.display import rendering as display
from codevf_nb.questions.options import AskOptions, Defaults
from codevf_nb.sdk.exceptions import BadRequestError
from codevf_nb.sdk.models import ServiceMode, Tag, calculate_final_credit_cost
from codevf_nb.widgets import _attachable_values as attachable_values
from codevf_nb.widgets import _cell_text as cell_text
from codevf_nb.widgets._controls import COLUMN, TextLines, heading

if TYPE_CHECKING:
    from codevf_nb.session import Session

_LABELS = {"description_width": "6em"}
_WIDE = {"width": "100%", "min_width": "0", "margin": "2px 0"}


class Form:
    """What a person fills in. It is written by that person alone, and only read here."""

    def __init__(self, session: Session, shell: Any, preset: Mapping[str, Any]) -> None:
        self._shell = shell
        self._session = session
        self._files = tuple(preset.get("files") or ())
        self.defaults: Defaults = preset.get("defaults") or Defaults()
        self._folder = Path(tempfile.mkdtemp(prefix="codevf-"))
        self._uploaded: list[Path] = []
        tags = [tag for tag in session.tags() if tag.is_active]
        least = "" if session.account.is_live else str(ServiceMode.STANDARD.credit_range[0])
        self.prompt = _made(ipywidgets.Textarea, "Prompt", preset.get("prompt") or "", rows=4)
        self.prompt.placeholder = "What do you want to know? 10 to 10,000 characters."
        project = preset.get("project") or session.folder
        self.project = _made(ipywidgets.Combobox, "Project", project)
        self.project.options = tuple(session.ledger.catalogue.projects())
        self.mode = _made(ipywidgets.Dropdown, "Mode", None, options=[(_mode(mode), mode) for mode in ServiceMode])
        self.mode.value = ServiceMode.of(preset.get("mode") or ServiceMode.STANDARD)
        self.tag = _made(ipywidgets.Dropdown, "Tag", None, options=[(_tag(tag), tag.id) for tag in tags])
        self.tag.value = session.tag(preset.get("tag")).id
        self.credits = _made(ipywidgets.Text, "Credits", str(preset.get("max_credits") or least))
        attach = preset.get("attach") or {}
        given = attach if isinstance(attach, Mapping) else {}
        self._offers = attachable_values.offered(shell, given)
        chosen = set(attach) | {name for name in ("figure", "traceback") if preset.get(name)}
        self.chosen = [_box(offer, ticked=offer.name in chosen) for offer in self._offers]
        self.full = ipywidgets.Checkbox(
            value=preset.get("profile") == "full",
            description="Count all rows of lazy tables",
            indent=False,
            layout=dict(_WIDE, display="" if any(offer.is_lazy for offer in self._offers) else "none"),
        )
        self.upload = ipywidgets.FileUpload(multiple=True, description="Upload files", layout={"width": "auto"})
        self.upload.observe(self._take, "value")
        self._taken = TextLines(spoken=True)
        self.cells = _made(ipywidgets.BoundedIntText, "Last cells", preset.get("context") or 0, min=0, max=50)
        self.schema = _made(ipywidgets.Combobox, "Schema", preset.get("schema") or "")
        self.schema.options = tuple(attachable_values.schemas(shell))
        self.schema.placeholder = "a variable's name, for data in place of text"

    @property
    def controls(self) -> list[Any]:
        """Every control, in the order in which one goes through them."""
        asked = [self.prompt, self.project, self.mode, self.tag, self.credits]
        return [*asked, *self.chosen, self.full, self.upload, self.cells, self.schema]

    def widget(self) -> Any:
        """Return the controls below each other."""
        asked, attached = self.controls[:5], self.controls[5:]
        after_upload = attached.index(self.upload) + 1
        attached.insert(after_upload, self._taken.widget)
        return ipywidgets.VBox([*asked, heading("Attach"), *attached], layout=COLUMN)

    def options(self) -> AskOptions:
        """Return what was filled in."""
        prompt = self.prompt.value.strip()
        if not prompt:
            raise BadRequestError("write what you want to know first.")
        attach = {offer.part: offer.get() for offer, box in self._both() if box.value}
        failure = attachments.last_failure(self._shell, allow_earlier=True) if "--traceback" in attach else None
        arguments = {
            "prompt": prompt,
            "attach": {**attach, **attachable_values.cells(self._shell, self.cells.value)},
            "files": (*self._files, *self._uploaded),
            "schema": self._schema(),
            "profile": "full" if self.full.value else None,
            **self._given(),
        }
        exception = None if failure is None else failure.identity
        return AskOptions.of(arguments, {}, contents_count=False, exception=exception)

    def _given(self) -> dict[str, Any]:
        """Return the options that were chosen. One that is what it would be if left out is the same as not given."""
        mode, tag, defaults = self.mode.value, self._session.tag(self.tag.value), self.defaults
        least = None if self._session.account.is_live else mode.credit_range[0]
        chosen = {
            "mode": (mode.value, defaults.mode or ServiceMode.STANDARD),
            "tag": (tag.name, self._session.tag(defaults.tag).name),
            "max_credits": (self.max_credits(), defaults.max_credits or least),
            "project": (self.project.value.strip() or None, defaults.project or self._session.folder),
        }
        return {name: value for name, (value, usual) in chosen.items() if value not in (None, usual)}

    def max_credits(self) -> int:
        """Return the credits that were typed.

        Raises:
            BadRequestError: nothing was, or it is no number, or not one that the mode takes.
        """
        mode, typed = self.mode.value, self.credits.value.replace(",", "").strip()
        least, most = mode.credit_range
        if not typed.isdecimal() or not least <= int(typed) <= most:
            said = f"not {typed!r}" if typed else "and none are given: nobody pays by default"
            raise BadRequestError(f"{mode.value} takes {least:,} to {most:,} credits, {said}.")
        return int(typed)

    def meaning(self) -> list[str]:
        """Say what the chosen mode and tag mean."""
        mode, tag = self.mode.value, self._session.tag(self.tag.value)
        least, most = mode.credit_range
        about = f"{tag.display_name or tag.name}: {tag.description}" if tag.description else ""
        return [f"{mode.value}: {least:,} to {most:,} credits, {mode.meaning}", about]

    def price(self) -> Decimal:
        """Return the worst case of what was chosen, in credits."""
        tag = self._session.tag(self.tag.value)
        return Decimal(calculate_final_credit_cost(self.max_credits(), self.mode.value, tag.cost_multiplier))

    def cell(self) -> str:
        """Return the cell that asks the same."""
        chosen = [offer.option.partition(" ") for offer, box in self._both() if box.value]
        values = {
            **{option.removeprefix("--"): True for option, _, name in chosen if not name},
            **self._given(),
            "attach": [name for option, _, name in chosen if option == "--attach"],
            "file": [*self._files, *(path.name for path in self._uploaded)],
            "context": self.cells.value,
            "schema": self.schema.value.strip(),
            "profile": "full" if self.full.value else None,
        }
        return cell_text.cell(self.prompt.value, values)

    def close(self) -> None:
        """Delete the copies of what was uploaded."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _take(self, change: Any) -> None:
        """Take what was uploaded, in place of what was uploaded before."""
        if change["new"]:
            self._uploaded = attachable_values.uploaded(self.upload, self._folder)
            self._taken.set_lines(f"uploaded: {', '.join(path.name for path in self._uploaded)}")

    def _both(self) -> list[tuple[attachable_values.AttachableValue, Any]]:
        return list(zip(self._offers, self.chosen, strict=True))

    def _schema(self) -> Any:
        name = self.schema.value.strip()
        if name and name not in self._shell.user_ns:
            raise BadRequestError(f"there is no variable {name!r} to take a schema from.")
        return self._shell.user_ns[name] if name else None


def _made(kind: Any, label: str, value: Any, **options: Any) -> Any:
    """Make a control with its label in front."""
    if value is not None:
        options["value"] = value
    return kind(description=label, style=dict(_LABELS), layout=dict(_WIDE), **options)


def _box(offer: attachable_values.AttachableValue, *, ticked: bool) -> Any:
    text = f"{offer.name}: {offer.about}"
    return ipywidgets.Checkbox(value=ticked, description=text, indent=False, layout=dict(_WIDE))


def _mode(mode: ServiceMode) -> str:
    return f"{mode.value} · {mode.multiplier}×"


def _tag(tag: Tag) -> str:
    """Name a tag in a line; an option of a list is plain text to the page."""
    return display.plain(f"{tag.display_name or tag.name} · {tag.cost_multiplier:g}×")
