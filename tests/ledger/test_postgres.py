"""A ledger that a team shares on PostgreSQL."""

import sys
import threading
import time

import pytest
from sqlalchemy import func, insert, make_url, select, text

from codevf_nb.ledger import (
    Catalogue,
    LeaderLease,
    LedgerError,
    RateLimiter,
    Store,
)
from codevf_nb.ledger.tables import leases
from tests.ledger import races
from tests.postgres import Postgres
from tests.support.postgres_ledger import names, put
from tests.waiting import eventually


@pytest.fixture
def database(postgres) -> str:
    """The URL of an empty database, with a password in it."""
    return postgres.database()


def test_processes_race(ledger_url):
    """Nobody pays twice for the same question, or past a budget."""
    races.for_one_budget(ledger_url)


@pytest.mark.parametrize("level", ["read uncommitted", "read committed", "repeatable read", "serializable"])
def test_what_a_writer_has_read_still_holds(postgres, level):
    """Whatever the default isolation: who waited for another writer sees what that one has written, and can write."""
    url = postgres.database(f"default_transaction_isolation = '{level}'", "synchronous_commit = off")
    first, second = Store(url), Store(url)
    seen = []

    def count() -> None:
        with second.write() as connection:
            seen.append(connection.scalar(select(func.count()).select_from(leases)))
            seen.append(connection.scalar(text("SHOW synchronous_commit")))
            connection.execute(insert(leases).values(name="b", owner="me", until=0.0))

    with first.write() as connection:
        waiting = threading.Thread(target=count)
        waiting.start()
        is_waiting = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
        eventually(lambda: connection.scalar(is_waiting) == 1, "the other one waits")
        connection.execute(insert(leases).values(name="a", owner="me", until=0.0))
    waiting.join(30)
    assert seen == [1, "on"]
    assert names(first) == {"a", "b"}
    first.close()
    second.close()


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
def test_a_database_that_can_t_hold_every_answer(postgres, encoding):
    """It is refused when it is opened, before anything can be paid, in one line that says what to do."""
    url = postgres.database(clause=f"ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0")
    with pytest.raises(LedgerError, match=f"encoded in {encoding}.*ENCODING 'UTF8'"):
        Store(url)


def test_roles_with_schemas_of_their_own_share_one_ledger(postgres):
    """Whatever their search_path is, the second role finds the first one's ledger; which rights it lacks is listed."""
    name = str(make_url(postgres.database()).database)
    ada, bob = (postgres.role("search_path = '\"$user\", public'") for _ in range(2))
    for role in (ada, bob):
        grant = f"GRANT USAGE, CREATE ON SCHEMA public TO {role}"
        postgres.sql(f"CREATE SCHEMA AUTHORIZATION {role}", grant, database=name)
    first = Store(postgres.url(name, ada))
    put(first, "a")
    with pytest.raises(LedgerError, match=r"permission denied for accounts and .*: GRANT USAGE ON SCHEMA") as refused:
        Store(postgres.url(name, bob))
    grants = str(refused.value).partition("rights: ")[2].split("; ")
    assert len(grants) == 3
    postgres.sql(*grants, database=name)
    second = Store(postgres.url(name, bob))
    put(second, "b")
    assert names(first) == names(second) == {"a", "b"}
    first.close()
    second.close()


def test_two_ledgers_in_one_database(postgres):
    """Where there are two already, which one is used is a person's choice, and never that of search_path."""
    url = postgres.database()
    named = f"{url}{'&' if '?' in url else '?'}schema=team"
    for one in (Store(url), Store(named)):
        put(one, one.place)
        assert names(one) == {one.place}
        one.close()
    with pytest.raises(LedgerError, match=r"in each of the schemas public, team, .*\?schema=public"):
        Store(url)
    again = Store(named)
    assert names(again) == {again.place}
    again.close()


def test_ids_that_the_service_chooses(store):
    """A number of 63 bits is kept; a longer one is refused in one line."""
    catalogue = Catalogue(store, "account")
    catalogue.keep_project("p", 2**63 - 1)
    assert catalogue.project("p") == 2**63 - 1
    with pytest.raises(LedgerError) as refused:
        catalogue.keep_project("q", 2**64)
    assert "\n" not in str(refused.value)


def test_a_url_without_a_driver(database):
    """What a hub's operator pastes (postgresql://…) works: psycopg is taken."""
    store = Store(database.replace("+psycopg", ""))
    put(store, "a")
    assert names(store) == {"a"}
    store.close()


