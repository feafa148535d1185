"""What the kinds of database have to offer that a ledger can lie in."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Engine

from codevf_nb.ledger import migrations
from codevf_nb.ledger._digests import Digests


class Database:
    """One database, opened. ``keeps_journal``: it has a journal file that comes and goes with its connections."""

    engine: Engine
    keeps_journal = False

    def begin(self, connection: Connection, *, writes: bool) -> None:
        """Begin a transaction; one that writes waits here until no other one does."""
        raise NotImplementedError

    def set_up(self, connection: Connection, digests: Digests) -> None:
        """Bring the tables up to date, and refuse what the ledger can't be kept in; within a writing transaction."""
        migrations.upgrade(connection, digests)

    def advice(self, error: BaseException) -> str:  # noqa: ARG002 - a kind of database may have some
        """Say what to do about an error, where more can be said than what the database says."""
        return ""

    def empty_journal(self) -> None:
        """Delete what the journal holds, if no other process needs it."""


def driver_connection(connection: Connection) -> Any:
    """Return the driver's own connection."""
    return connection.connection.driver_connection
