"""Make the files of a question from the values and paths that the user names."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from codevf_nb.attachments._images import holds_drawings, png_of
from codevf_nb.attachments._joint_sampling import together
from codevf_nb.attachments._lazy_tables import Depth, lazy_table_of
from codevf_nb.attachments._packing import pack, page, tables_to_join
from codevf_nb.attachments._profile import profile
from codevf_nb.attachments._redaction import Mask
from codevf_nb.attachments._sampling import Sample
from codevf_nb.attachments._source_code import source_of
from codevf_nb.attachments._table import Table
from codevf_nb.attachments._table_readers import table_of
from codevf_nb.attachments._unsupported import (
    guarded,
    refuse_unsupported,
    type_name,
    unsupported,
)
from codevf_nb.attachments._value_files import (
    is_data,
    json_file,
    suffix_of,
    text_file,
)
from codevf_nb.attachments.attachment import (
    DEFAULT_MAX_BYTES,
    Attachment,
    AttachmentError,
    Kind,
    Text,
)
from codevf_nb.attachments.names import (
    Names,
    safe,
    shown,
    stem,
)
from codevf_nb.attachments.row_positions import packed
from codevf_nb.sdk.files import mime_type_for
from codevf_nb.sdk.limits import MAX_ATTACHMENT_BYTES
from codevf_nb.sdk.parsing import one_line
from codevf_nb.sdk.suggestions import did_you_mean


def gather(
    code: str | None,
    named: Mapping[str, Any],
    files: Sequence[str | Path] = (),
    max_bytes: int = DEFAULT_MAX_BYTES,
    redact: str | Iterable[object] = (),
    depth: Depth = Depth.SAMPLE,
) -> tuple[Attachment, ...]:
    """Make the attachments of a question: the cell, sampled tables with one profile, other values, and files.

    There are at most five attachments. If there are more, the packing module combines some of them.

    Args:
        code: The code of the cell, or None to attach no cell.
        named: The values to attach, by the expression that the user typed.
        files: Paths of files to attach unchanged.
        max_bytes: The budget of each file made here, in bytes. A larger table is sampled evenly, and the profile
            reports it.
        redact: The names of the columns to mask.
        depth: How much of a table in an engine is read.

    Returns:
        The attachments, at most five.

    Raises:
        AttachmentError: A value has an unsupported type, a file can't be read, or a column to mask does not exist.
    """
    if max_bytes < 1:
        raise AttachmentError(f"--max-bytes {max_bytes}: the budget must be 1 byte or more.")
    mask, names, values = Mask(redact), Names(), _NamedValues(max_bytes, depth)
    called = shown(named)
    for name, value in named.items():
        values.add(called[name], value)
    parts = [] if code is None else [Attachment(names.unique("cell.py"), _encoded(code), kind=Kind.CELL)]
    attached = [_file(Path(path)) for path in files]
    others = [*values.files(max_bytes, mask, other_files=len(attached) + len(values.tables)), *attached]
    notes = sum(part.kind is Kind.NOTE for part in others) + bool(values.tables)
    parts += _tables(code, values.tables, max_bytes, mask, names, notes, len(parts) + len(others) - notes + 1)
    mask.check()
    parts += [_renamed(part, names) for part in others]
    return pack(parts, names)


@dataclass
class _NamedValues:
    """The named values, separated into tables, which are sampled together, and other values."""

    max_bytes: int
    depth: Depth
    tables: list[Table] = field(default_factory=list)
    _values: dict[str, Any] = field(default_factory=dict)

    def add(self, name: str, value: Any) -> None:
        table = lazy_table_of(name, value, self.max_bytes, self.depth)
        if table is None:
            refuse_unsupported(name, value)
            with guarded(name, type_name(value)):
                table = None if holds_drawings(value) else table_of(name, value)
        if table is None:
            self._values[name] = value
        else:
            self.tables.append(table)

    def files(self, max_bytes: int, mask: Mask, other_files: int) -> list[Attachment]:
        """Make the files that are not tables. Texts that must share one file also share its budget."""
        is_shared = other_files + len(self._values) + 2 > 5
        budget = max_bytes // max(1, len(self._values)) if is_shared else max_bytes
        return [_value_file(name, value, max(1, budget), mask) for name, value in self._values.items()]


def _value_file(name: str, value: Any, budget: int, mask: Mask) -> Attachment:
    """Make a file of a value that is not a table."""
    with guarded(name, type_name(value)):
        return _unguarded_file(name, value, budget, mask)


def _unguarded_file(name: str, value: Any, budget: int, mask: Mask) -> Attachment:
    if isinstance(value, os.PathLike):
        return _file(Path(value))
    if isinstance(value, bytes | bytearray | memoryview | io.BytesIO):
        content = value.getvalue() if isinstance(value, io.BytesIO) else bytes(value)
        return _checked(Attachment(stem(name) + suffix_of(content), content))
    picture = png_of(name, value)
    if picture is not None:
        return Attachment(f"{stem(name)}.png", picture, kind=Kind.IMAGE)
    file_name, content = _text(name, value, budget, mask)
    return Attachment(file_name, content, kind=Kind.NOTE)


def _text(name: str, value: Any, budget: int, mask: Mask) -> tuple[str, bytes]:
    """Return a value as text: the name of its file, and the file's content."""
    if isinstance(value, Text):
        return value.file_name, text_file(value.text, budget)
    if isinstance(value, str):
        return f"{stem(name)}.txt", text_file(value, budget)
    if is_data(value):
        return f"{stem(name)}.json", json_file(name, value, budget, mask)
    source = source_of(name, value)
    if source is not None:
        return f"{stem(name)}.py", text_file(source, budget)
    raise unsupported(name, value)


