"""Deliverables, brought from a foreign address under a foreign name into a folder: neither is trusted."""

from __future__ import annotations

import os
import re
import tempfile
import unicodedata
from pathlib import Path, PurePath
from typing import IO
from urllib.parse import urljoin

from .addresses import Address, AddressError
from .exceptions import CodeVFError, DownloadError
from .foreign import clean, header_of
from .limits import MAX_REDIRECTS
from .models import TaskDeliverable
from .transport import Call, Transport
from .wire import Reply

MAX_NAME_BYTES = 200
_RESERVED = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|com[\d¹²³]|lpt[\d¹²³]) *(\..*)?", re.IGNORECASE)


def safe_file_name(name: str) -> str:
    """A name that stays in its folder on every system; `deliverable` where nothing of it is left."""
    last = re.split(r"[/\\]", name)[-1]
    visible = "".join(char for char in last if unicodedata.category(char)[0] != "C")
    kept = re.sub(r'[<>:"|?*]', "_", visible).strip(" .")
    if not kept:
        return "deliverable"
    if _RESERVED.fullmatch(kept):
        kept = f"_{kept}"
    stem, suffix = PurePath(kept).stem, PurePath(kept).suffix
    short = stem.encode()[: MAX_NAME_BYTES - len(suffix.encode()[:20])].decode(errors="ignore")
    return short + suffix.encode()[:20].decode(errors="ignore")


def download(
    transport: Transport,
    deliverable: TaskDeliverable,
    folder: Path,
    *,
    overwrite: bool,
    max_bytes: int,
    seconds: float,
) -> Path:
    """Stores a deliverable and says where; see `Tasks.download`."""
    address = _checked(deliverable.url, transport)
    target = folder / safe_file_name(deliverable.file_name)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not overwrite:
            _reserve(target)
        _store(transport, deliverable, address, target, max_bytes, seconds, reserved=not overwrite)
    except OSError as error:
        reason = error.strerror or type(error).__name__
    else:
        return target
    raise DownloadError(f"{target} can't be written ({reason.lower()})")


def _store(
    transport: Transport,
    deliverable: TaskDeliverable,
    address: Address,
    target: Path,
    max_bytes: int,
    seconds: float,
    *,
    reserved: bool,
) -> None:
    """Writes beside the target and moves there whole: an old file survives a download that fails."""
    handle, name = tempfile.mkstemp(prefix=".codevf-", dir=target.parent)
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            _fetch(transport, deliverable, address, file, max_bytes, seconds)
        part.replace(target)
    except BaseException:
        part.unlink(missing_ok=True)
        if reserved:
            target.unlink(missing_ok=True)
        raise


def _reserve(target: Path) -> None:
    """Takes the name for us alone, so that nothing is overwritten that appears in the meantime."""
    try:
        target.open("xb").close()
    except FileExistsError:
        pass
    else:
        return
    raise DownloadError(f"{target} is there already; overwrite=True replaces it")


def _checked(url: str, transport: Transport) -> Address:
    """An address that may be fetched: https elsewhere; this machine only for a service that runs on it."""
    try:
        address = Address.link(url)
    except AddressError as error:
        raise DownloadError(f"{clean(str(url))!r} is not fetched: it {error}; only https addresses are") from None
    if address.may_be_this_machine and not transport.address.is_loopback:
        raise DownloadError(f"{clean(url)!r} is not fetched: it is this machine, and the service isn't")
    if address.scheme == "http" and not address.is_loopback:
        raise DownloadError(f"{clean(url)!r} is not fetched: only https addresses are")
    return address


def _fetch(
    transport: Transport,
    deliverable: TaskDeliverable,
    address: Address,
    file: IO[bytes],
    max_bytes: int,
    seconds: float,
) -> None:
    size = 0

    def store(chunk: bytes) -> None:
        nonlocal size
        size += len(chunk)
        if size > max_bytes:
            raise DownloadError(f"{clean(deliverable.file_name)} has more than {max_bytes:,} bytes; raise max_bytes")
        file.write(chunk)

    ends = transport.clock() + seconds
    for number in range(1, MAX_REDIRECTS + 2):
        own = address.origin == transport.address.origin
        if own:
            call = Call("GET", address.path.partition("?")[0])
            transport.prepare_attempt(call, number, ends - transport.clock())
        left = max(0.001, ends - transport.clock())
        reply = transport.wire.exchange(
            "GET", str(address), seconds=left, limit=max_bytes + 1, with_key=own, sink=store
        )
        target = _redirect(reply, address, deliverable)
        if target is None:
            return
        address = _checked(target, transport)
    raise DownloadError(f"{clean(deliverable.file_name)}: its address redirects more than {MAX_REDIRECTS} times")


def _redirect(reply: Reply | CodeVFError, address: Address, deliverable: TaskDeliverable) -> str | None:
    """None where the file came; the address that a redirect names; or a DownloadError."""
    name = clean(deliverable.file_name)
    if isinstance(reply, DownloadError):
        raise reply
    if isinstance(reply, CodeVFError):
        raise DownloadError(f"{name} could not be fetched: {reply}")
    if reply.status == 200:
        return None
    location = header_of(reply.headers, "Location")
    if reply.status not in {301, 302, 303, 307, 308} or location is None:
        gone = "; ask for the task again, its addresses may have changed" if reply.status in {403, 404, 410} else ""
        raise DownloadError(f"{name} could not be fetched: its address answered with status {reply.status}{gone}")
    return urljoin(str(address), location)
