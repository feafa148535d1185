"""Reduce the attachments to five files by combining related files, and no more of them than necessary.

Text stays readable where possible. Notes (profile, traceback, context, source code, JSON) become one Markdown page,
images one HTML page, and small tables one Markdown page of CSV. Only binary files of the user are put into a zip. The
cell always keeps its own file. ``holds`` names the combined files.
"""

from __future__ import annotations

import base64
import html
import io
import re
import zipfile
from collections.abc import Callable, Sequence
from pathlib import PurePath

from codevf_nb.attachments.attachment import Attachment, Kind
from codevf_nb.attachments.names import Names
from codevf_nb.sdk.files import is_text_type, mime_type_for
from codevf_nb.sdk.limits import MAX_ATTACHMENTS

_LANGUAGES = {".py": "python", ".json": "json", ".csv": "csv", ".sql": "sql", ".r": "r", ".sh": "bash", ".yaml": "yaml"}


def pack(parts: Sequence[Attachment], names: Names) -> tuple[Attachment, ...]:
    """Combine attachments, in the order of the steps below, until at most five are left."""
    packed = list(parts)
    steps: tuple[tuple[str, Callable[[Attachment], bool], Callable[[Sequence[Attachment]], bytes], Kind], ...] = (
        ("notes.md", lambda part: part.kind is Kind.NOTE, page, Kind.NOTE),
        ("figures.html", lambda part: part.kind is Kind.IMAGE, _pictures, Kind.IMAGE),
        ("files.md", _is_text_file, page, Kind.NOTE),
        ("notes.md", lambda part: part.kind is Kind.NOTE, page, Kind.NOTE),
        ("files.zip", lambda part: part.kind is Kind.FILE, _zip, Kind.FILE),
    )
    for file_name, belongs, join, kind in steps:
        packed = _joined(packed, file_name, belongs, join, kind, names)
    return tuple(packed)


def tables_to_join(sizes: Sequence[int], notes: int, others: int) -> set[int]:
    """Return the numbers of the tables that must share one file: the smallest ones, and as few as possible.

    Args:
        sizes: The sizes of the tables, in bytes.
        notes: How many notes there are, which can be combined to one file.
        others: How many other files there are.

    Returns:
        The numbers of the tables; empty if each table can have its own file.
    """
    if len(sizes) + notes + others <= MAX_ATTACHMENTS:
        return set()
    room = max(1, MAX_ATTACHMENTS - others - min(notes, 1))
    if len(sizes) <= room:
        return set()
    return set(sorted(range(len(sizes)), key=lambda number: sizes[number])[: len(sizes) - room + 1])


def page(parts: Sequence[Attachment]) -> bytes:
    """Combine texts to one Markdown page. Markdown is kept, other text is fenced, and each has its name above it."""
    blocks = []
    for part in parts:
        text = part.content.decode(errors="replace").rstrip("\n")
        suffix = PurePath(part.file_name).suffix.lower()
        body = text if suffix == ".md" else fenced(text, _LANGUAGES.get(suffix, "text"))
        blocks.append(body if suffix == ".md" and part.holds else f"# File: {part.file_name}\n\n{body}")
    return ("\n\n".join(blocks) + "\n").encode()


def fenced(text: str, language: str) -> str:
    """Fence a text with more backticks than its longest run of backticks."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def _joined(
    parts: list[Attachment],
    file_name: str,
    belongs: Callable[[Attachment], bool],
    join: Callable[[Sequence[Attachment]], bytes],
    kind: Kind,
    names: Names,
) -> list[Attachment]:
    """Combine the smallest files of one kind to one file, as many as necessary to reach five files."""
    need = len(parts) - MAX_ATTACHMENTS + 1
    members = [number for number, part in enumerate(parts) if belongs(part)]
    if need < 2 or len(members) < 2:
        return parts
    chosen = sorted(sorted(members, key=lambda number: len(parts[number].content))[:need])
    together = [parts[number] for number in chosen]
    holds = tuple(name for part in together for name in _contents(part))
    joined = Attachment(names.unique(file_name), join(together), kind=kind, holds=holds)
    return [joined if number == chosen[0] else part for number, part in enumerate(parts) if number not in chosen[1:]]


def _contents(part: Attachment) -> tuple[str, ...]:
    return part.holds or (part.file_name + part.extent,)


def _is_text_file(part: Attachment) -> bool:
    if part.kind is not Kind.FILE or not is_text_type(mime_type_for(part.file_name)):
        return False
    try:
        part.content.decode()
    except UnicodeDecodeError:
        return False
    return True


def _pictures(parts: Sequence[Attachment]) -> bytes:
    """Combine images to one HTML page that needs no network."""
    shown = []
    for part in parts:
        if part.holds:  # an HTML page that already combines images
            shown.append(part.content.decode())
            continue
        data = base64.b64encode(part.content).decode()
        name, kind = html.escape(part.file_name), mime_type_for(part.file_name)
        shown.append(f'<h2>{name}</h2>\n<img alt="{name}" src="data:{kind};base64,{data}">')
    return ("<!doctype html>\n<meta charset='utf-8'>\n" + "\n".join(shown) + "\n").encode()


def _zip(parts: Sequence[Attachment]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for part in parts:
            # A fixed date: the same files must give the same bytes.
            archive.writestr(zipfile.ZipInfo(part.file_name, (1980, 1, 1, 0, 0, 0)), part.content, zipfile.ZIP_DEFLATED)
    return packed.getvalue()
