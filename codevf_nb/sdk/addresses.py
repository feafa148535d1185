"""Addresses of services and files. Every decision about where a key or a request may be sent uses the parsed type.

An allow-list fails when two libraries parse the same text differently: for one of them a backslash is part of the host,
for the other it ends the host. Therefore only texts with a single meaning are accepted, and requests use the
canonical text of the parsed address (`str`), never the original text.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Self

CODEVF_DOMAIN = "codevf.com"
DEFAULT_PORTS = {"http": 80, "https": 443}

# RFC 3986, appendix B, for http and https only.
_SHAPE = re.compile(r"(https?)://([^/?#]*)([^?#]*)(\?[^#]*)?(#.*)?", re.IGNORECASE | re.ASCII | re.DOTALL)
_AUTHORITY = re.compile(r"(\[[0-9a-fA-F.]*:[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+)(?::([0-9]{0,5}))?")
_BASE_PATH = re.compile(r"[A-Za-z0-9._~!$&'()*+,;=:@/-]*")
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
# With such a last label, operating systems parse the whole host as a number: 127.1, 2130706433, 0x7f.1.
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")


class AddressError(ValueError):
    """A text is not a valid address. The message is the rest of a sentence that starts with the text."""


@dataclass(frozen=True)
class Address:
    """The address of a request.

    Attributes:
        scheme: `http` or `https`.
        host: The host in lower case. An IPv6 address has no brackets.
        port: The port.
        path: The path and the query.
    """

    scheme: str
    host: str
    port: int
    path: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse the address of a service. All spellings of an address give equal results.

        Raises:
            AddressError: The text is not an http(s) address, or has a part that the address of a service can't have.

        Example:
            >>> str(Address.parse("HTTPS://codevf.com:443/api/v1"))
            'https://codevf.com/api/v1/'
        """
        scheme, authority, path, query, fragment = _split(text)
        if query or fragment:
            raise AddressError("has a query or a fragment, which the address of a service can't have")
        if not _BASE_PATH.fullmatch(path):
            raise AddressError("has a character in its path that the address of a service can't have")
        parts = path.rstrip("/").split("/")
        if not all(parts[1:]) or {".", ".."} & set(parts):
            raise AddressError("has an empty part, . or .. in its path")
        return cls(scheme, *_host_and_port(scheme, authority), "/".join(parts) + "/")

    @classmethod
    def link(cls, text: str) -> Self:
        """Parse the address of a file. Path and query are kept unchanged, and a fragment is removed.

        Raises:
            AddressError: The text is not an http(s) address, or its host is ambiguous.
        """
        scheme, authority, path, query, _ = _split(text)
        return cls(scheme, *_host_and_port(scheme, authority), (path or "/") + query)

    @property
    def origin(self) -> tuple[str, str, int]:
        """Scheme, host and port. They are equal for two addresses of the same service."""
        return self.scheme, self.host, self.port

    @property
    def is_loopback(self) -> bool:
        """Whether the address is certainly this machine: localhost, 127.0.0.0/8 or ::1."""
        return self.host == "localhost" or (_is_ip(self.host) and ipaddress.ip_address(self.host).is_loopback)

    @property
    def may_be_this_machine(self) -> bool:
        """Whether the address may be this machine: a loopback address, or a name below localhost."""
        return self.is_loopback or f".{self.host}".endswith((".localhost", ".localhost.localdomain"))

    @property
    def is_codevf(self) -> bool:
        """Whether the host belongs to CodeVF."""
        return self.host == CODEVF_DOMAIN or self.host.endswith(f".{CODEVF_DOMAIN}")

    def may_have_live_key(self, allowed_hosts: Collection[str] = ()) -> bool:
        """Return whether a live key may be sent there: over https, to a host of CodeVF or to an allowed host."""
        return self.scheme == "https" and (self.is_codevf or self.host in allowed_hosts)

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == DEFAULT_PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}{self.path}"


def parse_hosts(given: object) -> frozenset[str]:
    """Parse a list of hosts, in the form of `Address.host`.

    Raises:
        AddressError: The value is not a list (a text would allow each of its letters), or an entry is not a host.
    """
    if not isinstance(given, list | tuple | set | frozenset):
        raise AddressError(f'must be a list of hosts, such as ["proxy.example.com"], not {given!r}')
    return frozenset(_listed_host(host) for host in given)


def _listed_host(given: object) -> str:
    found = _AUTHORITY.fullmatch(given) if isinstance(given, str) else None
    if found is None or found[2] is not None:
        raise AddressError(f"holds {given!r}, which is not the bare name of a host, such as proxy.example.com")
    try:
        return _host(found[1].lower())
    except AddressError as error:
        raise AddressError(f"holds {given!r}, which {error}") from None


def masked_address(text: object) -> str:
    """Return an invalid address for a message, without a password or a key that it contains."""
    return repr(re.sub(r"[?#].*", "?…", re.sub(r"(?<=//).*@", "…@", str(text), flags=re.DOTALL), flags=re.DOTALL))


def _split(text: str) -> tuple[str, str, str, str, str]:
    if not isinstance(text, str) or not (shape := _SHAPE.fullmatch(text)):
        raise AddressError("is not an http(s) address, such as https://codevf.com/api/v1/")
    if any(char < " " or char in "\\\x7f" for char in text):
        raise AddressError("has a backslash or a control character in it")
    scheme, authority, path, query, fragment = (part or "" for part in shape.groups())
    return scheme.lower(), authority, path, query, fragment


def _host_and_port(scheme: str, authority: str) -> tuple[str, int]:
    if "@" in authority:
        raise AddressError("has a user name, which an address can't have")
    found = _AUTHORITY.fullmatch(authority)
    if found is None:
        raise AddressError("has no valid host: letters, digits, dots and hyphens (or an IPv6 address in [])")
    port = int(found[2] or DEFAULT_PORTS[scheme])
    if not 0 < port < 65536:
        raise AddressError("has no port between 1 and 65535")
    return _host(found[1].lower()), port


def _host(name: str) -> str:
    """Return the canonical spelling of a host."""
    labels = name.split(".")
    if name.startswith("[") or _NUMBER.fullmatch(labels[-1]):
        return _ip(name.strip("[]"))
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise AddressError("has no valid host: each part between dots has 1 to 63 letters, digits and -")
    return name


def _ip(text: str) -> str:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        raise AddressError(
            "has a host that is not a complete IP address: write it as 127.0.0.1 or [::1], or use its name"
        ) from None
    if address.is_unspecified or getattr(address, "ipv4_mapped", None) is not None:
        raise AddressError("has an IP address that means another address: use that address")
    return str(address)


def _is_ip(host: str) -> bool:
    return ":" in host or _NUMBER.fullmatch(host.rpartition(".")[2]) is not None
