"""The account that a kernel uses, the folder of its files, and the source of each setting.

The order is fixed and nothing changes silently: a sandbox chosen in this kernel, else ``CODEVF_SANDBOX=1``, else the
key from the environment, the keyring or the credentials file; else no account.
"""

from __future__ import annotations

import getpass
import hashlib
import json
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from codevf_nb.accounts import _private_files as private_files
from codevf_nb.sdk.addresses import (
    Address,
    AddressError,
    masked_address,
    parse_hosts,
)
from codevf_nb.sdk.exceptions import AuthenticationError, ConfigurationError
from codevf_nb.sdk.secret import Secret

LIVE_BASE_URL = "https://codevf.com/api/v1/"
DOCUMENTED_REQUESTS_PER_SECOND = 1.0

NO_ACCOUNT = (
    "no CodeVF account: set CODEVF_API_KEY, or run %codevf login, "
    "or try it without one: %codevf sandbox. Nothing was sent."
)


def _not_gone() -> None:
    """Return None: the account can answer, as far as is known."""


@dataclass(frozen=True)
class Account:
    """One account of the service.

    Attributes:
        name: Its name in the ledger.
        environment: live, test or sandbox.
        base_url: The URL of the API.
        api_key: The key.
        source: Where the key was found.
        origin: What a prepared question is bound to: the base URL, or the name of a managed sandbox, since its port
            changes with each start.
        requests_per_second: The rate limit; None without one.
        polls_move_time: The service's clock is virtual and moves with the requests, so that no wait is needed.
        allowed_hosts: Hosts besides CodeVF's own that may receive a live key.
        gone: Returns why the account can't answer any more; None while it can.
    """

    name: str
    environment: str
    base_url: str
    api_key: Secret = field(repr=False)
    source: str
    origin: str
    requests_per_second: float | None = DOCUMENTED_REQUESTS_PER_SECOND
    polls_move_time: bool = False
    allowed_hosts: tuple[str, ...] = ()
    gone: Callable[[], str | None] = field(default=_not_gone, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Wrap the key, so that it is text only where its header is built."""
        object.__setattr__(self, "api_key", Secret(self.api_key))

    @property
    def credential(self) -> str:
        """A fingerprint of the key (SHA-256, 16 hex digits), safe to store: keys themselves never enter the ledger."""
        return fingerprint(self.api_key)

    @property
    def is_live(self) -> bool:
        """Whether questions on this account cost real money."""
        return self.environment == "live"


def fingerprint(api_key: Secret) -> str:
    """Return an identifier of a key that does not reveal it."""
    return hashlib.sha256(f"codevf_nb credential {api_key.reveal()}".encode()).hexdigest()[:16]


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


def secret() -> bytes:
    """Return the secret of this home folder, the key of the attachments' hashes; it is created at the first call."""
    path = home() / "hashes.key"
    if not path.exists():
        with private_files.lock(path.with_suffix(".lock")):
            if not path.exists():  # another kernel may have made it meanwhile
                private_files.write(path, secrets.token_hex(32) + "\n")
    return path.read_bytes().strip()


def user() -> str:
    """Return the user's name: of JupyterHub where there is one, else the login name."""
    try:
        return os.environ.get("JUPYTERHUB_USER") or getpass.getuser()
    except (OSError, KeyError):  # a container's user without a name
        return "unknown"


@lru_cache(maxsize=1)
def folder_name() -> str:
    """Return the default project: the name of the notebook's folder, fixed at the first call in a process."""
    try:
        # Jupyter Server tells a kernel the path of its notebook; a runner may start the kernel somewhere else.
        notebook = os.environ.get("JPY_SESSION_NAME", "")
        folder = Path(notebook).parent if Path(notebook).is_absolute() else Path.cwd()
    except OSError:  # the working folder was deleted
        return "notebook"
    return folder.name or "notebook"


def stored() -> dict[str, Any]:
    """Return the content of ``settings.json`` in the home folder; an empty dict without one.

    Raises:
        ConfigurationError: it can't be read, or is no JSON object.
    """
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
    """Add settings to ``settings.json``, and return its path."""
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
    address = base_address()
    environment = check_host(api_key, address)
    origin = str(address)
    mark = hashlib.sha256(f"{origin} {fingerprint(api_key)}".encode()).hexdigest()[:6]
    allowed = tuple(sorted(allowed_hosts()))
    name = f"{environment}-{mark}"
    return Account(name, environment, origin, api_key, source=source, origin=origin, allowed_hosts=allowed)


def base_address() -> Address:
    """Return the address of the service: ``CODEVF_BASE_URL``, else CodeVF's own.

    Raises:
        AuthenticationError: it can't be read as the address of a service.
    """
    base_url = os.environ.get("CODEVF_BASE_URL") or LIVE_BASE_URL
    try:
        return Address.parse(base_url)
    except AddressError as error:
        raise AuthenticationError(f"CODEVF_BASE_URL {masked_address(base_url)} {error}. Nothing was sent.") from None


def allowed_hosts() -> frozenset[str]:
    """Return the hosts that ``"hosts"`` in ``settings.json`` names, besides CodeVF's own."""
    try:
        return parse_hosts(stored().get("hosts", ()))
    except AddressError as error:
        raise ConfigurationError(f'"hosts" in {home() / "settings.json"} {error}. Nothing was sent.') from None


def check_host(api_key: Secret | str, address: Address) -> str:
    """Return the environment (live, test or sandbox) of a key at an address.

    Raises:
        AuthenticationError: the key may not be sent there.
    """
    live = not Secret(api_key).is_test
    if address.is_loopback and not live:
        return "sandbox"
    if address.scheme != "https":
        kind = "a live key goes" if live else "a test key goes"
        where = "over https only" if live else "over https, or over http to this machine"
        raise AuthenticationError(f"{kind} {where}: {address} is neither. Nothing was sent.")
    if not address.may_have_live_key(allowed_hosts()):
        raise AuthenticationError(
            f"{address.host} is not a CodeVF host: to let the key go there, put it into "
            f'"hosts" in {home() / "settings.json"}. Nothing was sent.'
        )
    return "live" if live else "test"


def _find_key() -> tuple[Secret, str]:
    from codevf_nb.accounts import credentials

    if "CODEVF_API_KEY" in os.environ:
        return Secret(os.environ["CODEVF_API_KEY"]), "CODEVF_API_KEY"
    found = credentials.load(home())
    if found is None:
        raise AuthenticationError(NO_ACCOUNT)
    return found
