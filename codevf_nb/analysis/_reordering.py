"""News that came late: movements that a balance knew of before this ledger heard of them.

A task ends at the service, the balance is looked at, and only then the task is polled. In the order of learning that
balance is surprising, and the next one again, by the opposite amount. So a movement stands before an earlier balance
than it was learnt after, where that leaves less unexplained in sum, of what is available and of what is on hold alike.
What happened elsewhere stays unexplained: taking a movement for it would leave as much to explain at the next balance.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd

from codevf_nb.ledger.book import BALANCE, HOLD, RELEASE

# Credits are added up as whole millionths, so that a year of decimals adds up to what the service says.
MILLIONTHS: Final = 1_000_000

Whole = np.ndarray[Any, np.dtype[np.int64]]


def whole(amounts: pd.Series) -> Whole:
    """Return credits as whole millionths, 0 where nothing is known."""
    return np.round(amounts.to_numpy("float64", na_value=0.0) * MILLIONTHS).astype("int64")


def changes(stored: pd.DataFrame) -> Whole:
    """Return by how much each row of the book changes what is available and what is on hold; a balance by nothing."""
    moved = np.where((stored["kind"] == BALANCE).to_numpy(bool), 0, whole(stored["credits"]))
    held = np.where(stored["kind"].isin((HOLD, RELEASE)).to_numpy(bool), -moved, 0)
    return np.column_stack([moved, held])


def in_order(stored: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of one account's book as they were learnt, but those that came late where they belong."""
    told = (stored["kind"] == BALANCE).to_numpy(bool)
    place: Whole = np.cumsum(told) - told  # how many balances were told before
    balances = np.column_stack([whole(stored[name]) for name in ("available", "on_hold")])[told]
    moved = changes(stored)
    known = np.zeros((len(balances) + 1, 2), "int64")
    np.add.at(known, place, moved)
    surprises = np.diff(balances, axis=0, prepend=np.zeros((1, 2), "int64")) - known[:-1]
    if surprises[1:].any():
        _move(stored, told, place, moved, surprises)
    order = np.lexsort((np.arange(len(stored)), told, place))
    return stored.iloc[order]


def _move(stored: pd.DataFrame, told: Any, place: Whole, moved: Whole, surprises: Whole) -> None:
    """Move what came late to an earlier place, one after the other, as long as each leaves less unexplained."""
    at = stored["at"].to_numpy()
    told_at = at[told]
    held_at: dict[str, int] = {}
    holds = (stored["kind"] == HOLD).to_numpy(bool)
    rows = stored[~told].groupby(["task_id", holds[~told]], sort=False).indices
    numbers = np.flatnonzero(~told)
    for (task_id, is_hold), within in rows.items():
        mine = numbers[within]
        learnt = int(place[mine[0]])
        # A task ends after it was made; when that was, the service tells, and no balance before can know of it.
        earliest = int(np.searchsorted(told_at[:learnt], at[mine[0]])) if is_hold else held_at.get(task_id, learnt)
        place[mine] = _best(surprises, moved[mine].sum(axis=0), earliest, learnt)
        if is_hold:
            held_at[task_id] = int(place[mine[0]])


def _best(surprises: Whole, change: Whole, earliest: int, learnt: int) -> int:
    """Return before which balance a movement leaves the least unexplained, and take it into account there."""
    if not surprises[earliest:learnt].any():
        return learnt
    later = surprises[learnt : learnt + 1]  # none after the last balance
    left = np.abs(surprises[earliest:learnt] - change)
    gains = np.abs(surprises[earliest:learnt]) - left + (np.abs(later) - np.abs(later + change)).sum(axis=0)
    # Available is what the book is about: that a hold fits better is no reason to explain less of it.
    gain = np.where(gains[:, 0] >= 0, gains.sum(axis=1), 0)
    best = int(np.lexsort((left.sum(axis=1), -gain))[0])
    if gain[best] <= 0:
        return learnt
    surprises[earliest + best] -= change
    later += change
    return earliest + best
