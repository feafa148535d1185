"""The row positions of a sample as a short text: the differences between positions, compressed."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np


def packed(positions: Any) -> str:
    """Encode ascending positions as text."""
    import numpy as np

    gaps = np.diff(np.asarray(positions, dtype=np.int64), prepend=0)
    kind = np.min_scalar_type(int(gaps.max())) if len(gaps) else np.dtype(np.uint8)
    content = zlib.compress(gaps.astype(kind.newbyteorder("<")).tobytes(), 9)
    return f"{kind.itemsize}:{base64.b64encode(content).decode()}"


def unpacked(text: str) -> np.ndarray[Any, Any]:
    """Decode the text of ``packed`` to positions."""
    import numpy as np

    width, _, content = text.partition(":")
    gaps = np.frombuffer(zlib.decompress(base64.b64decode(content)), dtype=f"<u{width}")
    return np.cumsum(gaps, dtype=np.int64)


def shown(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return the stored metadata of an attachment with its positions as numbers, by the name of the CSV."""
    positions = {name: unpacked(text) for name, text in (record.get("positions") or {}).items()}
    return {**record, "positions": positions} if positions else dict(record)
