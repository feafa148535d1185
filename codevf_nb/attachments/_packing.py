"""At most five files: what belongs together is put together rather than refused, and as little of it as need be.

Text stays text that can be read where it is: notes (profile, traceback, context, source code, JSON) become one Markdown
page, pictures one HTML page, small tables one Markdown page of CSV. Only binary files of the user's end in a zip. The
cell is always a file of its own. What was put together is named in ``holds``.
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
    """Put parts together, in the order of the steps below, until at most five files are left."""
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
    """Return which tables (by number) must share one file: the smallest, and as few as need be.

    ``notes`` and ``others`` count the files that are no tables: those made here that can be put together as one, and
    all the rest.
    """
    if len(sizes) + notes + others <= MAX_ATTACHMENTS:
        return set()
    room = max(1, MAX_ATTACHMENTS - others - min(notes, 1))
    if len(sizes) <= room:
        return set()
    return set(sorted(range(len(sizes)), key=lambda number: sizes[number])[: len(sizes) - room + 1])


def page(parts: Sequence[Attachment]) -> bytes:
    """Join texts as one Markdown page: Markdown as it is, all else fenced, each under its name."""
    blocks = []
    for part in parts:
        text = part.content.decode(errors="replace").rstrip("\n")
        suffix = PurePath(part.file_name).suffix.lower()
        body = text if suffix == ".md" else fenced(text, _LANGUAGES.get(suffix, "text"))
        blocks.append(body if suffix == ".md" and part.holds else f"# File: {part.file_name}\n\n{body}")
    return ("\n\n".join(blocks) + "\n").encode()


def fenced(text: str, language: str) -> str:
    """Fence a text with more backticks than it holds in a row."""
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
    """Put the smallest of those that belong together into one file, as many as must be to keep to five files."""
    need = len(parts) - MAX_ATTACHMENTS + 1
    members = [number for number, part in enumerate(parts) if belongs(part)]
    if need < 2 or len(members) < 2:
        return parts
    chosen = sorted(sorted(members, key=lambda number: len(parts[number].content))[:need])
    together = [parts[number] for number in chosen]
    holds = tuple(name for part in together for name in _held(part))
    joined = Attachment(names.unique(file_name), join(together), kind=kind, holds=holds)
    return [joined if number == chosen[0] else part for number, part in enumerate(parts) if number not in chosen[1:]]


def _held(part: Attachment) -> tuple[str, ...]:
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
    """Join pictures as one page that any browser shows; it fetches nothing."""
    shown = []
    for part in parts:
        if part.holds:  # a page of pictures that was joined before
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
            # A fixed date: the same files make the same bytes, so that nothing seems to have changed.
            archive.writestr(zipfile.ZipInfo(part.file_name, (1980, 1, 1, 0, 0, 0)), part.content, zipfile.ZIP_DEFLATED)
    return packed.getvalue()
