"""The interface of a database that can hold a ledger."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Engine

from codevf_nb.ledger import migrations
from codevf_nb.ledger._digests import Digests


class Database:
    """An open database.

    Attributes:
        engine: SQLAlchemy's engine.
        keeps_journal: Whether a journal file is created and deleted with the connections.
    """

    engine: Engine
    keeps_journal = False

    def begin(self, connection: Connection, *, writes: bool) -> None:
        """Begin a transaction; a writing transaction waits here until no other one is open."""
        raise NotImplementedError

    def set_up(self, connection: Connection, digests: Digests) -> None:
        """Migrate the tables, and refuse an unsuitable database; runs in a writing transaction.

        Raises:
            LedgerError: The database is not suitable for a ledger.
        """
        migrations.upgrade(connection, digests)

    def advice(self, error: BaseException) -> str:  # noqa: ARG002 - subclasses use it
        """Return advice on an error that adds to the database's own message, or ""."""
        return ""

    def empty_journal(self) -> None:
        """Empty the journal file if no other process uses it."""


def driver_connection(connection: Connection) -> Any:
    """Return the connection of the database driver."""
    return connection.connection.driver_connection
