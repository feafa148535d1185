"""Where a key that was given once is kept: the system's keyring, or a 0600 file where there is none."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

from codevf_nb import private_files
from codevf_nb.sdk.exceptions import ConfigurationError

_SERVICE, _USER = "codevf_nb", "api-key"


def load(home: Path) -> tuple[str, str] | None:
    """Return the kept key and where it was found, or None.

    Raises:
        ConfigurationError: there is a file, and no key can be read in it.
    """
    ring = _keyring()
    if ring is not None and (key := ring.get_password(_SERVICE, _USER)):
        return key, "keyring"
    path = _file(home)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{path} can't be read: {getattr(error, 'strerror', 'it is not UTF-8')}") from None
    key = _key_in(text)
    if key is None:
        raise ConfigurationError(f'{path} must hold {{"api_key": "…"}} with a key as text: run %codevf login again')
    if mode := private_files.rights_of_others(path):
        warnings.warn(
            f"codevf: others on this machine may read the API key in {path} (mode {mode}): chmod 600 '{path}'",
            stacklevel=2,
        )
    return key, str(path)


def save(api_key: str, home: Path) -> str:
    """Keep a key for later kernels and return where it now lies."""
    ring = _keyring()
    if ring is not None:
        ring.set_password(_SERVICE, _USER, api_key)
        return "the system's keyring"
    private_files.write(_file(home), json.dumps({"api_key": api_key}))
    return str(_file(home))


def forget(home: Path) -> bool:
    """Remove the kept key wherever it lies; whether there was one."""
    found = _file(home).exists()
    ring = _keyring()
    if ring is not None and ring.get_password(_SERVICE, _USER):
        ring.delete_password(_SERVICE, _USER)
        found = True
    _file(home).unlink(missing_ok=True)
    return found


def _key_in(text: str) -> str | None:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return None
    key = content.get("api_key") if isinstance(content, dict) else None
    return key.strip() or None if isinstance(key, str) else None


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
