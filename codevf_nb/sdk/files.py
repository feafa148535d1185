"""Attachments as people have them, brought into the API's form.

The API's form of one attachment: `{"fileName", "mimeType", "fileSize", "content"}`. Text types travel as they
are where they are valid UTF-8, all else in base64. A text type whose bytes are no UTF-8 is sent as
application/octet-stream, so that whoever reads it never takes base64 for the text.
"""

from __future__ import annotations

import base64
import binascii
import mimetypes
import os
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from codevf_nb.sdk.exceptions import AttachmentLimitExceededError, AttachmentTooLargeError, BadRequestError
from codevf_nb.sdk.limits import MAX_ATTACHMENT_BYTES, MAX_ATTACHMENTS, MAX_FILE_NAME

BINARY = "application/octet-stream"
# Types that the standard library does not know, or that differ from machine to machine.
MIME_TYPES = {
    ".bash": "text/x-sh",
    ".c": "text/x-c",
    ".cfg": "text/plain",
    ".cpp": "text/x-c++",
    ".css": "text/css",
    ".csv": "text/csv",
    ".env": "text/plain",
    ".feather": "application/vnd.apache.arrow.file",
    ".go": "text/x-go",
    ".h": "text/x-c",
    ".htm": "text/html",
    ".html": "text/html",
    ".ini": "text/plain",
    ".ipynb": "application/x-ipynb+json",
    ".java": "text/x-java",
    ".jl": "text/x-julia",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".js": "text/javascript",
    ".json": "application/json",
    ".jsonl": "application/x-ndjson",
    ".jsx": "text/javascript",
    ".lock": "text/plain",
    ".log": "text/plain",
    ".md": "text/markdown",
    ".parquet": "application/vnd.apache.parquet",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".py": "text/x-python",
    ".pyi": "text/x-python",
    ".qmd": "text/markdown",
    ".r": "text/x-r",
    ".rb": "text/x-ruby",
    ".rmd": "text/markdown",
    ".rs": "text/x-rust",
    ".rst": "text/x-rst",
    ".scala": "text/x-scala",
    ".sh": "text/x-sh",
    ".sql": "text/x-sql",
    ".svg": "image/svg+xml",
    ".toml": "application/toml",
    ".ts": "text/x-typescript",
    ".tsv": "text/tab-separated-values",
    ".tsx": "text/x-typescript",
    ".txt": "text/plain",
    ".xml": "application/xml",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
    ".zip": "application/zip",
}
_TEXT_TYPE = re.compile(
    r"text/.*|application/(.*\+)?(json|xml|yaml|toml)|application/(x-)?(ndjson|javascript|sql|sh|yaml)|image/svg\+xml"
)
_PLAIN_NAMES = {"dockerfile", "makefile", "license", "readme", ".env"}
_NAME_SPELLINGS = ("fileName", "file_name", "filename", "name")
_TYPE_SPELLINGS = ("mimeType", "mime_type", "content_type")
_BASE64_SPELLINGS = ("data", "base64")


@dataclass(frozen=True)
class _File:
    name: str
    content: bytes
    mime_type: str | None = None


def mime_type_for(name: str) -> str:
    """The type that a file's name stands for; application/octet-stream where nobody knows."""
    path = PurePath(name.replace("\\", "/"))
    known = MIME_TYPES.get(path.suffix.lower())
    if known is None and path.name.lower() in _PLAIN_NAMES:
        known = "text/plain"
    return known or mimetypes.guess_type(path.name)[0] or BINARY


def is_text_type(mime_type: str) -> bool:
    """Whether content of this type travels as it is (text, JSON, XML, YAML, TOML, notebooks, source code)."""
    return _TEXT_TYPE.fullmatch(mime_type.partition(";")[0].strip().lower()) is not None


def normalize_attachments(items: Any) -> list[dict[str, Any]]:
    """Attachments in the API's form. At most 5, each at most 50 MB (documented).

    Each item is a path, bytes, text, an open file, a (name, content) pair, or a mapping in either spelling
    (`fileName`/`file_name`, `mimeType`/`mime_type`, `content`, or base64 in `data`/`base64`). Text on one
    line that ends like a file's name is taken for a path; as a pair, text is always content. A single item
    may stand alone. Raises AttachmentLimitExceededError, AttachmentTooLargeError or BadRequestError, and
    names the item.
    """
    listed = _listed(items)
    if len(listed) > MAX_ATTACHMENTS:
        raise AttachmentLimitExceededError(
            f"{len(listed)} attachments, and at most {MAX_ATTACHMENTS} are taken: join some into one file",
            code="attachment_limit_exceeded",
        )
    return [_api_form(_file(item, f"attachment-{number}")) for number, item in enumerate(listed, 1)]


def _listed(items: Any) -> list[Any]:
    if items is None:
        return []
    alone = isinstance(items, str | bytes | bytearray | memoryview | os.PathLike | Mapping) or hasattr(items, "read")
    if not alone and not isinstance(items, Iterable):
        raise BadRequestError(f"attachments {type(items).__name__!r} is neither a file nor a list of files")
    return [items] if alone else list(items)


