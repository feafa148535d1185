"""Reading a ledger's URL: the file, or the server with database and schema, and how to name it without a password.

Whatever could be a ledger of its own without anyone having meant it is refused: a relative path, which another working
folder makes another file; a database in memory; a path cut off at its ``?``.
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
    """A SQLite ledger."""

    path: Path

    @property
    def place(self) -> str:
        """Names it in messages."""
        return str(self.path)


@dataclass(frozen=True)
class ServerAddress:
    """A ledger on PostgreSQL; ``schema`` is None where the URL names none."""

    url: URL
    schema: str | None

    @property
    def place(self) -> str:
        """Names it in messages, without user and password."""
        named = self.url.host or self.url.query.get("host") or "localhost"
        host = named if isinstance(named, str) else ",".join(named)
        if self.url.host and ":" in host:
            host = f"[{host}]"
        schema = f"?schema={self.schema}" if self.schema else ""
        return f"postgresql://{host}/{self.url.database or ''}{schema}"


def parse(url: str) -> FileAddress | ServerAddress:
    """Read a ledger's URL. What can't be read is not repeated, since a password may be in it.

    Raises:
        LedgerError: it is no URL of a ledger; the message says what one looks like.
    """
    url = url.strip()
    sqlite = _SQLITE.fullmatch(url)
    return _server(url) if sqlite is None else FileAddress(_file(sqlite["path"] or ""))


def ledger_file(url: str) -> Path | None:
    """Return where a ledger's file lies; None for one on a server."""
    address = parse(url)
    return address.path if isinstance(address, FileAddress) else None


def sqlite_url(path: Path) -> str:
    """Return the URL of a SQLite ledger at ``path``, whose folder is made 0700."""
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
    """Whether a part of the password may have been taken for the host's name, which is shown."""
    after_user = text.partition("://")[2].partition(":")[2]
    without_user = "@" in text and url.username is None and url.password is None
    return after_user.count("@") > 1 or without_user or (bool(url.host) and not _HOST.fullmatch(str(url.host)))
