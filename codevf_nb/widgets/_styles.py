"""Layouts and styles that widgets share: each is a model of its own, which costs time and memory."""

from __future__ import annotations

import threading
from typing import Any

import ipywidgets

_lock = threading.Lock()
_shared: dict[tuple[Any, ...], dict[str, Any]] = {}


def shared_styles(kind: Any, **layout: str) -> dict[str, Any]:
    """Return the keyword arguments for a widget of this kind, with the layout and style that it shares with others."""
    key = (kind, *layout.items())
    with _lock:
        found = _shared.get(key)
        if found is None or any(part.comm is None for part in found.values()):  # Widget.close_all() has closed them
            found = _shared[key] = _made(kind, layout)
    return found


def is_shared(part: Any) -> bool:
    """Whether other widgets may use this layout or style, so that closing a widget must leave it open."""
    with _lock:
        return any(part is one for found in _shared.values() for one in found.values())


def _made(kind: Any, layout: dict[str, str]) -> dict[str, Any]:
    parts = {"layout": ipywidgets.Layout(**layout)}
    if kind.class_traits().get("style") is not None:
        parts["style"] = kind.style.klass()
    return parts
