"""The steps from an empty database to today's tables: numbered, append-only, and losing nothing on the way."""

import json
import threading

import pytest
from sqlalchemy import Column, MetaData, Text, inspect, select, text
from sqlalchemy import types as sql

from codevf_nb.ledger import Store, migrations, tables
from codevf_nb.ledger._digests import Digests
from codevf_nb.ledger.migrations import NewerLedgerError

VERSIONS = range(len(migrations.STEPS))


def shape(metadata: MetaData) -> dict:
    """What matters of tables: columns with their kinds and whether they may be empty, keys, constraints, indexes."""
    return {
        table.name: {
            "columns": {
                column.name: (_kind(column), column.nullable or column.primary_key) for column in table.columns
            },
            "key": sorted(column.name for column in table.primary_key),
            "unique": sorted(
                sorted(column.name for column in constraint.columns)
                for constraint in table.constraints
                if type(constraint).__name__ == "UniqueConstraint"
            ),
            "indexes": sorted(
                (str(index.name), [column.name for column in index.columns])
                for index in table.indexes
                if not index.unique
            ),
        }
        for table in metadata.sorted_tables
    }


def _kind(column: Column) -> str:
    kinds = (sql.LargeBinary, sql.Integer, sql.Float, sql.String)
    return next(kind.__name__ for kind in kinds if isinstance(column.type, kind))


def reflected(store: Store) -> MetaData:
    found = MetaData()
    with store.read() as connection:
        found.reflect(connection)
    return found


def fill(store: Store) -> dict[str, int]:
    """Put a row into every table there is but the one with the version; how many each then has."""
    with store.write() as connection:
        for table in _tables(connection):
            values = {column.name: _value(column) for column in table.columns}
            connection.execute(table.insert().values(values))
        return {table.name: 1 for table in _tables(connection)}


def _tables(connection) -> list:
    found = MetaData()
    found.reflect(connection)
    return [table for table in found.sorted_tables if table.name != "meta"]


def _value(column: Column) -> object:
    return {"LargeBinary": b"bytes", "Integer": 1, "Float": 1.5, "String": "[]"}[_kind(column)]


def test_the_steps_lead_to_the_tables(store):
    """What the steps have made after the last one is what the code thinks there is."""
    assert shape(reflected(store)) == shape(tables.metadata)


def test_a_second_opening_finds_nothing_to_do(ledger_url, store):
    """Opening an up-to-date ledger changes nothing."""
    before = fill(store)
    again = Store(ledger_url)
    assert shape(reflected(again)) == shape(tables.metadata)
    with again.read() as connection:
        assert {
            name: len(connection.execute(select(text("*")).select_from(text(name))).all()) for name in before
        } == before
    again.close()


@pytest.mark.parametrize("version", VERSIONS)
def test_every_earlier_version_is_brought_up_with_its_rows(ledger_url, monkeypatch, version):
    """A ledger of any version that was ever there opens today, and each of its rows is still in it."""
    check_upgrade(ledger_url, monkeypatch, version)


OLD_BUDGETS = [
    ("live-1", "", "day", 500.0),
    ("live-2", "", "day", 300.0),
    ("live-2", "", "week", 900.0),
    ("live-1", "shop", "day", 50.0),
    ("test-1", "", "day", 20.0),
    ("sandbox", "", "day", 7.0),
    ("sandbox-2", "", "day", 8.0),
    ("sandbox-ab12cd", "", "month", 9.0),
]


@pytest.mark.parametrize("version", range(1, 4))
def test_budgets_of_accounts_become_those_of_their_environment(ledger_url, monkeypatch, version):
    """Where two of them meet, the smaller one stays: no new version lets more be spent than was allowed before."""
    with monkeypatch.context() as patch:
        patch.setattr(migrations, "STEPS", migrations.STEPS[:version])
        old = Store(ledger_url)
        with old.write() as connection:
            for row in OLD_BUDGETS:
                named = dict(zip("apdc", row, strict=True))
                connection.execute(text("INSERT INTO budgets VALUES (:a, :p, :d, :c)"), named)
        old.close()
    store = Store(ledger_url)
    with store.read() as connection:
        assert sorted(map(tuple, connection.execute(select(tables.budgets)))) == [
            ("live", "", "day", 300.0),
            ("live", "", "week", 900.0),
            ("live", "shop", "day", 50.0),
            ("sandbox", "", "day", 7.0),
            ("sandbox", "", "month", 9.0),
            ("test", "", "day", 20.0),
        ]
    store.close()


