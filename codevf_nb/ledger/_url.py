"""Parses the URL of a ledger: a file, or a server with database and schema.

A URL that could open an unintended ledger is refused: a relative path, whose file depends on the working directory; a
database in memory; a path that is cut off at its ``?``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from codevf_nb.ledger._errors import LedgerError

_FORM = "CODEVF_LEDGER must be a sqlite:////… or postgresql+psycopg://… URL."
_FILE = "the ledger must be a file: sqlite:////home/me/ledger.sqlite, with four slashes."
_UNCLEAR = (
    "in CODEVF_LEDGER it is not clear where the password ends and the host begins: "
    "in user and password @ must be written %40, : %3A and / %2F."
)
_SQLITE = re.compile(r"sqlite(?:\+pysqlite)?://(?P<path>/.*)?", re.IGNORECASE | re.DOTALL)
_HOST = re.compile(r"[\w.-]+|[0-9a-f:.]+(?:%\w+)?", re.IGNORECASE)


@dataclass(frozen=True)
class FileAddress:
    """The address of a ledger in a SQLite file."""

    path: Path

    @property
    def place(self) -> str:
        """The ledger's name in messages."""
        return str(self.path)


@dataclass(frozen=True)
class ServerAddress:
    """The address of a ledger on PostgreSQL; ``schema`` is None if the URL has none."""

    url: URL
    schema: str | None

    @property
    def place(self) -> str:
        """The ledger's name in messages, without user and password."""
        named = self.url.host or self.url.query.get("host") or "localhost"
        host = named if isinstance(named, str) else ",".join(named)
        if self.url.host and ":" in host:
            host = f"[{host}]"
        schema = f"?schema={self.schema}" if self.schema else ""
        return f"postgresql://{host}/{self.url.database or ''}{schema}"


def parse(url: str) -> FileAddress | ServerAddress:
    """Parse the URL of a ledger.

    Raises:
        LedgerError: The URL is invalid. The message shows the correct form, and not the URL, which may contain a
            password.
    """
    url = url.strip()
    sqlite = _SQLITE.fullmatch(url)
    return _server(url) if sqlite is None else FileAddress(_file(sqlite["path"] or ""))


def ledger_file(url: str) -> Path | None:
    """Return the path of a ledger's file; None for a ledger on a server.

    Raises:
        LedgerError: The URL is invalid.
    """
    address = parse(url)
    return address.path if isinstance(address, FileAddress) else None


def sqlite_url(path: Path) -> str:
    """Return the URL of a SQLite ledger at ``path``; create its folder with mode 0700.

    Raises:
        LedgerError: The folder can't be created.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise LedgerError(f"the ledger at {path} can't be made: {error.strerror}") from error
    return f"sqlite:///{quote(str(path), safe='/:')}"


def _file(after_slashes: str) -> Path:
    named = after_slashes[1:]
    if "?" in named:
        raise LedgerError("the ledger's file takes no options: in CODEVF_LEDGER a ? in its path is written %3F.")
    decoded = unquote(named)
    if decoded in ("", ":memory:") or decoded.startswith("file:") or "\0" in decoded:
        raise LedgerError(_FILE)
    path = Path(decoded).expanduser()
    if not path.is_absolute():
        whole = f"sqlite:///{quote(str(path.absolute()), safe='/:')}"
        raise LedgerError(f"{_FILE} {decoded!r} depends on the working folder; from here it would be {whole}.")
    return path


def _server(text: str) -> ServerAddress:
    try:
        url = make_url(re.sub("^postgres(?=://)", "postgresql", text))
    except (ArgumentError, ValueError):
        raise LedgerError(_FORM) from None
    if url.get_backend_name() != "postgresql":
        raise LedgerError(_FORM)
    if _is_unclear(text, url):
        raise LedgerError(_UNCLEAR)
    schema = url.query.get("schema")
    if schema == "" or isinstance(schema, tuple):
        raise LedgerError("?schema= in CODEVF_LEDGER must name one schema.")
    plain = url.difference_update_query(["schema"]).set(drivername="postgresql+psycopg")
    return ServerAddress(plain, schema)


def _is_unclear(text: str, url: URL) -> bool:
    """Return whether part of the password may have been parsed as the host name, which messages show."""
    after_user = text.partition("://")[2].partition(":")[2]
    without_user = "@" in text and url.username is None and url.password is None
    return after_user.count("@") > 1 or without_user or (bool(url.host) and not _HOST.fullmatch(str(url.host)))
