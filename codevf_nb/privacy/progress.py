"""Report the progress of the check for private data on one line, if the check takes longer than a moment."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator

from codevf_nb.privacy._checks import safe_name

FIRST_SECONDS = 1.0
EACH_SECONDS = 0.25
_WIDTH = 100


@contextlib.contextmanager
def looking(clock: Callable[[], float] = time.monotonic) -> Iterator[Callable[[str, int, int], None]]:
    """Return a context manager that gives a progress callback for ``check``.

    The line is rewritten on stderr, and erased at the end, also after an interrupt.

    Args:
        clock: Returns the time in seconds.

    Yields:
        The callback. Its arguments are the name of a file, the bytes read and the size.
    """
    last, shown = clock() + FIRST_SECONDS - EACH_SECONDS, False

    def tell(name: str, done: int, size: int) -> None:
        nonlocal last, shown
        if clock() - last >= EACH_SECONDS:
            last, shown = clock(), True
            said = f"codevf: looking for anything private in {safe_name(name)}: {done / 1e6:.0f} of {size / 1e6:.0f} MB"
            _write(said[:_WIDTH].ljust(_WIDTH))

    try:
        yield tell
    finally:
        if shown:
            _write(" " * _WIDTH)
            _write("")


def _write(line: str) -> None:
    sys.stderr.write(f"\r{line}")
    sys.stderr.flush()
