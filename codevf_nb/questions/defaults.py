"""What a question is asked with unless its line says otherwise: IPython's own configuration, and what was kept."""

from __future__ import annotations

import warnings
from typing import Any

from traitlets import Int, TraitError, Unicode
from traitlets.config import Configurable

from codevf_nb.accounts import settings
from codevf_nb.questions.options import OPTIONS, Kind, Option
from codevf_nb.sdk.exceptions import ConfigurationError


class _Defaults(Configurable):
    """Defaults of every question: ``%config CodeVF.mode = "fast"``. An option on the line goes before these."""

    def values(self) -> dict[str, Any]:
        """Return every default by its name."""
        return {name: getattr(self, name) for name in sorted(self.trait_names(config=True))}

    def __repr__(self) -> str:
        return "\n".join(f"CodeVF.{name} = {value!r}" for name, value in self.values().items())


def _trait(option: Option) -> Any:
    """Return the trait of an option; 0 and "" mean "not configured"."""
    if option.kind is Kind.INTEGER:
        return Int(0, help=f"{option.help}; 0: not configured").tag(config=True)
    return Unicode("", help=f"{option.help}; empty: not configured").tag(config=True)


CodeVF: Any = type("CodeVF", (_Defaults,), {option.name: _trait(option) for option in OPTIONS if option.configurable})
CodeVF.__module__, CodeVF.__doc__ = __name__, _Defaults.__doc__


def make(shell: Any) -> _Defaults:
    """Make the defaults of a shell: those that were kept, and over them IPython's own configuration."""
    try:
        made: _Defaults = CodeVF(parent=shell, **_kept(shell))
    except (TraitError, ConfigurationError, OSError) as error:  # what was kept must not keep the extension from loading
        warnings.warn(f"codevf: the kept defaults are ignored: {error}", stacklevel=2)
        made = CodeVF(parent=shell)
    return made


def of(shell: Any) -> _Defaults:
    """Return the defaults of a shell that has the extension loaded."""
    return next(part for part in shell.configurables if isinstance(part, _Defaults))


def values_of(shell: Any) -> dict[str, Any]:
    """Return the defaults of a shell; nothing where there is no shell, or it hasn't the extension loaded."""
    found = (part.values() for part in getattr(shell, "configurables", ()) if isinstance(part, _Defaults))
    return next(found, {})


def _kept(shell: Any) -> dict[str, Any]:
    """Return what ``%codevf config --save`` has kept; IPython's own configuration goes before it."""
    kept = settings.stored().get("defaults", {})
    names = set(CodeVF.class_trait_names(config=True)) - set(shell.config.get("CodeVF", {}))
    return {name: value for name, value in kept.items() if name in names}
