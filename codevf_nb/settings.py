"""Which account a kernel talks to, where its files lie, and where each of these came from.

The order is fixed and nothing changes silently: a sandbox asked for in this kernel, else ``CODEVF_SANDBOX=1``,
else the key from the environment, the keyring or the credentials file; else no account at all.
"""

from __future__ import annotations

import getpass
import hashlib
import ipaddress
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from codevf_nb import private_files
from codevf_nb.sdk.exceptions import AuthenticationError, ConfigurationError

LIVE_BASE_URL = "https://codevf.com/api/v1/"
CODEVF_DOMAIN = "codevf.com"
DOCUMENTED_REQUESTS_PER_SECOND = 1.0

NO_ACCOUNT = (
    "no CodeVF account: set CODEVF_API_KEY, or run %codevf login, "
    "or try it without one: %codevf sandbox. Nothing was sent."
)


@dataclass(frozen=True)
class Account:
    """One account of the service: where it is, what opens it, and what the tables call it.

    ``origin`` is what a prepared question is bound to: the base URL, or for a managed sandbox its name, since its port
    changes with each start. ``requests_per_second`` is None where nothing limits them. ``polls_move_time``: the
    service's clock is virtual and moves with the requests, so that there is nothing to wait for between them.
    """

    name: str
    environment: str
    base_url: str
    api_key: str = field(repr=False)
    source: str
    origin: str
    requests_per_second: float | None = DOCUMENTED_REQUESTS_PER_SECOND
    polls_move_time: bool = False

    @property
    def credential(self) -> str:
        """A fingerprint of the key (SHA-256, 16 hex digits), safe to store: keys themselves never enter the ledger."""
        return fingerprint(self.api_key)

    @property
    def is_live(self) -> bool:
        """Whether questions on this account cost real money."""
        return self.environment == "live"


def fingerprint(api_key: str) -> str:
    """Name a key without telling it."""
    return hashlib.sha256(f"codevf_nb credential {api_key}".encode()).hexdigest()[:16]


def home() -> Path:
    """Return the folder of ledger, settings and key (``CODEVF_NB_HOME``, else the user's data folder); made 0700.

    Raises:
        ConfigurationError: it is relative, so that another working folder would have another ledger.
    """
    named = os.environ.get("CODEVF_NB_HOME")
    if named:
        folder = Path(named).expanduser()
        if not folder.is_absolute():
            raise ConfigurationError(
                f"CODEVF_NB_HOME is {named!r}, which depends on the working folder: with another one the ledger would "
                f"be another, and what was asked would be paid for again. From here it would be {folder.absolute()}."
            )
    else:
        import platformdirs

        folder = platformdirs.user_data_path("codevf_nb", appauthor=False)
    if not folder.is_dir():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def user() -> str:
    """Return who asks: the JupyterHub user where there is one, else the login name."""
    try:
        return os.environ.get("JUPYTERHUB_USER") or getpass.getuser()
    except (OSError, KeyError):  # a container's user without a name
        return "unknown"


def stored() -> dict[str, Any]:
    """Return what ``settings.json`` in the home folder says; an empty dict where there is none."""
    path = home() / "settings.json"
    try:
        settings = json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigurationError(f"{path} can't be read as JSON: {error}") from None
    if not isinstance(settings, dict):
        raise ConfigurationError(f"{path} must hold a JSON object, not {type(settings).__name__}")
    if not isinstance(settings.get("defaults", {}), dict):
        raise ConfigurationError(f'"defaults" in {path} must be a JSON object of options and their values')
    return settings


def store(**settings: Any) -> Path:
    """Keep settings in ``settings.json``, with those already there, and return where that is."""
    path = home() / "settings.json"
    with private_files.lock(path.with_suffix(".lock")):
        private_files.write(path, json.dumps(stored() | settings, indent=2) + "\n")
    return path


def account_from_key() -> Account:
    """Return the account that the environment, the keyring or the credentials file names.

    Raises:
        AuthenticationError: there is no key, or it may not go to the base URL.
    """
    api_key, source = _find_key()
    base_url = os.environ.get("CODEVF_BASE_URL") or LIVE_BASE_URL
    environment = check_host(api_key, base_url)
    origin = base_url.rstrip("/") + "/"
    mark = hashlib.sha256(f"{origin} {fingerprint(api_key)}".encode()).hexdigest()[:6]
    return Account(f"{environment}-{mark}", environment, origin, api_key, source=source, origin=origin)


def check_host(api_key: str, base_url: str) -> str:
    """Return the environment (live, test or sandbox) of this key at this URL, or refuse to let the key go there."""
    parts = urlsplit(base_url)
    host = (parts.hostname or "").lower()
    live = not api_key.startswith("cvf_test_")
    if is_loopback(host) and not live:
        return "sandbox"
    if parts.scheme != "https":
        kind = "a live key goes" if live else "a test key goes"
        where = "over https only" if live else "over https, or over http to this machine"
        raise AuthenticationError(f"{kind} {where}: {base_url} is neither. Nothing was sent.")
    known = host == CODEVF_DOMAIN or host.endswith("." + CODEVF_DOMAIN)
    if not known and host not in stored().get("hosts", ()):
        raise AuthenticationError(
            f"{host} is not a CodeVF host: to let the key go there, put it into "
            f'"hosts" in {home() / "settings.json"}. Nothing was sent.'
        )
    return "live" if live else "test"


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine itself."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _find_key() -> tuple[str, str]:
    from codevf_nb import credentials

    if "CODEVF_API_KEY" in os.environ:
        return os.environ["CODEVF_API_KEY"], "CODEVF_API_KEY"
    found = credentials.load(home())
    if found is None:
        raise AuthenticationError(NO_ACCOUNT)
    return found
