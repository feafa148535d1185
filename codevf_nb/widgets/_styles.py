"""Layouts and styles that widgets have in common: each is a model of its own, with its price in time and memory."""

from __future__ import annotations

import threading
from typing import Any

import ipywidgets

_lock = threading.Lock()
_common: dict[tuple[Any, ...], dict[str, Any]] = {}


def looks(kind: Any, **layout: str) -> dict[str, Any]:
    """Return what to make a widget of this kind with, so that it has its layout and style in common with all others."""
    key = (kind, *layout.items())
    with _lock:
        found = _common.get(key)
        if found is None or any(part.comm is None for part in found.values()):  # Widget.close_all() has closed them
            found = _common[key] = _made(kind, layout)
    return found


def is_common(part: Any) -> bool:
    """Whether other widgets may look like this too, so that whoever closes a widget leaves it open."""
    with _lock:
        return any(part is one for found in _common.values() for one in found.values())


def _made(kind: Any, layout: dict[str, str]) -> dict[str, Any]:
    parts = {"layout": ipywidgets.Layout(**layout)}
    if kind.class_traits().get("style") is not None:
        parts["style"] = kind.style.klass()
    return parts