def test_a_step_that_is_added_keeps_the_rows(ledger_url, monkeypatch):
    """So will it be with the next step: today's ledger, full of rows, gets a column and keeps them all."""
    column = Column("next_thing", Text)
    monkeypatch.setattr(migrations, "STEPS", (*migrations.STEPS, ("ALTER TABLE questions ADD COLUMN next_thing TEXT",)))
    metadata = MetaData()
    for table in tables.metadata.sorted_tables:
        table.to_metadata(metadata)
    metadata.tables["questions"].append_column(column)
    monkeypatch.setattr(tables, "metadata", metadata)
    check_upgrade(ledger_url, monkeypatch, len(migrations.STEPS) - 1)


def check_upgrade(ledger_url, monkeypatch, version: int) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(migrations, "STEPS", migrations.STEPS[:version])
        old = Store(ledger_url)
        rows = fill(old)
        old.close()
    store = Store(ledger_url)
    assert shape(reflected(store)) == shape(tables.metadata)
    with store.read() as connection:
        for name, count in rows.items():
            assert connection.scalar(text(f"SELECT count(*) FROM {name}")) == count  # noqa: S608 - our own names
        assert connection.scalar(text("SELECT value FROM meta")) == str(len(migrations.STEPS))
    store.close()


def test_a_step_that_fails_leaves_the_ledger_as_it_was(ledger_url, store, monkeypatch):
    """Steps and version are one transaction: half of a step is never there."""
    bad = ("CREATE TABLE half (x TEXT)", "CREATE TABLE half (x TEXT)")
    with monkeypatch.context() as patch:
        patch.setattr(migrations, "STEPS", (*migrations.STEPS, bad))
        with pytest.raises(Exception, match="half"):
            Store(ledger_url)
    again = Store(ledger_url)
    with again.read() as connection:
        assert not inspect(connection).has_table("half")
    again.close()


def test_kernels_that_open_a_new_ledger_at_once_take_turns(ledger_url):
    """Eight kernels find no tables at the same moment: one makes them, none stumbles."""
    start, errors = threading.Barrier(8), []

    def open_it() -> None:
        start.wait(30)
        try:
            Store(ledger_url).close()
        except Exception as error:  # noqa: BLE001 - whatever it is, the test shall see it
            errors.append(error)

    threads = [threading.Thread(target=open_it) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == []


def test_a_newer_ledger_is_left_alone(ledger_url, store):
    """A ledger that a newer version has written says what to do, and nothing in it is touched."""
    with store.write() as connection:
        connection.execute(text("UPDATE meta SET value = '999'"))
    with pytest.raises(NewerLedgerError, match=r"version 999, newer than .*pip install --upgrade codevf_nb"):
        Store(ledger_url)


def test_a_turn_and_a_hint_survive_their_step(ledger_url, monkeypatch):
    """What was queued for and what a 429 had named before the update still holds after it."""
    step = migrations.STEPS.index(migrations._ONE_MOMENT)
    with monkeypatch.context() as patch:
        patch.setattr(migrations, "STEPS", migrations.STEPS[:step])
        old = Store(ledger_url)
    with old.write() as connection:
        connection.execute(text("INSERT INTO limits (credential, next_allowed_at, queue_until) VALUES ('key', 7, 9)"))
    old.close()
    store = Store(ledger_url)
    with store.read() as connection:
        assert connection.execute(select(tables.limits)).all() == [("key", 9.0, 7.0)]
    store.close()


@pytest.mark.parametrize("prompt", ["Is it right?", None])
def test_plain_hashes_become_keyed_ones(ledger_url, monkeypatch, prompt):
    """What was asked stays known by its hash, under this home's secret; of what was forgotten, its names go too."""
    plain = {"name": "orders.csv", "size": 9, "sha256": "ab" * 32, "rows": [1, 2], "holds": ["a.csv"]}
    with monkeypatch.context() as patch:
        patch.setattr(migrations, "STEPS", migrations.STEPS[: migrations.STEPS.index(migrations._KEYED_HASHES)])
        old = Store(ledger_url)
        fill(old)
        with old.write() as connection:
            stored = {"prompt": prompt, "attachments": json.dumps([plain])}
            connection.execute(
                text("UPDATE questions SET message = NULL, prompt = :prompt, attachments = :attachments"), stored
            )
        old.close()
    store = Store(ledger_url, digests=Digests(b"this home's"))
    with store.read() as connection:
        (kept,) = json.loads(connection.scalar(text("SELECT attachments FROM questions")))
    keyed = {**plain, "sha256": Digests(b"this home's").of("ab" * 32)}
    assert kept == (keyed if prompt else {name: keyed[name] for name in ("size", "sha256", "rows")})
    assert "ab" * 32 not in str(kept)
    store.close()
