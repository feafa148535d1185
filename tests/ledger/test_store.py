"""Opening the ledger: whole transactions, private files, a journal that suits the place, and errors in one line."""

import contextlib
import sqlite3
import stat
import subprocess
import sys
import threading

import pytest
from sqlalchemy import delete, event, insert, select, text

from codevf_nb.ledger import (
    Ledger,
    LedgerError,
    MemoryStore,
    Store,
    ledger_file,
    sqlite_url,
)
from codevf_nb.ledger import (
    _journal as journal,
)
from codevf_nb.ledger.tables import leases

RAISE = """
import sys, time
from sqlalchemy import select, update
from codevf_nb.ledger import Store
from codevf_nb.ledger.tables import leases
store = Store(sys.argv[1])
for _ in range(25):
    with store.write() as connection:
        until = connection.scalar(select(leases.c.until))
        time.sleep(0.001)
        connection.execute(update(leases).values(until=until + 1))
"""


def put(store: Store, name: str, until: float = 0.0) -> None:
    with store.write() as connection:
        connection.execute(insert(leases).values(name=name, owner="me", until=until))


def put_all(store: Store, *given: str) -> None:
    with store.write() as connection:
        for name in given:
            connection.execute(insert(leases).values(name=name, owner="me", until=0.0))


def names(store: Store) -> list[str]:
    with store.read() as connection:
        return list(connection.scalars(select(leases.c.name).order_by(leases.c.name)))


def test_processes_that_read_and_then_write_take_turns(store, ledger_url):
    """What a writing transaction has read still holds when it writes: of 100 counted up by 4 processes none is lost."""
    put(store, "counter")
    command = [sys.executable, "-c", RAISE, ledger_url]
    assert [process.wait(60) for process in [subprocess.Popen(command) for _ in range(4)]] == [0] * 4
    with store.read() as connection:
        assert connection.scalar(select(leases.c.until)) == 100


def test_transactions_together_share_a_journal_and_nothing_else(tmp_path):
    """Each is committed by itself, and one that fails undone; afterwards the file alone is the whole ledger again."""
    place, journal_file = tmp_path / "ledger.sqlite", tmp_path / "ledger.sqlite-wal"
    store, other = (Store(f"sqlite:///{place}") for _ in range(2))
    put(store, "before")
    assert not journal_file.exists(), "without it the journal goes with each transaction"
    with store.reuse_connection():
        put(store, "a")
        first = journal_file.stat().st_ino
        assert names(other) == ["a", "before"]
        put(store, "b")
        assert journal_file.stat().st_ino == first
        with pytest.raises(LedgerError):
            put_all(store, "c", "a")
    assert not journal_file.exists()
    assert names(other) == ["a", "b", "before"]
    store.close()
    other.close()


def test_a_commit_that_fails_holds_up_nobody(tmp_path):
    """Whatever ends it, Ctrl-C too: the connection that is kept doesn't stay within a transaction."""
    store, other = (Store(f"sqlite:///{tmp_path / 'ledger.sqlite'}") for _ in range(2))

    def interrupt(_connection):
        event.remove(store._engine, "commit", interrupt)
        raise KeyboardInterrupt

    with store.reuse_connection():
        put(store, "a")
        event.listen(store._engine, "commit", interrupt)
        with pytest.raises(KeyboardInterrupt):
            put(store, "b")
        put(other, "c")
        put(store, "d")
    assert names(other) == ["a", "c", "d"]
    store.close()
    other.close()


def test_a_ledger_that_is_locked_is_told_and_used_again(tmp_path, monkeypatch):
    """Another program holds it for too long: one line says so, and the next transaction has its turn."""
    monkeypatch.setattr("codevf_nb.ledger._store.BUSY_SECONDS", 0.1)
    store = Store(f"sqlite:///{tmp_path / 'ledger.sqlite'}")
    with contextlib.closing(sqlite3.connect(tmp_path / "ledger.sqlite", isolation_level=None)) as other:
        with store.reuse_connection():
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(LedgerError, match="database is locked"):
                put(store, "a")
            other.execute("COMMIT")
            put(store, "b")
        assert names(store) == ["b"]
    store.close()


def test_what_was_deleted_is_in_no_journal_though_another_one_has_it_open(tmp_path):
    """Other kernels that have the ledger open at the same time keep no text in it."""
    place = tmp_path / "ledger.sqlite"
    store = Store(f"sqlite:///{place}")
    with contextlib.closing(sqlite3.connect(place)) as other:
        other.execute("SELECT count(*) FROM leases").fetchone()
        with store.reuse_connection():
            put(store, "a-very-telling-name")
            with store.write() as connection:
                connection.execute(delete(leases))
        assert other.execute("SELECT count(*) FROM leases").fetchone() == (0,)
        left = b"".join(path.read_bytes() for path in tmp_path.glob("ledger.sqlite*"))
        assert b"a-very-telling-name" not in left
    store.close()


