"""Nobody pays twice or past a budget, however the database, the role and what lies before it are configured."""

from collections.abc import Callable

import pytest

from tests.ledger import races

pytestmark = pytest.mark.databases

ISOLATION = "default_transaction_isolation = '{}'".format


def _own_schemas(server) -> str:
    """A role with a schema of its own, to which search_path leads first."""
    name = server.database().rsplit("/", 1)[1]
    role = server.role("search_path = '\"$user\", public'")
    server.sql(f"CREATE SCHEMA AUTHORIZATION {role}", f"GRANT USAGE, CREATE ON SCHEMA public TO {role}", database=name)
    return server.url(name, role)


def _with_tls(server) -> str:
    url = server.database()
    server.only_with_tls(url.rsplit("/", 1)[1])
    return url + "?sslmode=require"


PLACES: dict[str, Callable[..., str]] = {
    "as installed": lambda debian: debian.database(),
    "read uncommitted": lambda debian: debian.database(ISOLATION("read uncommitted")),
    "repeatable read": lambda debian: debian.database(ISOLATION("repeatable read")),
    "serializable": lambda debian: debian.database(ISOLATION("serializable"), "synchronous_commit = off"),
    "a role's own schema": _own_schemas,
    "a named schema": lambda debian: debian.database("search_path = nowhere") + "?schema=Code%20\"VF'",
    "only with TLS": _with_tls,
}


@pytest.mark.parametrize("place", PLACES)
def test_processes_race(debian, place):
    """On Debian's server, whatever the defaults are."""
    races.for_one_budget(PLACES[place](debian))


def test_processes_race_through_a_pooler(bouncer):
    """Each transaction may be on another connection of the server's."""
    races.for_one_budget(bouncer.database(ISOLATION("repeatable read"), "synchronous_commit = off"))


def test_processes_race_on_the_newest_server(newest):
    """The same on the newest version of PostgreSQL that comes as a wheel."""
    races.for_one_budget(newest.database(ISOLATION("repeatable read"), "synchronous_commit = off"))
