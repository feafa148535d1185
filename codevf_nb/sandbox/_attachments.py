"""Attachments of a request: their checks, and how their content is decoded."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from codevf_nb.sandbox._errors import Problem
from codevf_nb.sandbox._rules import ATTACHMENT_BYTES, ATTACHMENTS, FILE_NAME_CHARACTERS

KEPT_CHARACTERS = 1024 * 1024
"""After the review of a larger attachment, only its name, size and digest are kept."""

_TEXT = """
    json x-ndjson xml yaml x-yaml toml x-toml javascript x-javascript typescript ecmascript sql graphql csv x-csv
    x-python x-python-code x-sh x-shellscript x-httpd-php x-tex x-r x-ruby x-perl rtf
"""
TEXT_TYPES = frozenset(f"application/{kind}" for kind in _TEXT.split())
"""The types that are sent as text, besides text/*, …+json, …+xml and …+yaml."""


@dataclass(frozen=True)
class Attachment:
    """A file as it was received. `sent_as` is the name of the field with the text `sent`; `content` is decoded."""

    file_name: str
    mime_type: str
    file_size: int | None
    sent_as: str
    sent: str
    content: bytes

    def record(self) -> dict[str, Any]:
        """Return the attachment as JSON that is stored, without a text that is large."""
        return {
            "fileName": self.file_name,
            "mimeType": self.mime_type,
            "fileSize": self.file_size,
            "size": len(self.content),
            "sha256": hashlib.sha256(self.content).hexdigest(),
            "sentAs": self.sent_as,
            "sent": self.sent if len(self.sent) <= KEPT_CHARACTERS else None,
        }


def read_all(value: object, problems: list[Problem]) -> tuple[Attachment, ...]:
    """Return the attachments of a request. Add their problems to `problems`."""
    if value is None:
        return ()
    if not isinstance(value, list):
        problems.append(Problem("attachments", "Must be an array"))
        return ()
    if len(value) > ATTACHMENTS:
        message = f"At most {ATTACHMENTS} attachments are allowed, {len(value)} were sent"
        problems.append(Problem("attachments", message, "attachment_limit_exceeded"))
        return ()
    read = []
    for index, item in enumerate(value):
        found = list(_problems(f"attachments[{index}]", item))
        if not found:
            attachment = _decode(item)
            found = list(_problems_of_content(f"attachments[{index}]", attachment))
            if attachment is not None:
                read.append(attachment)
        problems += found
    return tuple(read)


def is_text(mime_type: str) -> bool:
    """Return whether `content` of this type is sent as text, and not in base64."""
    kind = mime_type.partition(";")[0].strip().lower()
    return kind.startswith("text/") or kind in TEXT_TYPES or kind.endswith(("+json", "+xml", "+yaml"))


def _problems(where: str, item: object) -> Iterator[Problem]:
    if not isinstance(item, dict):
        yield Problem(where, "Must be an object")
        return
    least, most = FILE_NAME_CHARACTERS
    name = item.get("fileName")
    if not isinstance(name, str) or not least <= len(name) <= most:
        yield Problem(f"{where}.fileName", f"Must be a string of {least} to {most} characters")
    if not isinstance(item.get("mimeType"), str) or not item["mimeType"]:
        yield Problem(f"{where}.mimeType", "Must be a string, for example text/plain")
    size = item.get("fileSize")
    if size is not None and not is_whole(size):
        yield Problem(f"{where}.fileSize", "Must be a whole number of bytes")
    elif size is not None and size > ATTACHMENT_BYTES:
        yield Problem(f"{where}.fileSize", f"Must be at most {ATTACHMENT_BYTES} bytes", "attachment_too_large")
    given = [field for field in ("content", "data") if item.get(field) is not None]
    if len(given) != 1 or not isinstance(item[given[0]], str):
        yield Problem(f"{where}.content", "The file's content must be a string, in content or in data")


def _decode(item: dict[str, Any]) -> Attachment | None:
    sent_as = "content" if item.get("content") is not None else "data"
    sent: str = item[sent_as]
    as_text = sent_as == "content" and is_text(item["mimeType"])
    content = sent.encode() if as_text else _from_base64(sent)
    if content is None:
        return None
    size = item.get("fileSize")
    return Attachment(item["fileName"], item["mimeType"], None if size is None else int(size), sent_as, sent, content)


def _problems_of_content(where: str, attachment: Attachment | None) -> Iterator[Problem]:
    if attachment is None:
        yield Problem(f"{where}.content", "Must be base64: only text types are sent as text, and only in content")
        return
    size = len(attachment.content)
    if size > ATTACHMENT_BYTES:
        message = f"Must be at most {ATTACHMENT_BYTES} bytes, {size} arrived"
        yield Problem(f"{where}.content", message, "attachment_too_large")
    # fileSize may be missing, as in the documentation's examples. A wrong fileSize may mean a truncated file.
    if attachment.file_size is not None and attachment.file_size != size:
        yield Problem(f"{where}.fileSize", f"Is {attachment.file_size}, but the content decodes to {size} bytes")


def is_whole(value: object) -> bool:
    """Return whether a JSON value is a whole number from 0. `1.0` is one, as in JSON Schema, but `true` is not."""
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0 and value == int(value)


def _from_base64(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        pass
    try:  # most decoders accept the line breaks of MIME
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        return None