def test_a_transaction_that_fails_never_was(store):
    """Whatever ends a writing transaction early, even Ctrl-C, leaves nothing of it behind."""

    def half():
        with store.write() as connection:
            connection.execute(insert(leases).values(name="half", owner="me", until=0.0))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        half()
    assert names(store) == []


def test_a_reading_transaction_sees_one_moment(store):
    """What somebody else commits meanwhile appears in the next one; and a reader makes no writer wait."""
    put(store, "a")
    with store.read() as connection:
        assert connection.scalars(select(leases.c.name)).all() == ["a"]
        writer = threading.Thread(target=put, args=(store, "b"))
        writer.start()
        writer.join(10)
        assert not writer.is_alive()
        assert connection.scalars(select(leases.c.name)).all() == ["a"]
    assert names(store) == ["a", "b"]


def test_time_is_the_ledger_s(store):
    """There is one time for all who share the ledger, and it is about now."""
    import time

    with store.read() as connection:
        inside = store.now(connection)
    assert inside <= store.clock() <= inside + 5
    assert abs(inside - time.time()) < 5


def test_what_is_broken_is_told_in_one_line(store):
    """An error of the database names the ledger and the reason, with no statement, parameter or second line."""
    put(store, "a")
    with pytest.raises(LedgerError) as caught:
        put(store, "a")
    assert str(caught.value).startswith(f"the ledger at {store.place} can't be used: ")
    assert "\n" not in str(caught.value)
    assert "INSERT" not in str(caught.value)
    assert "'me'" not in str(caught.value.__cause__)


# -- SQLite


@pytest.fixture
def place(tmp_path):
    """Where a SQLite ledger will be."""
    return tmp_path / "ledger.sqlite"


def modes(folder):
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.glob("*.sqlite*")}


@pytest.mark.parametrize("kind", ["wal", "delete"])
def test_files_are_private(tmp_path, place, kind, monkeypatch):
    """The ledger and whatever SQLite puts beside it while it is in use is for its owner alone."""
    monkeypatch.setattr(journal, "carries_wal", lambda _folder: kind == "wal")
    store = Store(f"sqlite:///{place}")
    with store.write() as connection:
        connection.execute(insert(leases).values(name="a", owner="me", until=0.0))
        beside = modes(tmp_path)
    assert set(beside) == {
        "ledger.sqlite",
        *({"ledger.sqlite-wal", "ledger.sqlite-shm"} if kind == "wal" else {"ledger.sqlite-journal"}),
    }
    assert set(beside.values()) == {0o600}


def journal_of(place):
    with contextlib.closing(sqlite3.connect(place)) as connection:
        return connection.execute("PRAGMA journal_mode").fetchone()[0]


def test_a_local_ledger_is_in_wal_mode(place):
    """On an ordinary file system readers and a writer work side by side."""
    Store(f"sqlite:///{place}")
    assert journal_of(place) == "wal"
    assert [path.name for path in place.parent.iterdir() if "probe" in path.name] == []


@pytest.mark.parametrize("system", ["nfs4", "cifs", "fuse.sshfs"])
def test_a_ledger_on_a_network_home_goes_without_wal(place, system, tmp_path, monkeypatch, caplog):
    """On a file system of the network the old journal is used, also by a ledger from before, and it is said."""
    Store(f"sqlite:///{place}")
    mounts = tmp_path / "mountinfo"
    mounts.write_text(
        "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
        f"50 22 0:40 / {tmp_path.resolve()} rw,relatime - {system} server:/home rw\n"
    )
    monkeypatch.setattr(journal, "MOUNTS", mounts)
    caplog.set_level("INFO", "codevf_nb.ledger")
    store = Store(f"sqlite:///{place}")
    assert journal_of(place) == "delete"
    put(store, "a")
    assert names(store) == ["a"]
    assert f"(on {system}) goes without WAL" in caplog.text


def test_a_folder_that_can_t_share_memory_goes_without_wal(place, monkeypatch):
    """Where WAL is accepted and then doesn't carry (SQLite tells it at the first write), the ledger isn't switched."""

    class Broken(journal.tempfile.TemporaryDirectory):
        def __enter__(self):
            folder = super().__enter__()
            (journal.Path(folder) / "probe.sqlite-shm").mkdir()  # so that no shared memory can be made there
            return folder

    monkeypatch.setattr(journal.tempfile, "TemporaryDirectory", Broken)
    store = Store(f"sqlite:///{place}")
    assert journal_of(place) == "delete"
    put(store, "a")
    assert names(store) == ["a"]


