"""Where a key that was given once is kept: the system's keyring, or a 0600 file where there is none."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import Any

_SERVICE, _USER = "codevf_nb", "api-key"


def load(home: Path) -> tuple[str, str] | None:
    """Return the kept key and where it was found, or None."""
    ring = _keyring()
    if ring is not None and (key := ring.get_password(_SERVICE, _USER)):
        return key, "keyring"
    with contextlib.suppress(FileNotFoundError, ValueError, KeyError):
        return json.loads(_file(home).read_text(encoding="utf-8"))["api_key"], str(_file(home))
    return None


def save(api_key: str, home: Path) -> str:
    """Keep a key for later kernels and return where it now lies."""
    ring = _keyring()
    if ring is not None:
        ring.set_password(_SERVICE, _USER, api_key)
        return "the system's keyring"
    path = _file(home)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump({"api_key": api_key}, file)
    path.chmod(0o600)
    return str(path)


def forget(home: Path) -> bool:
    """Remove the kept key wherever it lies; whether there was one."""
    found = load(home) is not None
    ring = _keyring()
    if ring is not None and ring.get_password(_SERVICE, _USER):
        ring.delete_password(_SERVICE, _USER)
    _file(home).unlink(missing_ok=True)
    return found


def _file(home: Path) -> Path:
    return home / "credentials.json"


def _keyring() -> Any:
    """Return the keyring module if it is installed and has a place to write to."""
    try:
        import keyring
        from keyring.backends import fail, null
    except ImportError:
        return None
    return None if isinstance(keyring.get_keyring(), fail.Keyring | null.Keyring) else keyring
