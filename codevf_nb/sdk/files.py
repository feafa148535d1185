"""Conversion of files, bytes and texts to attachments of the API.

The API's form of an attachment is `{"fileName", "mimeType", "fileSize", "content"}`. Text types are sent as text if
they are valid UTF-8, and everything else in base64. A text type that is not valid UTF-8 is sent as
application/octet-stream, so that no reader takes its base64 for text.
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
# Types that the standard library does not have, or that differ between machines.
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
    """Return the MIME type for a file name.

    Args:
        name: The name of the file. The file does not have to exist.

    Returns:
        The MIME type, or application/octet-stream if it is not known.

    Example:
        >>> mime_type_for("orders.csv"), mime_type_for("Makefile"), mime_type_for("model.bin")
        ('text/csv', 'text/plain', 'application/octet-stream')
    """
    path = PurePath(name.replace("\\", "/"))
    known = MIME_TYPES.get(path.suffix.lower())
    if known is None and path.name.lower() in _PLAIN_NAMES:
        known = "text/plain"
    return known or mimetypes.guess_type(path.name)[0] or BINARY


def is_text_type(mime_type: str) -> bool:
    """Return whether content of this type is sent as text (text, JSON, XML, YAML, TOML, notebooks, source code).

    Args:
        mime_type: A MIME type. Parameters such as the charset are ignored.

    Example:
        >>> is_text_type("application/json; charset=utf-8"), is_text_type("image/png")
        (True, False)
    """
    return _TEXT_TYPE.fullmatch(mime_type.partition(";")[0].strip().lower()) is not None


def normalize_attachments(items: object) -> list[dict[str, Any]]:
    """Convert attachments to the API's form.

    The documented limits are 5 attachments of 50 MB each.

    Args:
        items: One item or a list of items. An item is a path, bytes, a text, an open file, a (name, content) pair, or a
            mapping (`fileName`/`file_name`, `mimeType`/`mime_type`, `content`, or base64 in `data`/`base64`). A text
            of one line with a file extension is a path. In a pair, a text is always the content.

    Returns:
        One dict for each attachment.

    Raises:
        AttachmentLimitExceededError: There are more than 5 items.
        AttachmentTooLargeError: An item has more than 50 MB.
        BadRequestError: An item is not valid, or its file can't be read.

    Example:
        >>> normalize_attachments([("note.txt", "Look here.")])
        [{'fileName': 'note.txt', 'mimeType': 'text/plain', 'fileSize': 10, 'content': 'Look here.'}]
    """
    listed = _as_list(items)
    if len(listed) > MAX_ATTACHMENTS:
        raise AttachmentLimitExceededError(
            f"{len(listed)} attachments; at most {MAX_ATTACHMENTS} are allowed: join some of them into one file",
            code="attachment_limit_exceeded",
        )
    return [_api_form(_file(item, f"attachment-{number}")) for number, item in enumerate(listed, 1)]


def _as_list(items: Any) -> list[Any]:
    if items is None:
        return []
    is_single = isinstance(items, str | bytes | bytearray | memoryview | os.PathLike | Mapping) or hasattr(
        items, "read"
    )
    if not is_single and not isinstance(items, Iterable):
        raise BadRequestError(f"attachments {type(items).__name__!r} is neither a file nor a list of files")
    return [items] if is_single else list(items)


def _file(item: object, default: str) -> _File:
    if isinstance(item, Mapping):
        return _from_mapping(item, default)
    if isinstance(item, tuple) and len(item) == 2 and isinstance(item[0], str):
        return _file_with_name(item[0], item[1], None)
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
        "or a mapping with fileName and content is required"
    )


def _looks_like_a_path(text: str) -> bool:
    if "\n" in text or "\0" in text or len(text) > 1024:
        return False
    return re.fullmatch(r"\.\w{1,10}", PurePath(text).suffix) is not None or Path(text).exists()


def _read(path: Path) -> bytes:
    if path.is_dir():
        raise BadRequestError(f"attachment {str(path)!r} is a folder; use a file in it")
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


def _bytes_of(content: object, name: str) -> bytes:
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
    raise BadRequestError(
        f"attachment {name!r} has content of type {type(content).__name__}; text or bytes are required"
    )


def _from_mapping(item: Mapping[Any, Any], default: str) -> _File:
    name = _first_value(item, _NAME_SPELLINGS) or default
    mime_type = _first_value(item, _TYPE_SPELLINGS)
    if not isinstance(name, str) or not isinstance(mime_type, str | None):
        raise BadRequestError(f"{default}: fileName and mimeType must be text")
    content, encoded = item.get("content"), _first_value(item, _BASE64_SPELLINGS)
    if content is not None:
        return _file_with_name(name, content, mime_type)
    if encoded is None:
        raise BadRequestError(f"attachment {name!r} has no content: add content (text or bytes), or data (base64)")
    _check_name(name)
    return _File(name, _bytes_of(_decoded(encoded, name), name), mime_type)


def _file_with_name(name: str, content: object, mime_type: str | None) -> _File:
    """Return the file for a name and its content. For a binary type, a text must be base64."""
    _check_name(name)
    if isinstance(content, str):
        kind = mime_type or mime_type_for(name)
        if mime_type is None and kind == BINARY:
            mime_type = "text/plain"
        elif not is_text_type(kind):
            content = _decoded(content, name)
    return _File(name, _bytes_of(content, name), mime_type)


def _first_value(item: Mapping[Any, Any], spellings: tuple[str, ...]) -> Any:
    return next((item[spelling] for spelling in spellings if item.get(spelling) is not None), None)


def _decoded(content: object, name: str) -> Any:
    """Decode base64. Bytes are returned unchanged."""
    if not isinstance(content, str):
        return content
    try:
        return base64.b64decode("".join(content.split()), validate=True)
    except (binascii.Error, ValueError):
        pass
    raise BadRequestError(
        f"attachment {name!r} is not of a text type, and its content is not base64: use bytes, or a text mimeType"
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
            f"attachment name {name[:40]!r} has {len(name)} characters; 1 to {MAX_FILE_NAME} are allowed"
        )
    if any(unicodedata.category(char) in {"Cc", "Cs"} for char in name):
        raise BadRequestError(f"attachment name {name!r} has control characters; rename it")


def _check_size(name: str, size: int) -> None:
    if size > MAX_ATTACHMENT_BYTES:
        raise AttachmentTooLargeError(
            f"attachment {name!r} has {size:,} bytes or more: at most {MAX_ATTACHMENT_BYTES:,} (50 MB) are "
            "allowed; attach a part of it",
            code="attachment_too_large",
        )