def test_a_ledger_in_use_keeps_its_journal(place, monkeypatch):
    """A ledger that another kernel is writing at this moment is opened with the journal it has."""
    Store(f"sqlite:///{place}")
    monkeypatch.setattr(journal, "file_system", lambda _path: "nfs")
    with contextlib.closing(sqlite3.connect(place, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert journal.set_mode(place, seconds=0.1) == "wal"


def test_the_system_says_where_a_path_lies(tmp_path, monkeypatch):
    """The innermost mount counts, names may hold blanks, and a system that tells nothing is no obstacle."""
    mounts = tmp_path / "mountinfo"
    home = tmp_path.resolve() / "my home"
    mounts.write_text(
        "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
        f"51 50 0:41 / {str(home).replace(' ', chr(92) + '040')} rw shared:7 - nfs server:/ rw\n"
    )
    monkeypatch.setattr(journal, "MOUNTS", mounts)
    assert journal.file_system(home / "ledger.sqlite") == "nfs"
    assert journal.file_system(tmp_path / "ledger.sqlite") == "ext4"
    monkeypatch.setattr(journal, "MOUNTS", tmp_path / "none")
    assert journal.file_system(home) == "unknown"


@pytest.mark.parametrize(
    "url",
    ["mysql://me:s3cret@db/team", "postgresql://me:s3cret@db:port/team", "me:s3cret@db", "sqlite://", "sqlite:///"],
)
def test_a_url_that_is_none_is_refused_without_telling_it(url):
    """What CODEVF_LEDGER must look like is said; what it held, perhaps a password, is not."""
    with pytest.raises(LedgerError, match="must be") as caught:
        Store(url)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:s3c@cret@db/team",
        "postgresql://me:s3cret@@db/team",
        "postgresql://me:x@s3cret/y@db/team",
        "postgresql://m/e:s3cret@db/team",
        "postgresql://:s3c@cret@127.0.0.1:1/team",
    ],
)
def test_no_part_of_a_password_is_taken_for_a_host(url):
    """Where it isn't clear what is password and what is host, nothing of either is shown or looked up."""
    with pytest.raises(LedgerError, match="@ must be written %40") as refused:
        Store(url)
    assert "cret" not in str(refused.value)


@pytest.mark.parametrize("name", ["a?b", "a%20b", "a%2", "a#b", "a b", "a&b=c", "ä+~é", "a'b\"c", "a:b;c"])
def test_a_home_of_any_name(tmp_path, name):
    """The ledger is the file in the folder that was named, and nothing lies elsewhere."""
    place = tmp_path / name / "ledger.sqlite"
    store = Store(sqlite_url(place))
    put(store, "a")
    assert store.place == str(place)
    assert ledger_file(sqlite_url(place)) == place
    store.close()
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [place]


@pytest.mark.parametrize(
    "url", ["sqlite:///:memory:", "sqlite:///ledger.sqlite", "sqlite:////tmp/a?b/ledger.sqlite", "sqlite:///file:x"]
)
def test_a_file_that_would_be_another_one_is_refused(url, tmp_path, monkeypatch):
    """One that depends on the working folder, or that isn't the one that was named; nothing is made."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(LedgerError, match=r"must be a file|takes no options"):
        Store(url)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("spoiled", ["newer", "damaged", "no database"])
def test_what_can_be_read_of_a_ledger_is_copied(tmp_path, spoiled):
    """Answers of a newer version, and those of a damaged file up to the damage, can be read; what isn't is said."""
    place = tmp_path / "ledger.sqlite"
    store = Store(f"sqlite:///{place}")
    questions = Ledger(store, "account", "test").questions
    about = dict.fromkeys(("environment", "origin", "credential", "asked_by"), "x")
    for number in range(300):
        questions.import_task(f"task_{number}", 1.0, status="completed", message="answer " * 100, **about)
    with store.write() as connection:
        if spoiled == "newer":
            connection.execute(text("ALTER TABLE questions ADD COLUMN later TEXT"))
            connection.execute(text("UPDATE meta SET value = '999'"))
    store.close()
    content = place.read_bytes()
    if spoiled == "damaged":
        place.write_bytes(content[: len(content) * 2 // 3] + b"\xff" * (len(content) // 3))
    elif spoiled == "no database":
        place.write_bytes(b"no database" * 1000)
    memory = MemoryStore(copy_of=place)
    found = len(Ledger(memory, "account", "test").questions.latest(1000))
    assert memory.copied == (found > 0) == (spoiled != "no database")
    assert spoiled != "newer" or found == 300
    memory.close()


def test_a_ledger_that_is_no_database(place):
    """A file that holds something else is named, and left as it was."""
    place.write_text("not a database, " * 100)
    with pytest.raises(LedgerError, match="file is not a database"):
        Store(f"sqlite:///{place}")
    assert place.read_text().startswith("not a database")


def test_codevf_ledger_may_name_another_file(tmp_path, monkeypatch, account):
    """CODEVF_LEDGER puts the ledger elsewhere, as private as in the home folder."""
    from codevf_nb import kernel

    elsewhere = tmp_path / "elsewhere.sqlite"
    monkeypatch.setenv("CODEVF_LEDGER", f"sqlite:///{elsewhere}")
    kernel.use(account)
    kernel.forget()
    assert modes(tmp_path)["elsewhere.sqlite"] == 0o600
