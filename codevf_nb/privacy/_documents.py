"""Read the parts of notebooks and Office files."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

_SUFFIXES = {
    "text/html": "html",
    "image/svg+xml": "svg",
    "text/markdown": "md",
    "application/javascript": "js",
    "text/csv": "csv",
}
_SHEET = re.compile(r"xl/worksheets/[^/]+\.xml$")
_ANSI = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")


@dataclass(frozen=True)
class Piece:
    """A cell of a notebook, or one MIME type of an output."""

    name: str
    content: bytes


def is_sheet(member: str) -> bool:
    """Whether a member of an archive is an Excel worksheet."""
    return bool(_SHEET.search(member))


def is_notebook(found: Sequence[Any]) -> bool:
    """Whether a JSON document is a Jupyter notebook."""
    return len(found) == 1 and isinstance(found[0], dict) and bool(list(_cells(found[0])))


def pieces(notebook: dict[str, Any]) -> Iterator[Piece]:
    """Yield the cells of a notebook, their outputs and attachments, and last its other content."""
    for number, cell in enumerate(_cells(notebook), 1):
        suffix = "md" if cell.get("cell_type") in {"markdown", "raw", "heading"} else "py"
        yield Piece(f"cell {number}.{suffix}", _joined(cell.get("source", cell.get("input"))).encode(errors="replace"))
        for output in _dicts(cell.get("outputs")):
            yield from _output(output, number)
        for attached in _dicts(list((cell.get("attachments") or {}).values())):
            yield from _bundle(attached, f"attachment of cell {number}", is_base64=True)
    rest = {key: value for key, value in notebook.items() if key not in {"cells", "worksheets"}}
    about = [cell.get("metadata") for cell in _cells(notebook) if cell.get("metadata")]
    yield Piece("metadata", json.dumps([rest, *about], ensure_ascii=False).encode(errors="replace"))


def _cells(notebook: dict[str, Any]) -> list[dict[str, Any]]:
    sheets = _dicts(notebook.get("worksheets"))
    return _dicts(notebook.get("cells")) + [cell for sheet in sheets for cell in _dicts(sheet.get("cells"))]


def _output(output: dict[str, Any], number: int) -> Iterator[Piece]:
    name = f"output of cell {number}"
    said = [_joined(output.get(key)) for key in ("text", "ename", "evalue", "traceback")]
    text = _ANSI.sub("", "\n".join(filter(None, said)))
    if text:
        yield Piece(name, text.encode(errors="replace"))
    bundle = output.get("data")
    # Before version 4, the data was stored in the output itself.
    forms = (
        bundle if isinstance(bundle, dict) else {key: output[key] for key in ("html", "svg", "png") if key in output}
    )
    yield from _bundle(forms, name)


def _bundle(forms: dict[str, Any], name: str, *, is_base64: bool = False) -> Iterator[Piece]:
    """Yield the data of an output, by MIME type. Images are base64, and so is all data of an attachment."""
    for kind, value in forms.items():
        if isinstance(value, dict | list) and not _is_lines(value):
            yield Piece(f"{name} ({kind})", json.dumps(value, ensure_ascii=False).encode(errors="replace"))
            continue
        text = _joined(value)
        raw = _decoded(text) if is_base64 or not (kind.startswith("text/") or kind in _SUFFIXES) else None
        suffix = _SUFFIXES.get(kind, kind if kind in {"html", "svg"} else "txt")
        yield Piece(f"{name}.{suffix}", raw or text.encode(errors="replace"))


def _decoded(text: str) -> bytes | None:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        return None


def _joined(value: Any) -> str:
    """Return a text that may be stored as a list of lines."""
    return "".join(str(line) for line in value) if isinstance(value, list) else "" if value is None else str(value)


def _is_lines(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(line, str) for line in value)


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
