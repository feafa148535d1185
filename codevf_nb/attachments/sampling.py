"""The rows that go, where not all of them fit.

Rows are drawn evenly: one at random, under a fixed seed, from each of as many equal stretches as rows fit. So a sample
is spread over the whole, is the same one each time, and does not beat with a rhythm in the data.

How many fit is guessed from a few rows and then held to what was really written, so a table of millions is never read
to be measured: what a sample costs depends on the budget, not on the table.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from .attachment import AttachmentError
from .redaction import Mask
from .tables import Table, csv_of

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

_SEED = 20260101
_PROBE_ROWS = 1000


@dataclass(frozen=True)
class Sample:
    """Rows of a table, ready to go: ``raw`` as they are in the table, ``frame`` and ``content`` as they are sent.

    ``drawn`` says how they were chosen, ``notes`` what that means beside other tables; both are for the engineer.
    """

    table: Table
    raw: pd.DataFrame
    frame: pd.DataFrame
    content: bytes
    budget: int
    fingerprint: str | None = None
    drawn: str = "sampled evenly"
    notes: tuple[str, ...] = field(default=())

    @property
    def rows(self) -> tuple[int, int]:
        """How many rows are sent, of how many."""
        return len(self.frame), self.table.rows

    @property
    def is_whole(self) -> bool:
        """Whether every row is sent."""
        return len(self.frame) == self.table.rows

    def with_note(self, note: str) -> Sample:
        """Return this sample with one more thing that the engineer is told."""
        return self if note in self.notes else replace(self, notes=(*self.notes, note))


def evenly(total: int, count: int) -> np.ndarray[Any, Any]:
    """Return ``count`` rising positions among ``total`` rows, one in each of as many equal stretches."""
    import numpy as np

    if count >= total:
        return np.arange(total, dtype=np.int64)
    edges = np.arange(count + 1, dtype=np.int64) * total // count
    within = np.random.default_rng(_SEED).random(count)
    return edges[:-1] + (within * (edges[1:] - edges[:-1])).astype(np.int64)


def take(table: Table, positions: Any, budget: int, mask: Mask) -> Sample:
    """Return the rows at some positions as they would be sent, whether or not they fit the budget."""
    raw = table.take(positions)
    frame = mask.frame(raw)
    fingerprint = None if frame is raw else hashlib.sha256(csv_of(raw)).hexdigest()
    return Sample(table, raw, frame, csv_of(frame), budget, fingerprint)


def fitting(table: Table, budget: int, mask: Mask) -> Sample:
    """Return the whole table if its CSV fits a budget in bytes, else as many evenly drawn rows as fit.

    Raises:
        AttachmentError: not even one row fits.
    """
    rows = min(table.rows, _guess(table, budget, mask))
    while True:
        sample = take(table, evenly(table.rows, rows), budget, mask)
        size = len(sample.content)
        if size <= budget:
            return sample
        if rows <= 1:
            raise AttachmentError(
                f"one row of {table.name} alone is larger than the budget of {budget:,} bytes: attach fewer columns, "
                "or allow more with --max-bytes."
            )
        rows = max(1, min(rows - 1, int(rows * 0.98 * budget / size)))


def _guess(table: Table, budget: int, mask: Mask) -> int:
    """Guess how many rows fit; a first look at a few keeps the second one from writing out huge cells."""
    count = min(table.rows, 10)
    while count:
        written = len(take(table, evenly(table.rows, count), budget, mask).content)
        most = max(1, int(budget * count / written))
        if count == table.rows or count >= min(_PROBE_ROWS, most):
            return most if written > budget or count < table.rows else count
        count = min(table.rows, _PROBE_ROWS, max(most, count + 1))
    return 0
