"""A ledger that a team shares on PostgreSQL."""

import subprocess
import sys
import threading
import time

import pytest
from sqlalchemy import insert, select, text

from codevf_nb.ledger import Duty, LedgerError, Limiter, Store
from codevf_nb.ledger.tables import leases, questions
from codevf_nb.sandbox import Sandbox
from tests.postgres import Postgres
from tests.waiting import eventually

ASK = """
import sys, time
from codevf_nb import kernel
from codevf_nb.settings import Account
from codevf_nb.submission import InFlightError
_, base_url, api_key = sys.argv
session = kernel.use(Account("sandbox", "sandbox", base_url, api_key, "a test", "sandbox", None))
draft = session.draft("Is this join dropping rows?", code="a.merge(b)", project="team")
for _ in range(100):
    try:
        print(session.ask(draft).id)
        break
    except InFlightError:
        time.sleep(0.1)
kernel.forget()
"""


@pytest.fixture
def database(postgres) -> str:
    """The URL of an empty database, with a password in it."""
    return postgres.database()


def names(store):
    with store.read() as connection:
        return set(connection.scalars(select(leases.c.name)))


def put(store, name, meanwhile=lambda: None):
    """Write a row, with something that happens in the midst of the transaction."""
    with store.write() as connection:
        connection.scalar(select(leases.c.name))
        meanwhile()
        connection.execute(insert(leases).values(name=name, owner="me", until=0.0))


def test_processes_race_for_one_question(ledger_url, monkeypatch):
    """Five kernels that ask the same question at once make one task of it, and all of them get that one."""
    monkeypatch.setenv("CODEVF_LEDGER", ledger_url)
    with Sandbox(rate_limit=None, reviewer="none") as box:
        command = [sys.executable, "-c", ASK, box.base_url, box.api_key]
        racers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(5)]
        told = [racer.communicate(timeout=60)[0].split() for racer in racers]
        assert [racer.returncode for racer in racers] == [0] * 5
        made = [task["id"] for task in box.tasks()]
    assert len(made) == 1
    assert told == [made] * 5
    store = Store(ledger_url)
    with store.read() as connection:
        rows = connection.execute(select(questions.c.task_id, questions.c.asked_by)).all()
    store.close()
    assert [row.task_id for row in rows] == made
    assert rows[0].asked_by


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
    assert Duty(here, "watch", "here", 8.0).is_mine()
    assert Limiter(here, "key", 1.0).free_in() == 0
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + 3600)
    there = Store(database)
    assert not Duty(there, "watch", "there", 8.0).is_mine()
    assert 0 < Limiter(there, "key", 1.0).free_in() <= 1.1
    assert abs(there.clock() - real()) < 5
    here.close()
    there.close()


def test_a_process_that_stops_within_a_transaction(database, monkeypatch):
    """Suspended with the ledger's lock in its hand, it loses it, so that the team goes on."""
    monkeypatch.setattr("codevf_nb.ledger.store.ABANDONED_SECONDS", 1)
    suspended = Store(database)
    other = Store(database)
    with pytest.raises(LedgerError):
        put(suspended, "never", meanwhile=lambda: put(other, "a"))
    assert names(other) == {"a"}
    suspended.close()
    other.close()


def test_a_lock_that_isn_t_given_back(database, monkeypatch):
    """Waiting for the ledger ends after a while, with one line."""
    monkeypatch.setattr("codevf_nb.ledger.store.BUSY_SECONDS", 1.0)
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
