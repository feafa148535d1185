"""Where a key that was given once is kept: the system's keyring, or a 0600 file where there is none."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import Any

_SERVICE, _USER = "codevf_nb", "api-key"


def load() -> tuple[str, str] | None:
    """Return the kept key and where it was found, or None."""
    ring = _keyring()
    if ring is not None and (key := ring.get_password(_SERVICE, _USER)):
        return key, "keyring"
    with contextlib.suppress(FileNotFoundError, ValueError, KeyError):
        return json.loads(_file().read_text(encoding="utf-8"))["api_key"], str(_file())
    return None


def save(api_key: str) -> str:
    """Keep a key for later kernels and return where it now lies."""
    ring = _keyring()
    if ring is not None:
        ring.set_password(_SERVICE, _USER, api_key)
        return "the system's keyring"
    descriptor = os.open(_file(), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump({"api_key": api_key}, file)
    _file().chmod(0o600)
    return str(_file())


def forget() -> bool:
    """Remove the kept key wherever it lies; whether there was one."""
    found = load() is not None
    ring = _keyring()
    if ring is not None and ring.get_password(_SERVICE, _USER):
        ring.delete_password(_SERVICE, _USER)
    _file().unlink(missing_ok=True)
    return found


def _file() -> Path:
    from codevf_nb import settings

    return settings.home() / "credentials.json"


def _keyring() -> Any:
    """Return the keyring module if it is installed and has a place to write to."""
    try:
        import keyring
        from keyring.backends import fail, null
    except ImportError:
        return None
    return None if isinstance(keyring.get_keyring(), fail.Keyring | null.Keyring) else keyring
