"""The ledger as DataFrames."""

import contextlib
import sqlite3
from collections.abc import Iterator

import pandas as pd

from codevf_nb import analysis
from codevf_nb.accounts.settings import home
from codevf_nb.ledger import Store, sqlite_url
from tests.bench import ledgers
from tests.bench.pairs import in_turn
from tests.bench.table import Row, at_most


def rows(*, small: bool) -> Iterator[Row]:
    """``tasks()`` and ``spend()`` against the raw table as pandas reads it."""
    count, times = (1000, 2) if small else (100_000, 3)
    path = home() / "ledger.sqlite"
    store = Store(sqlite_url(path))
    ledgers.fill(store, "sandbox", count)
    where = analysis.Filters("sandbox")
    with contextlib.closing(sqlite3.connect(path)) as connection:

        def raw() -> pd.DataFrame:
            return pd.read_sql("SELECT * FROM questions", connection)

        def grouped() -> None:
            frame = raw()
            week = pd.to_datetime(frame["created_at"], unit="s").dt.to_period("W")
            frame.groupby(["mode", week])["credits_used"].sum()

        ours, reference = in_turn(times, lambda: analysis.tasks(store, where), raw)
        yield at_most(1.5, f"tasks() of {count:,} rows", ours, reference, "read_sql of the raw table")
        ours, reference = in_turn(times, lambda: analysis.spend(store, where, "mode", "W"), grouped)
        yield at_most(1.5, 'spend(by="mode", freq="W") of them', ours, reference, "read_sql and a bare groupby")
    store.close()