def _file(item: Any, default: str) -> _File:
    if isinstance(item, Mapping):
        return _from_mapping(item, default)
    if isinstance(item, tuple) and len(item) == 2 and isinstance(item[0], str):
        return _named(item[0], item[1], None)
    if isinstance(item, os.PathLike) or (isinstance(item, str) and _looks_like_a_path(item)):
        return _File(Path(item).name, _read(Path(item)))
    if isinstance(item, str):
        return _File(f"{default}.txt", _bytes_of(item, default))
    if isinstance(item, bytes | bytearray | memoryview):
        return _File(f"{default}.bin", bytes(item))
    if hasattr(item, "read"):
        name = getattr(item, "name", None)
        content = _bytes_of(item, default)
        return _File(PurePath(name).name if isinstance(name, str) else f"{default}.txt", content)
    raise BadRequestError(
        f"{default} is of type {type(item).__name__}; a path, bytes, text, a file, a (name, content) pair "
        "or a mapping with fileName and content is taken"
    )


def _looks_like_a_path(text: str) -> bool:
    if "\n" in text or "\0" in text or len(text) > 1024:
        return False
    return re.fullmatch(r"\.\w{1,10}", PurePath(text).suffix) is not None or Path(text).exists()


def _read(path: Path) -> bytes:
    if path.is_dir():
        raise BadRequestError(f"attachment {str(path)!r} is a folder; name a file in it")
    try:
        with path.open("rb") as file:
            content = file.read(MAX_ATTACHMENT_BYTES + 1)
            size = os.fstat(file.fileno()).st_size
    except OSError as error:
        reason = error.strerror or type(error).__name__
        hint = "; for text use a pair such as ('note.txt', text)" if isinstance(error, FileNotFoundError) else ""
    else:
        _check_size(path.name, max(size, len(content)))
        return content
    raise BadRequestError(f"attachment {str(path)!r} can't be read ({reason}){hint}")


def _bytes_of(content: Any, name: str) -> bytes:
    if hasattr(content, "read"):
        content = content.read(MAX_ATTACHMENT_BYTES + 1)
    if isinstance(content, os.PathLike):
        return _read(Path(content))
    if isinstance(content, str):
        try:
            return content.encode()
        except UnicodeEncodeError:
            pass
        raise BadRequestError(f"attachment {name!r} has half a surrogate pair, which can't be sent as UTF-8")
    if isinstance(content, bytes | bytearray | memoryview):
        return bytes(content)
    raise BadRequestError(f"attachment {name!r} has content of type {type(content).__name__}; text or bytes are taken")


def _from_mapping(item: Mapping[Any, Any], default: str) -> _File:
    name = _spelled(item, _NAME_SPELLINGS) or default
    mime_type = _spelled(item, _TYPE_SPELLINGS)
    if not isinstance(name, str) or not isinstance(mime_type, str | None):
        raise BadRequestError(f"{default}: fileName and mimeType must be text")
    content, encoded = item.get("content"), _spelled(item, _BASE64_SPELLINGS)
    if content is not None:
        return _named(name, content, mime_type)
    if encoded is None:
        raise BadRequestError(f"attachment {name!r} has no content: say content (text or bytes), or data (base64)")
    _check_name(name)
    return _File(name, _bytes_of(_decoded(encoded, name), name), mime_type)


def _named(name: str, content: Any, mime_type: str | None) -> _File:
    """Content under a name. Where the type is known to be binary, text can only be base64."""
    _check_name(name)
    if isinstance(content, str):
        kind = mime_type or mime_type_for(name)
        if mime_type is None and kind == BINARY:
            mime_type = "text/plain"
        elif not is_text_type(kind):
            content = _decoded(content, name)
    return _File(name, _bytes_of(content, name), mime_type)


def _spelled(item: Mapping[Any, Any], spellings: tuple[str, ...]) -> Any:
    return next((item[spelling] for spelling in spellings if item.get(spelling) is not None), None)


def _decoded(content: Any, name: str) -> Any:
    """What base64 stands for. Bytes that are given where base64 is expected are the content itself."""
    if not isinstance(content, str):
        return content
    try:
        return base64.b64decode("".join(content.split()), validate=True)
    except (binascii.Error, ValueError):
        pass
    raise BadRequestError(
        f"attachment {name!r} is no text type, and its content is no base64: give bytes, or a text mimeType"
    )


def _api_form(file: _File) -> dict[str, Any]:
    _check_name(file.name)
    _check_size(file.name, len(file.content))
    mime_type = file.mime_type or mime_type_for(file.name)
    text = None
    if is_text_type(mime_type):
        try:
            text = file.content.decode()
        except UnicodeDecodeError:
            mime_type = BINARY
    content = base64.b64encode(file.content).decode() if text is None else text
    return {"fileName": file.name, "mimeType": mime_type, "fileSize": len(file.content), "content": content}


def _check_name(name: str) -> None:
    if not name.strip() or len(name) > MAX_FILE_NAME:
        raise BadRequestError(
            f"attachment name {name[:40]!r} has {len(name)} characters; 1 to {MAX_FILE_NAME} are taken"
        )
    if any(unicodedata.category(char) in {"Cc", "Cs"} for char in name):
        raise BadRequestError(f"attachment name {name!r} has control characters; rename it")


def _check_size(name: str, size: int) -> None:
    if size > MAX_ATTACHMENT_BYTES:
        raise AttachmentTooLargeError(
            f"attachment {name!r} has {size:,} bytes or more: at most {MAX_ATTACHMENT_BYTES:,} (50 MB) are "
            "taken; attach a part of it",
            code="attachment_too_large",
        )
