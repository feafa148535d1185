"""Debian's PostgreSQL and PgBouncer, started once for all tests on loopback."""

from collections.abc import Iterator

import pytest

from tests.postgres import DEBIAN, PGBOUNCER, DebianPostgres, PgBouncer, Postgres


@pytest.fixture(scope="session")
def debian() -> Iterator[DebianPostgres]:
    """Debian's server."""
    if not DEBIAN.exists():
        pytest.skip("Debian's package postgresql is not installed")
    server = DebianPostgres()
    yield server
    server.remove()


@pytest.fixture(scope="session")
def bouncer(debian: DebianPostgres) -> Iterator[PgBouncer]:
    """A pooler in transaction mode before it."""
    if not PGBOUNCER.exists():
        pytest.skip("Debian's package pgbouncer is not installed")
    pooler = PgBouncer(debian)
    yield pooler
    pooler.remove()


@pytest.fixture(scope="session")
def newest() -> Iterator[Postgres]:
    """The newest server that comes as a wheel."""
    server = Postgres()
    yield server
    server.stop()
