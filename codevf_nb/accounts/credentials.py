"""Storage of the API key: the system's keyring, or a file with mode 0600 where there is no keyring."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

from codevf_nb.accounts import _private_files as private_files
from codevf_nb.sdk.exceptions import ConfigurationError
from codevf_nb.sdk.secret import Secret

_SERVICE, _USER = "codevf_nb", "api-key"


def load(home: Path) -> tuple[Secret, str] | None:
    """Return the stored key and its place, or None.

    Raises:
        ConfigurationError: the keyring fails, or the file contains no readable key.
    """
    ring = _keyring()
    if ring is not None and (key := _from_ring(ring)):
        return key, "keyring"
    path = _file(home)
    trouble = ""
    try:
        key = _key_in(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        trouble = str(getattr(error, "strerror", "it is not UTF-8"))
    if trouble:  # raised here: the error that was caught holds what is in the file
        raise ConfigurationError(f"{path} can't be read: {trouble}")
    if key is None:
        raise ConfigurationError(f'{path} must hold {{"api_key": "…"}} with a key as text: run %codevf login again')
    if mode := private_files.rights_of_others(path):
        warnings.warn(
            f"codevf: others on this machine may read the API key in {path} (mode {mode}): chmod 600 '{path}'",
            stacklevel=2,
        )
    return key, str(path)


def save(api_key: Secret | str, home: Path) -> str:
    """Store a key for later kernels, and return its place.

    Raises:
        ConfigurationError: it can be stored neither in the keyring nor in the file.
    """
    key = Secret(api_key)
    del api_key  # so that no traceback shows it among the locals
    ring, path = _keyring(), _file(home)
    where = str(path) if ring is None else "the system's keyring"
    trouble = ""
    try:
        if ring is None:
            private_files.write(path, json.dumps({"api_key": key.reveal()}))
        else:
            ring.set_password(_SERVICE, _USER, key.reveal())
    except Exception as error:  # noqa: BLE001 - keyrings raise any class, in frames that contain the key
        trouble = getattr(error, "strerror", None) or type(error).__name__
    if trouble:
        raise ConfigurationError(f"the key can't be kept in {where} ({trouble}): set CODEVF_API_KEY instead.")
    return where


def forget(home: Path) -> bool:
    """Remove the stored key; return whether there was one."""
    found = _file(home).exists()
    ring = _keyring()
    if ring is not None and _from_ring(ring):
        ring.delete_password(_SERVICE, _USER)
        found = True
    _file(home).unlink(missing_ok=True)
    return found


def _from_ring(ring: Any) -> Secret | None:
    try:
        return Secret(ring.get_password(_SERVICE, _USER) or "") or None
    except Exception as error:  # noqa: BLE001 - keyrings raise any class
        trouble = type(error).__name__
    raise ConfigurationError(f"the system's keyring can't be read ({trouble}): unlock it, or set CODEVF_API_KEY.")


def _key_in(text: str) -> Secret | None:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return None
    key = content.get("api_key") if isinstance(content, dict) else None
    return Secret(key.strip()) or None if isinstance(key, str) else None


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
