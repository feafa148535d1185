"""Which rows of a table a sample has, in a few kilobytes of text: the gaps between them, compressed."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np


def packed(positions: Any) -> str:
    """Return rising positions as text."""
    import numpy as np

    gaps = np.diff(np.asarray(positions, dtype=np.int64), prepend=0)
    kind = np.min_scalar_type(int(gaps.max())) if len(gaps) else np.dtype(np.uint8)
    content = zlib.compress(gaps.astype(kind.newbyteorder("<")).tobytes(), 9)
    return f"{kind.itemsize}:{base64.b64encode(content).decode()}"


def unpacked(text: str) -> np.ndarray[Any, Any]:
    """Return the positions that ``packed`` made a text of."""
    import numpy as np

    width, _, content = text.partition(":")
    gaps = np.frombuffer(zlib.decompress(base64.b64decode(content)), dtype=f"<u{width}")
    return np.cumsum(gaps, dtype=np.int64)


def shown(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the ledger keeps of an attachment, with the positions as numbers, by the name of the CSV."""
    positions = {name: unpacked(text) for name, text in (record.get("positions") or {}).items()}
    return {**record, "positions": positions} if positions else dict(record)
