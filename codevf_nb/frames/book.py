"""The account book: the running sum of ``credits`` is ``available`` at every row of an account.

The ledger's book has movements and balances as the service told them. Where a balance differs from what the movements
explain (spent or topped up elsewhere), an ``unexplained`` row before it makes up the difference; it is computed here,
a column at a time, and never stored.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from sqlalchemy import func, select

from codevf_nb.frames.types import COUNT, CREDITS, TEXT, TIME, read, typed
from codevf_nb.frames.where import Moment, moment
from codevf_nb.ledger import Store
from codevf_nb.ledger.book import BALANCE, HOLD, RELEASE
from codevf_nb.ledger.tables import book

UNEXPLAINED: Final = "unexplained"
CREDITS_BOOK: Final = {
    "at": TIME,
    "account": TEXT,
    "environment": TEXT,
    "task_id": TEXT,
    "kind": TEXT,
    "credits": CREDITS,
    "available": CREDITS,
    "on_hold": CREDITS,
    "total": CREDITS,
}
BALANCES: Final = {
    name: CREDITS_BOOK[name] for name in ("at", "account", "environment", "available", "on_hold", "total")
}

# Credits are added up as whole millionths, so that a year of decimals adds up to what the service says.
_MILLIONTHS = 1_000_000
_STORED = {"seq": COUNT, **{name: dtype for name, dtype in CREDITS_BOOK.items() if name != "total"}}


def credits(store: Store, account: str | None, since: Moment = None) -> pd.DataFrame:
    """Return the book of an account (None: of each account, one after the other), in the order it was learnt.

    ``since`` leaves earlier rows out; ``available`` counts them all the same.
    """
    query = select(*(book.c[name] for name in _STORED)).order_by(book.c.account, book.c.seq)
    stored = read(store, query if account is None else query.where(book.c.account == account), _STORED)
    frame = typed(_explained(stored), CREDITS_BOOK)
    if since is not None:
        frame = frame[frame["at"] >= moment(since, "since")].reset_index(drop=True)
    return frame


def balance(store: Store, account: str | None) -> pd.DataFrame:
    """Return the newest balance seen of an account (None: of each account)."""
    newest = select(func.max(book.c.seq)).where(book.c.kind == BALANCE).group_by(book.c.account)
    total = (book.c.available + func.coalesce(book.c.on_hold, 0.0)).label("total")
    query = select(*(book.c[name] for name in BALANCES if name != "total"), total).where(book.c.seq.in_(newest))
    if account is not None:
        query = query.where(book.c.account == account)
    return read(store, query.order_by(book.c.account), BALANCES)


def _explained(stored: pd.DataFrame) -> pd.DataFrame:
    """Carry the running balance through the book, and put a row before each balance that the book can't explain."""
    told = (stored["kind"] == BALANCE).to_numpy(bool)
    moved = np.where(told, 0, _whole(stored["credits"]))
    held = np.where(stored["kind"].isin((HOLD, RELEASE)).to_numpy(bool), -moved, 0)
    explained = pd.DataFrame({"available": moved, "on_hold": held}).groupby(stored["account"]).cumsum()
    # What was told beyond that carries on until the next balance is told.
    beyond = pd.DataFrame({name: (_whole(stored[name]) - explained[name]).where(told) for name in explained.columns})
    beyond = beyond.groupby(stored["account"]).ffill().fillna(0).astype("int64")
    unexplained = beyond["available"] - beyond["available"].groupby(stored["account"]).shift(fill_value=0)
    running = (explained + beyond) / _MILLIONTHS
    frame = stored.assign(credits=moved / _MILLIONTHS, available=running["available"], on_hold=running["on_hold"])
    frame["total"] = (explained + beyond).sum(axis=1) / _MILLIONTHS
    surprising = (unexplained != 0).to_numpy(bool)
    # A balance that surprises stands there twice: the first of the two becomes the row that explains it.
    frame = frame.loc[frame.index.repeat(1 + surprising)]
    first = frame.index.duplicated(keep="last")
    frame.loc[first, "kind"] = UNEXPLAINED
    frame.loc[first, "credits"] = unexplained[surprising] / _MILLIONTHS
    return frame.reset_index(drop=True)


def _whole(amounts: pd.Series) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.round(amounts.to_numpy("float64", na_value=0.0) * _MILLIONTHS).astype("int64")
