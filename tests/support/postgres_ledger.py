"""Questions in a ledger on PostgreSQL."""

from sqlalchemy import insert, select

from codevf_nb.ledger.tables import leases


def names(store):
    with store.read() as connection:
        return set(connection.scalars(select(leases.c.name)))


def put(store, name, meanwhile=lambda: None):
    """Write a row, with something that happens in the midst of the transaction."""
    with store.write() as connection:
        connection.scalar(select(leases.c.name))
        meanwhile()
        connection.execute(insert(leases).values(name=name, owner="me", until=0.0))
