"""Select the rows to send if a table does not fit its budget.

The sample is systematic: the table is divided into equal ranges of rows, and one random row is taken from each, with a
fixed seed. So the sample covers the whole table, is always the same, and does not follow a period in the data.

The number of rows is estimated from a few rows, then checked against the size of the written CSV. So a table of
millions of rows is never read completely; the cost depends on the budget, not on the table.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from codevf_nb.attachments._cell_text import csv_of
from codevf_nb.attachments._redaction import Mask
from codevf_nb.attachments._table import Table
from codevf_nb.attachments._unsupported import guarded
from codevf_nb.attachments.attachment import AttachmentError

if TYPE_CHECKING:
    import numpy as np

    from codevf_nb.attachments._rows import Rows

_SEED = 20260101
_LOOK_ROWS, _PROBE_ROWS = 10, 1000
_FEW_ROWS = 100  # a table with at most this many rows is written at once: its time depends on the columns
_CELL_BYTES = 2  # an approximate minimum size of a cell in a CSV
_TRIES = 6  # attempts to use a budget better


@dataclass(frozen=True)
class Sample:
    """Rows of a table, ready to be sent.

    Attributes:
        raw: The rows as they are in the table.
        sent: The rows as they are sent, with masks.
        content: The CSV.
        positions: The row numbers in the table.
        drawn: How the rows were selected, as text for the engineer.
        notes: How the rows relate to other tables, as text for the engineer.
    """

    table: Table
    positions: np.ndarray[Any, Any]
    raw: Rows
    sent: Rows
    content: bytes
    budget: int
    fingerprint: str | None = None
    drawn: str = "sampled evenly"
    notes: tuple[str, ...] = field(default=())

    @property
    def rows(self) -> tuple[int, int | None]:
        """The number of rows sent and of all rows; the latter is None if unknown."""
        part = self.table.part
        return self.sent.count, self.table.rows if part is None else part.rows

    @property
    def is_whole(self) -> bool:
        """Whether all rows are sent."""
        return self.table.part is None and self.sent.count == self.table.rows

    @property
    def has_row_numbers(self) -> bool:
        """Whether the first column of the CSV is the row number: a sample of a table without an index."""
        return not self.table.levels and self.numbers is not None

    @property
    def numbers(self) -> np.ndarray[Any, Any] | None:
        """The positions of the rows in the whole table; None if all rows are sent, or if the table has no order."""
        return _numbers(self.table, self.positions)

    def with_note(self, note: str) -> Sample:
        """Return this sample with one more note for the engineer."""
        return self if note in self.notes else replace(self, notes=(*self.notes, note))


def evenly(total: int, count: int) -> np.ndarray[Any, Any]:
    """Return ``count`` ascending positions among ``total`` rows, one in each of ``count`` equal ranges."""
    import numpy as np

    if count >= total or not count:
        return np.arange(min(count, total), dtype=np.int64)
    edges = np.arange(count + 1, dtype=np.int64) * total // count
    within = np.random.default_rng(_SEED).random(count)
    return edges[:-1] + (within * (edges[1:] - edges[:-1])).astype(np.int64)


def take(table: Table, positions: Any, budget: int, mask: Mask) -> Sample:
    """Return the rows at these positions as they would be sent, even if they exceed the budget."""
    with guarded(table.name, table.what):
        return _taken(table, positions, budget, mask)


def _taken(table: Table, positions: Any, budget: int, mask: Mask) -> Sample:
    raw = table.take(positions)
    masked = mask.rows(raw, table.labels)
    content = _csv(masked, table, positions)
    fingerprint = None if masked is raw else hashlib.sha256(_csv(raw, table, positions)).hexdigest()
    drawn = "sampled evenly" if table.part is None else table.part.drawn
    return Sample(table, positions, raw, masked, content, budget, fingerprint, drawn)


def _csv(rows: Rows, table: Table, positions: Any) -> bytes:
    """Write rows as CSV. If no index is sent, the row number becomes the first column."""
    header, columns = rows.header, rows.texts(nan_is_null=table.nan_is_null)
    numbers = _numbers(table, positions)
    if table.levels or numbers is None:
        return csv_of(header, columns)
    return csv_of((row_label(table), *header), [[str(number) for number in numbers.tolist()], *columns])


def _numbers(table: Table, positions: np.ndarray[Any, Any]) -> np.ndarray[Any, Any] | None:
    part = table.part
    if part is None:
        return None if len(positions) == table.rows else positions
    return None if part.numbers is None or len(positions) == part.rows else part.numbers[positions]


def row_label(table: Table) -> str:
    """Return a name for the column of row numbers that no column of the table has."""
    label, count = table.row_label, 0
    while label in table.header:
        count += 1
        label = f"{table.row_label}.{count}"
    return label


def fitting(table: Table, budget: int, mask: Mask) -> Sample:
    """Return the whole table if its CSV fits a budget in bytes, else as many evenly sampled rows as fit.

    Raises:
        AttachmentError: Not even one row fits.
    """
    if _LOOK_ROWS < table.rows <= _FEW_ROWS and table.rows * len(table.header) * _CELL_BYTES <= budget:
        whole = take(table, evenly(table.rows, table.rows), budget, mask)
        if len(whole.content) <= budget:
            return whole
    probe, rows = _guess(table, budget, mask)
    too_many = table.rows + 1
    while True:
        is_probe = probe is not None and probe.sent.count == rows
        sample = probe if probe and is_probe else take(table, evenly(table.rows, rows), budget, mask)
        size = len(sample.content)
        if size <= budget:
            return _more(sample, too_many, mask)
        if rows <= 1:
            raise _too_large(table, budget, mask)
        too_many = rows
        rows = max(1, min(rows - 1, int(rows * 0.98 * budget / size)))


def _more(sample: Sample, too_many: int, mask: Mask) -> Sample:
    """Return a sample that uses its budget better. With a few huge cells, too few rows may have been selected."""
    for _ in range(_TRIES):
        rows = (sample.sent.count + too_many) // 2
        if len(sample.content) > sample.budget // 2 or rows == sample.sent.count or rows >= too_many:
            break
        larger = take(sample.table, evenly(sample.table.rows, rows), sample.budget, mask)
        if len(larger.content) <= sample.budget:
            sample = larger
        else:
            too_many = rows
    return sample


def _too_large(table: Table, budget: int, mask: Mask) -> AttachmentError:
    is_header = not table.rows or len(take(table, evenly(table.rows, 0), budget, mask).content) > budget
    return AttachmentError(
        f"{'the header' if is_header else 'one row'} of {table.name} alone is larger than the budget of {budget:,} "
        "bytes: attach fewer columns, or allow more with --max-bytes."
    )


def _guess(table: Table, budget: int, mask: Mask) -> tuple[Sample | None, int]:
    """Estimate how many rows fit, from a sample. A first look at few rows avoids writing huge cells in the second."""
    count, probe = min(table.rows, _LOOK_ROWS), None
    while count:
        probe = take(table, evenly(table.rows, count), budget, mask)
        written = len(probe.content)
        most = max(1, int(budget * count / written))
        if count == table.rows or count >= min(_PROBE_ROWS, most):
            return probe, min(table.rows, most if written > budget or count < table.rows else count)
        count = min(table.rows, _PROBE_ROWS, max(most, count + 1))
    return probe, 0
