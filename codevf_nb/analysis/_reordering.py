"""Reorders movements that the ledger received after a balance that already included them.

A task ends at the service, the balance is fetched, and only then the task is polled. In the order of receipt that
balance has an unexplained difference, and the next one has the opposite difference. So a movement is moved before an
earlier balance where that reduces the sum of the unexplained amounts, of available credits and of credits on hold.
Movements elsewhere stay unexplained: explaining them by another movement would add the same amount at the next balance.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd

from codevf_nb.ledger.book import BALANCE, HOLD, RELEASE

# Credits are added up as whole millionths, so that the sum of a year of decimals equals the service's sum.
MILLIONTHS: Final = 1_000_000

Whole = np.ndarray[Any, np.dtype[np.int64]]


def whole(amounts: pd.Series) -> Whole:
    """Return credits as whole millionths, 0 for missing values."""
    return np.round(amounts.to_numpy("float64", na_value=0.0) * MILLIONTHS).astype("int64")


def changes(stored: pd.DataFrame) -> Whole:
    """Return the change of available credits and of credits on hold by each row; 0 for a balance."""
    moved = np.where((stored["kind"] == BALANCE).to_numpy(bool), 0, whole(stored["credits"]))
    held = np.where(stored["kind"].isin((HOLD, RELEASE)).to_numpy(bool), -moved, 0)
    return np.column_stack([moved, held])


def in_order(stored: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of one account's book in the order of receipt, with late movements before their balance."""
    is_balance = (stored["kind"] == BALANCE).to_numpy(bool)
    place: Whole = np.cumsum(is_balance) - is_balance  # the number of balances before
    balances = np.column_stack([whole(stored[name]) for name in ("available", "on_hold")])[is_balance]
    moved = changes(stored)
    known = np.zeros((len(balances) + 1, 2), "int64")
    np.add.at(known, place, moved)
    unexplained = np.diff(balances, axis=0, prepend=np.zeros((1, 2), "int64")) - known[:-1]
    if unexplained[1:].any():
        _move(stored, is_balance, place, moved, unexplained)
    order = np.lexsort((np.arange(len(stored)), is_balance, place))
    return stored.iloc[order]


def _move(
    stored: pd.DataFrame,
    is_balance: Any,
    place: Whole,
    moved: Whole,
    unexplained: Whole,
) -> None:
    """Move late movements to an earlier place, one after the other, where that reduces the unexplained amounts."""
    at = stored["at"].to_numpy()
    balances_at = at[is_balance]
    held_at: dict[str, int] = {}
    holds = (stored["kind"] == HOLD).to_numpy(bool)
    rows = stored[~is_balance].groupby(["task_id", holds[~is_balance]], sort=False).indices
    numbers = np.flatnonzero(~is_balance)
    for (task_id, is_hold), within in rows.items():
        mine = numbers[within]
        received = int(place[mine[0]])
        # A task ends after it was created; the service reports when, and no earlier balance can include it.
        earliest = (
            int(np.searchsorted(balances_at[:received], at[mine[0]])) if is_hold else held_at.get(task_id, received)
        )
        place[mine] = _best(unexplained, moved[mine].sum(axis=0), earliest, received)
        if is_hold:
            held_at[task_id] = int(place[mine[0]])


def _best(unexplained: Whole, change: Whole, earliest: int, received: int) -> int:
    """Return before which balance a movement leaves the smallest unexplained amounts, and subtract it there."""
    if not unexplained[earliest:received].any():
        return received
    later = unexplained[received : received + 1]  # none after the last balance
    left = np.abs(unexplained[earliest:received] - change)
    gains = np.abs(unexplained[earliest:received]) - left + (np.abs(later) - np.abs(later + change)).sum(axis=0)
    # Available credits matter most: a better fit of the holds must not leave more of them unexplained.
    gain = np.where(gains[:, 0] >= 0, gains.sum(axis=1), 0)
    best = int(np.lexsort((left.sum(axis=1), -gain))[0])
    if gain[best] <= 0:
        return received
    unexplained[earliest + best] -= change
    later += change
    return earliest + best
