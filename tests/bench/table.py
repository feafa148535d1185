"""A row of the table, and how it is printed."""

import math
from dataclasses import dataclass

COLUMNS = ("what", "ours", "the reference", "ratio", "", "goal")
_WIDTHS = (56, 14, 50, 8, 6, 0)


@dataclass(frozen=True)
class Row:
    """One pair: ``ours`` and ``reference`` in the same ``unit``; ``against`` says what the reference is.

    ``met`` is None where there is no goal: such a row is there for scale.
    """

    what: str
    ours: float
    reference: float
    against: str
    unit: str
    ratio: float
    goal: str
    met: bool | None

    @property
    def is_measured(self) -> bool:
        """Whether every number is one that can have been measured."""
        return all(math.isfinite(value) and value > 0 for value in (self.ours, self.reference, self.ratio))

    def __str__(self) -> str:
        reference = f"{self.against}: {_written(self.reference, self.unit)}"
        met = {True: "met", False: "missed", None: "–"}[self.met]
        return line(self.what, _written(self.ours, self.unit), reference, f"{self.ratio:,.3g}×", met, self.goal)


def at_most(
    times: float, what: str, ours: float, reference: float, against: str, unit: str = "ms", *, also: str = ""
) -> Row:
    """Make a row whose goal is that ours is at most so many times the reference."""
    ratio = ours / reference
    return Row(what, ours, reference, against, unit, ratio, f"at most {times:g}×{also}", ratio <= times)


def line(*cells: str) -> str:
    """Put cells below the ones of the line before."""
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, _WIDTHS, strict=True)).rstrip()


def _written(value: float, unit: str) -> str:
    return f"{value:,.0f} {unit}" if value >= 1000 else f"{value:.3g} {unit}"