def _tables(
    code: str | None,
    tables: Sequence[Table],
    max_bytes: int,
    mask: Mask,
    names: Names,
    notes: int,
    others: int,
) -> list[Attachment]:
    """Make one profile of all tables, and a CSV of each. If there are too many files, small tables share a page."""
    if not tables:
        return []
    joined = tables_to_join([table.rows * max(1, len(table.header)) for table in tables], notes, others)
    budgets = [max_bytes // len(joined) if number in joined else max_bytes for number in range(len(tables))]
    drawn, relations = together(tables, budgets, mask, code)
    samples = {names.unique(f"{stem(one.table.name)}.csv"): one for one in drawn}
    made = [_table(file_name, sample) for file_name, sample in samples.items()]
    parts = [part for number, part in enumerate(made) if number not in joined]
    if joined:
        members = [part for number, part in enumerate(made) if number in joined]
        holds = tuple(part.file_name + part.extent for part in members)
        positions = tuple(pair for part in members for pair in part.positions)
        file_name = names.unique("tables.md")
        is_read = all(part.is_read for part in members)
        parts.append(
            Attachment(file_name, page(members), kind=Kind.NOTE, holds=holds, positions=positions, is_read=is_read)
        )
    described = profile(samples, mask, max_bytes, relations).encode(errors="backslashreplace")
    return [*parts, Attachment(names.unique("profile.md"), described, kind=Kind.NOTE)]


def _table(file_name: str, sample: Sample) -> Attachment:
    positions = () if sample.numbers is None else ((file_name, packed(sample.numbers)),)
    is_read = sample.table.part is None or sample.table.part.is_read
    return Attachment(
        *(file_name, sample.content, sample.rows, Kind.TABLE),
        fingerprint=sample.fingerprint,
        positions=positions,
        is_read=is_read,
    )


def _file(path: Path) -> Attachment:
    try:
        path = path.expanduser()
        is_file = path.is_file()
    except (OSError, RuntimeError, ValueError) as error:  # unknown ~user, name too long, NUL character
        raise AttachmentError(f"File can't be read: {one_line(str(path))} ({error}).") from None
    if not is_file:
        why = "is a folder" if path.is_dir() else "is not a regular file" if path.exists() else "does not exist"
        raise AttachmentError(f"File {why}: {one_line(str(path))}{_likely_file(path)}.")
    try:
        if path.stat().st_size > MAX_ATTACHMENT_BYTES:  # checked before the file is read into memory
            raise AttachmentError(f"File is larger than the limit of 50 MB: {one_line(str(path))}.")
        content = path.read_bytes()
    except OSError as error:
        raise AttachmentError(f"File can't be read: {one_line(str(path))} ({error.strerror}).") from None
    is_picture = mime_type_for(path.name) in {"image/png", "image/jpeg", "image/gif", "image/webp"}
    return Attachment(path.name, content, kind=Kind.IMAGE if is_picture else Kind.FILE)


def _likely_file(path: Path) -> str:
    """Return a suggestion of a file in the same folder with a similar name; empty if there is none."""
    try:
        return "" if path.is_dir() else did_you_mean(path.name, [other.name for other in path.parent.iterdir()])
    except OSError:  # the folder does not exist or can't be listed
        return ""


def _checked(part: Attachment) -> Attachment:
    if len(part.content) > MAX_ATTACHMENT_BYTES:
        raise AttachmentError(f"{part.file_name} is larger than the limit of 50 MB.")
    return part


def _renamed(part: Attachment, names: Names) -> Attachment:
    return Attachment(
        names.unique(safe(part.file_name)), part.content, part.rows, part.kind, part.holds, part.fingerprint
    )


def _encoded(code: str) -> bytes:
    return code.encode(errors="backslashreplace")
