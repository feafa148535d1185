"""Addresses of services and files, parsed once: everything that decides where a key or a request may go uses this type.

Two libraries that read the same text differently are how an allow-list is passed: one takes a backslash into the host,
the other ends the host there. So what is accepted here has one reading only, and requests are made from the
canonical text of the parsed address (`str`), never from what was typed.
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
# A last label like these makes systems read the whole host as a number: 127.1, 2130706433, 0x7f.1.
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")


class AddressError(ValueError):
    """A text is no address that can be used; the message says why, in a few words that follow the text."""


@dataclass(frozen=True)
class Address:
    """Where a request goes. `host` is in lower case (an IPv6 address without brackets); `path` holds a query too."""

    scheme: str
    host: str
    port: int
    path: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """The address of a service; each spelling of the same address gives the same one.

        Raises:
            AddressError: it is no http(s) address, or has a part that a service's address can't have.
        """
        scheme, authority, path, query, fragment = _split(text)
        if query or fragment:
            raise AddressError("has a query or a fragment, which belong to no service's address")
        if not _BASE_PATH.fullmatch(path):
            raise AddressError("has a character in its path that belongs to no service's address")
        parts = path.rstrip("/").split("/")
        if not all(parts[1:]) or {".", ".."} & set(parts):
            raise AddressError("has an empty part, . or .. in its path")
        return cls(scheme, *_host_and_port(scheme, authority), "/".join(parts) + "/")

    @classmethod
    def link(cls, text: str) -> Self:
        """The address of a file: as `parse`, but path and query are left as they are; a fragment is dropped.

        Raises:
            AddressError: it is no http(s) address, or its host has more than one reading.
        """
        scheme, authority, path, query, _ = _split(text)
        return cls(scheme, *_host_and_port(scheme, authority), (path or "/") + query)

    @property
    def origin(self) -> tuple[str, str, int]:
        """What two addresses of the same service share: scheme, host and port."""
        return self.scheme, self.host, self.port

    @property
    def is_loopback(self) -> bool:
        """Whether it is this machine and nothing else: localhost, 127.0.0.0/8 or ::1."""
        return self.host == "localhost" or (_is_ip(self.host) and ipaddress.ip_address(self.host).is_loopback)

    @property
    def may_be_this_machine(self) -> bool:
        """Whether it may be this machine, going by its name: loopback, or a name below localhost."""
        return self.is_loopback or f".{self.host}".endswith((".localhost", ".localhost.localdomain"))

    @property
    def is_codevf(self) -> bool:
        """Whether the host is one of CodeVF's."""
        return self.host == CODEVF_DOMAIN or self.host.endswith(f".{CODEVF_DOMAIN}")

    def may_have_live_key(self, allowed_hosts: Collection[str] = ()) -> bool:
        """Whether a live key may go there: over https, to CodeVF's hosts or to one that is named as allowed."""
        return self.scheme == "https" and (self.is_codevf or self.host in allowed_hosts)

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == DEFAULT_PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}{self.path}"


def parse_hosts(given: object) -> frozenset[str]:
    """The hosts of a list, as `Address.host` has them.

    Raises:
        AddressError: it is no list (a text would allow each of its letters), or an entry is no host.
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


def shown(text: object) -> str:
    """A text that is no address, as a message may show it: a password or a key in it is left out."""
    return repr(re.sub(r"[?#].*", "?…", re.sub(r"(?<=//).*@", "…@", str(text), flags=re.DOTALL), flags=re.DOTALL))


def _split(text: str) -> tuple[str, str, str, str, str]:
    if not isinstance(text, str) or not (shape := _SHAPE.fullmatch(text)):
        raise AddressError("is no http(s) address, such as https://codevf.com/api/v1/")
    if any(char < " " or char in "\\\x7f" for char in text):
        raise AddressError("has a backslash or a control character in it")
    scheme, authority, path, query, fragment = (part or "" for part in shape.groups())
    return scheme.lower(), authority, path, query, fragment


def _host_and_port(scheme: str, authority: str) -> tuple[str, int]:
    if "@" in authority:
        raise AddressError("has a user name, which belongs into no address")
    found = _AUTHORITY.fullmatch(authority)
    if found is None:
        raise AddressError("has no host that can be used: letters, digits, dots and hyphens (or an IPv6 address in [])")
    port = int(found[2] or DEFAULT_PORTS[scheme])
    if not 0 < port < 65536:
        raise AddressError("has no port between 1 and 65535")
    return _host(found[1].lower()), port


def _host(name: str) -> str:
    """One host in its one spelling."""
    labels = name.split(".")
    if name.startswith("[") or _NUMBER.fullmatch(labels[-1]):
        return _ip(name.strip("[]"))
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise AddressError("has no host that can be used: each part between dots has 1 to 63 letters, digits and -")
    return name


def _ip(text: str) -> str:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        raise AddressError(
            "has a host that is no whole IP address: write it as 127.0.0.1 or [::1], or use its name"
        ) from None
    if address.is_unspecified or getattr(address, "ipv4_mapped", None) is not None:
        raise AddressError("has an IP address that stands for another one: name that one")
    return str(address)


def _is_ip(host: str) -> bool:
    return ":" in host or _NUMBER.fullmatch(host.rpartition(".")[2]) is not None
