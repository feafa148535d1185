"""What a question is asked with unless its line says otherwise: IPython's own configuration, and what was kept."""

from __future__ import annotations

import warnings
from typing import Any

from traitlets import Int, TraitError, Unicode
from traitlets.config import Configurable

from codevf_nb.accounts import settings
from codevf_nb.sdk.exceptions import ConfigurationError


class CodeVF(Configurable):
    """Defaults of every question: ``%config CodeVF.mode = "fast"``. An option on the line goes before these."""

    mode = Unicode("", help="service mode: realtime_answer, fast or standard").tag(config=True)
    tag = Unicode("", help="expertise tag, by name or id; empty: the cheapest active one").tag(config=True)
    max_credits = Int(0, help="credits a question may use before multipliers; 0: the least its mode allows").tag(
        config=True
    )
    project = Unicode("", help="project name; empty: the name of the working folder").tag(config=True)

    def values(self) -> dict[str, Any]:
        """Return every default by its name."""
        return {name: getattr(self, name) for name in sorted(self.trait_names(config=True))}

    def __repr__(self) -> str:
        return "\n".join(f"CodeVF.{name} = {value!r}" for name, value in self.values().items())


def make(shell: Any) -> CodeVF:
    """Make the defaults of a shell: those that were kept, and over them IPython's own configuration."""
    try:
        return CodeVF(parent=shell, **_kept(shell))
    except (TraitError, ConfigurationError, OSError) as error:  # what was kept must not keep the extension from loading
        warnings.warn(f"codevf: the kept defaults are ignored: {error}", stacklevel=2)
        return CodeVF(parent=shell)


def of(shell: Any) -> CodeVF:
    """Return the defaults of a shell that has the extension loaded."""
    return next(part for part in shell.configurables if isinstance(part, CodeVF))


def values_of(shell: Any) -> dict[str, Any]:
    """Return the defaults of a shell; nothing where there is no shell, or it hasn't the extension loaded."""
    found = (part.values() for part in getattr(shell, "configurables", ()) if isinstance(part, CodeVF))
    return next(found, {})


def _kept(shell: Any) -> dict[str, Any]:
    """Return what ``%codevf config --save`` has kept; IPython's own configuration goes before it."""
    kept = settings.stored().get("defaults", {})
    names = set(CodeVF.class_trait_names(config=True)) - set(shell.config.get("CodeVF", {}))
    return {name: value for name, value in kept.items() if name in names}
