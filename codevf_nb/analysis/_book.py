"""The account book: the running sum of ``credits`` is ``available`` at every row of an account.

The ledger's book contains movements and balances as the service reported them, in the order in which they were
received; a movement that was received late is moved before the balance that included it (``_reordering``). Where a
balance differs from the sum of the movements (spent or topped up elsewhere), an ``unexplained`` row before it is the
difference; it is computed here, a column at a time, and never stored.
"""

from __future__ import annotations

from typing import Final

import pandas as pd
from sqlalchemy import func, select

from codevf_nb.analysis._dtypes import (
    COUNT,
    CREDITS,
    TEXT,
    TIME,
    read,
    typed,
)
from codevf_nb.analysis._reordering import (
    MILLIONTHS,
    changes,
    in_order,
    whole,
)
from codevf_nb.analysis.filters import Moment, moment
from codevf_nb.ledger import Store
from codevf_nb.ledger.book import BALANCE
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

_REPORTED = ["available", "on_hold"]
_STORED = {"seq": COUNT, **{name: dtype for name, dtype in CREDITS_BOOK.items() if name != "total"}}


def credits(store: Store, account: str | None, since: Moment = None) -> pd.DataFrame:
    """Return the book of an account, in the order in which its rows were received.

    Args:
        store: The database of the ledger.
        account: The account's name; None returns each account, one after the other.
        since: Leaves earlier rows out; ``available`` includes them all the same.
    """
    query = select(*(book.c[name] for name in _STORED)).order_by(book.c.account, book.c.seq)
    stored = read(store, query if account is None else query.where(book.c.account == account), _STORED)
    ordered = [in_order(rows) for _, rows in stored.groupby("account", sort=False)]
    frame = typed(_explained(pd.concat([stored[:0], *ordered], ignore_index=True)), CREDITS_BOOK)
    if since is not None:
        frame = frame[frame["at"] >= moment(since, "since")].reset_index(drop=True)
    return frame


def balance(store: Store, account: str | None) -> pd.DataFrame:
    """Return the newest recorded balance of an account (None: of each account)."""
    newest = select(func.max(book.c.seq)).where(book.c.kind == BALANCE).group_by(book.c.account)
    total = (book.c.available + func.coalesce(book.c.on_hold, 0.0)).label("total")
    query = select(*(book.c[name] for name in BALANCES if name != "total"), total).where(book.c.seq.in_(newest))
    if account is not None:
        query = query.where(book.c.account == account)
    return read(store, query.order_by(book.c.account), BALANCES)


def _explained(stored: pd.DataFrame) -> pd.DataFrame:
    """Add the running balance, and a row before each balance that differs from the sum of the movements."""
    is_balance = (stored["kind"] == BALANCE).to_numpy(bool)
    moved = pd.DataFrame(changes(stored), columns=_REPORTED)
    explained = moved.groupby(stored["account"]).cumsum()
    # The difference stays until the next reported balance.
    beyond = pd.DataFrame({name: (whole(stored[name]) - explained[name]).where(is_balance) for name in _REPORTED})
    beyond = beyond.groupby(stored["account"]).ffill().fillna(0).astype("int64")
    unexplained = beyond["available"] - beyond["available"].groupby(stored["account"]).shift(fill_value=0)
    running = (explained + beyond) / MILLIONTHS
    frame = stored.assign(
        credits=moved["available"] / MILLIONTHS, available=running["available"], on_hold=running["on_hold"]
    )
    frame["total"] = (explained + beyond).sum(axis=1) / MILLIONTHS
    is_unexplained = (unexplained != 0).to_numpy(bool)
    # Such a balance is repeated: the first of the two becomes the row that explains the difference.
    frame = frame.loc[frame.index.repeat(1 + is_unexplained)]
    first = frame.index.duplicated(keep="last")
    frame.loc[first, "kind"] = UNEXPLAINED
    frame.loc[first, "credits"] = unexplained[is_unexplained] / MILLIONTHS
    return frame.reset_index(drop=True)