def test_psycopg_is_missing(database, monkeypatch):
    """Without the extra, the error says what to install."""
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(LedgerError, match=r"pip install 'codevf_nb\[postgres\]'"):
        Store(database)


def test_the_password_is_told_to_nobody(database):
    """Neither the store nor an error of it holds the URL's password in what can be printed."""
    store = Store(database)
    put(store, "a")
    with pytest.raises(LedgerError) as caught:
        put(store, "a")
    error = caught.value
    shown = [repr(store), repr(vars(store)), store.place, str(error), repr(error.__cause__), repr(error.__context__)]
    assert "s3cret" in database
    assert not [told for told in shown if "s3cret" in told]
    store.close()


def test_no_server_answers():
    """A server that isn't there is one line that names it, without the password."""
    with pytest.raises(LedgerError) as caught:
        Store("postgresql+psycopg://me:s3cret@127.0.0.1:1/team?connect_timeout=2")
    told = str(caught.value)
    assert told.startswith("the ledger at postgresql://127.0.0.1/team can't be used: ")
    assert "\n" not in told
    assert "s3cret" not in told


def test_the_server_is_killed():
    """A ledger whose server dies says so in one line, within the transaction or before it, and works again with it."""
    server = Postgres()
    try:
        store = Store(server.database())
        put(store, "before")
        with pytest.raises(LedgerError) as caught:
            put(store, "lost", meanwhile=server.kill)
        assert "\n" not in str(caught.value)
        with pytest.raises(LedgerError, match="can't be used: "):
            names(store)
        server.start()
        put(store, "after")
        server.kill()
        server.start()
        assert names(store) == {"before", "after"}, "a connection from before the server was started anew is not used"
        store.close()
    finally:
        server.stop()


def test_the_database_s_clock_counts(database, monkeypatch):
    """A machine whose own clock is an hour ahead neither waits an hour for a turn, nor takes a duty that is held."""
    here = Store(database)
    assert LeaderLease(here, "watch", "here", 8.0).acquire()
    assert RateLimiter(here, "key", 1.0).try_take() == 0
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + 3600)
    there = Store(database)
    assert not LeaderLease(there, "watch", "there", 8.0).acquire()
    assert 0 < RateLimiter(there, "key", 1.0).try_take() <= 1.1
    assert abs(there.clock() - real()) < 5
    here.close()
    there.close()


def test_a_process_that_stops_within_a_transaction(database, monkeypatch):
    """Suspended with the ledger's lock in its hand, it loses it, so that the team goes on."""
    monkeypatch.setattr("codevf_nb.ledger._store.ABANDONED_SECONDS", 1)
    suspended = Store(database)
    other = Store(database)
    with pytest.raises(LedgerError):
        put(suspended, "never", meanwhile=lambda: put(other, "a"))
    assert names(other) == {"a"}
    suspended.close()
    other.close()


def test_a_lock_that_isn_t_given_back(database, monkeypatch):
    """Waiting for the ledger ends after a while, with one line."""
    monkeypatch.setattr("codevf_nb.ledger._store.BUSY_SECONDS", 1.0)
    store, other = Store(database), Store(database)
    with store.write(), pytest.raises(LedgerError, match="lock timeout"):
        put(other, "a")
    store.close()
    other.close()


def test_a_kernel_holds_few_connections(database):
    """Five threads at once are served, and afterwards one connection stays open."""
    store = Store(database)
    writers = [threading.Thread(target=put, args=(store, str(number))) for number in range(5)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    query = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")

    def connections():
        with store.read() as connection:
            return connection.scalar(query)

    eventually(lambda: connections() == 1, "one connection only")
    store.close()


SPENDING = """
CREATE ROLE accountant;
CREATE VIEW spending AS
    SELECT account, environment, asked_by, project, mode, tag, status, cost_cap, credits_used, created_at, completed_at
    FROM questions;
GRANT SELECT ON spending TO accountant;
"""


def test_rights_are_the_database_s(database):
    """A role that may read a view without texts, and nothing else, reads who spent what, and no text."""
    store = Store(database)
    with store.write() as connection:
        connection.execute(text(SPENDING))

    def read_as_accountant(query):
        with store.read() as connection:
            connection.execute(text("SET LOCAL ROLE accountant"))
            return connection.execute(text(query)).all()

    assert read_as_accountant("SELECT asked_by, credits_used FROM spending") == []
    with pytest.raises(LedgerError, match="permission denied"):
        read_as_accountant("SELECT prompt FROM questions")
    store.close()
