"""What goes along with a question: the cell, DataFrames as CSV under a byte budget with a profile, files."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from codevf_nb.sdk.exceptions import AttachmentLimitExceededError, CodeVFError
from codevf_nb.sdk.limits import MAX_ATTACHMENTS

if TYPE_CHECKING:
    import pandas as pd

# What this project makes itself stays under the published 1 MiB for text; a file of the user's may be larger.
DEFAULT_MAX_BYTES = 1024 * 1024


class AttachmentError(CodeVFError):
    """Something named to be attached can't be; the message names it, says why, and what would do."""


@dataclass(frozen=True)
class Attachment:
    """One file to be sent. ``rows`` is (sent, whole) for a table, so that a sample never passes for the whole."""

    file_name: str
    content: bytes
    rows: tuple[int, int] | None = None

    def record(self) -> dict[str, Any]:
        """Return what stays known of it when its bytes are gone."""
        facts: dict[str, Any] = {
            "name": self.file_name,
            "size": len(self.content),
            "sha256": hashlib.sha256(self.content).hexdigest(),
        }
        if self.rows:
            facts["rows"] = list(self.rows)
        return facts


def gather(
    code: str | None,
    named: Mapping[str, Any],
    files: Sequence[str | Path] = (),
    max_bytes: int = DEFAULT_MAX_BYTES,
) -> tuple[Attachment, ...]:
    """Make the attachments of a question: the cell, then each DataFrame with one profile for all, then files.

    ``max_bytes`` is the budget of one table's CSV; a larger table is sampled evenly, and the profile says so.

    Raises:
        AttachmentError: a name is no DataFrame, or a file can't be read.
        AttachmentLimitExceededError: more files come together than the API takes.
    """
    parts = [] if code is None else [Attachment("cell.py", code.encode())]
    tables = {name: _frame(name, value) for name, value in named.items()}
    parts += [_table(name, frame, max_bytes) for name, frame in tables.items()]
    if tables:
        rows = {part.file_name: part.rows for part in parts if part.rows}
        parts.append(Attachment("profile.md", _profile(tables, rows).encode()))
    parts += [_file(Path(path)) for path in files]
    if len(parts) > MAX_ATTACHMENTS:
        listed = ", ".join(part.file_name for part in parts)
        raise AttachmentLimitExceededError(
            f"{len(parts)} attachments are too many: the API takes {MAX_ATTACHMENTS} ({listed}). Attach fewer."
        )
    return tuple(parts)


def _frame(name: str, value: Any) -> pd.DataFrame:
    import pandas as pd

    if isinstance(value, pd.Series):
        return value.to_frame(value.name if value.name is not None else name)
    if not isinstance(value, pd.DataFrame):
        raise AttachmentError(f"{name} is a {type(value).__name__}, not a DataFrame, so it can't be attached.")
    return value


def _table(name: str, frame: pd.DataFrame, max_bytes: int) -> Attachment:
    sample = frame
    content = b""
    rows = min(len(frame), _rows_that_fit(frame, max_bytes))
    while True:
        if rows < len(frame):
            sample = frame.iloc[_evenly(len(frame), rows)]
        content = sample.to_csv(index=_index_matters(frame)).encode()
        if len(content) <= max_bytes or rows <= 1:
            break
        rows = max(1, int(rows * 0.9 * max_bytes / len(content)))
    if len(content) > max_bytes:
        raise AttachmentError(
            f"one row of {name} alone is larger than the budget of {max_bytes:,} bytes (--max-bytes)."
        )
    return Attachment(f"{name}.csv", content, rows=(len(sample), len(frame)))


def _rows_that_fit(frame: pd.DataFrame, max_bytes: int) -> int:
    """Guess from some rows how many fit, so that a frame of millions is never written out to be measured."""
    probe = frame.iloc[_evenly(len(frame), 1000)] if len(frame) > 1000 else frame
    if probe.empty:
        return len(frame)
    per_row = len(probe.to_csv(index=_index_matters(frame)).encode()) / len(probe)
    return max(1, int(max_bytes / per_row))


def _evenly(total: int, count: int) -> list[int]:
    """Return ``count`` positions spread over ``total`` rows, the same ones each time."""
    return [position * total // count for position in range(count)]


def _index_matters(frame: pd.DataFrame) -> bool:
    import pandas as pd

    return not (isinstance(frame.index, pd.RangeIndex) and frame.index.name is None)


def _profile(tables: Mapping[str, pd.DataFrame], rows: Mapping[str, tuple[int, int]]) -> str:
    """Say in Markdown what the tables are: shape and types of the whole, and nulls of what is sent."""
    blocks = []
    for name, frame in tables.items():
        sent, whole = rows[f"{name}.csv"]
        extent = f"all {whole:,} rows" if sent == whole else f"{sent:,} of {whole:,} rows, sampled evenly"
        lines = [
            f"# {name}.csv",
            f"{extent}, {frame.shape[1]} columns",
            "",
            "| column | dtype | nulls |",
            "|---|---|---|",
        ]
        nulls: Iterable[int] = frame.isna().sum()
        lines += [
            f"| {column} | {dtype} | {count:,} |"
            for column, dtype, count in zip(frame.columns, frame.dtypes, nulls, strict=True)
        ]
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks) + "\n"


def _file(path: Path) -> Attachment:
    path = path.expanduser()
    if not path.is_file():
        why = "is a folder" if path.is_dir() else "does not exist"
        raise AttachmentError(f"File {why}: {path}")
    try:
        return Attachment(path.name, path.read_bytes())
    except OSError as error:
        raise AttachmentError(f"File can't be read: {path} ({error.strerror})") from None
