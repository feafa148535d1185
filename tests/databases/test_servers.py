"""What happens to servers: they are started again, replaced by replicas, and put behind poolers."""

import threading

import pytest
from sqlalchemy import text

from codevf_nb.ledger import LedgerError, Store
from tests.support.postgres_ledger import names, put

pytestmark = pytest.mark.databases


def test_a_pooler_gives_each_transaction_another_connection(bouncer):
    """Two hundred transactions of four threads all succeed, each with its own settings and none with another's."""
    store = Store(bouncer.database("synchronous_commit = off", "default_transaction_isolation = 'serializable'"))
    failed, servers = [], set()

    def work(number: int) -> None:
        try:
            for count in range(25):
                put(store, f"{number} {count}")
                with store.read() as connection:
                    assert connection.scalar(text("SHOW transaction_isolation")) == "repeatable read"
                    servers.add(connection.scalar(text("SELECT pg_backend_pid()")))
        except BaseException as error:  # noqa: BLE001 - the test shall see whatever it is
            failed.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failed == []
    assert len(names(store)) == 100
    assert len(servers) > 1
    with store.write() as connection:
        set_here = [connection.scalar(text(f"SHOW {name}")) for name in ("lock_timeout", "synchronous_commit")]
    assert set_here == ["15s", "on"]
    store.close()
    left = bouncer.sql("SHOW lock_timeout", database=store.place.rsplit("/", 1)[1])
    assert left == [("0",)], "nothing is left on a connection that others get"


def test_a_server_that_is_started_again_between_two_questions(debian, bouncer):
    """The connections that are dead by then are replaced, directly and behind a pooler."""
    url = debian.database()
    stores = [Store(url), Store(bouncer.url(url.rsplit("/", 1)[1]))]
    for number, store in enumerate(stores):
        put(store, f"before {number}")
    debian.stop()
    debian.start()
    for number, store in enumerate(stores):
        put(store, f"after {number}")
        assert len(names(store)) == 3 + number
        store.close()


def test_a_replica_can_only_be_read(debian):
    """It is refused when it is opened, in one line that says so; a server that becomes one is, when it is written."""
    url = debian.database()
    name = url.rsplit("/", 1)[1]
    store = Store(url)
    put(store, "a")
    replica = debian.replica()
    try:
        with pytest.raises(LedgerError, match=r"can only be read\. Name the server .* is a replica"):
            Store(replica.url(name))
    finally:
        replica.stop()
    with store.write() as connection:
        connection.execute(text("SET TRANSACTION READ ONLY"))
        with pytest.raises(LedgerError, match=r"read-only transaction\. Name the server"), store._raise_ledger_errors():
            connection.execute(text("DELETE FROM leases"))
    store.close()


def test_a_server_that_wants_tls(debian):
    """It is given by itself; where the URL says that there must be none, one line says why nobody is let in."""
    url = debian.database()
    debian.only_with_tls(url.rsplit("/", 1)[1])
    store = Store(url)
    with store.read() as connection:
        assert connection.scalar(text("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"))
    store.close()
    with pytest.raises(LedgerError, match="no encryption") as refused:
        Store(url + "?sslmode=disable")
    assert "\n" not in str(refused.value)
    with pytest.raises(LedgerError, match="certificate"):
        Store(url + "?sslmode=verify-full&sslrootcert=system")
