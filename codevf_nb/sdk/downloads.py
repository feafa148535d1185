"""Deliverables, brought from a foreign address under a foreign name into a folder: neither is trusted."""

from __future__ import annotations

import filecmp
import itertools
import re
import unicodedata
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import IO
from urllib.parse import urljoin

from codevf_nb.sdk._http import Reply
from codevf_nb.sdk.addresses import Address, AddressError
from codevf_nb.sdk.exceptions import CodeVFError, DownloadError
from codevf_nb.sdk.limits import MAX_REDIRECTS
from codevf_nb.sdk.models import TaskDeliverable
from codevf_nb.sdk.parsing import clean, header_of
from codevf_nb.sdk.responses import RawAnswer
from codevf_nb.sdk.transport import (
    BeforeAttempt,
    Call,
    OnAnswer,
    Transport,
)

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


def file_names(deliverables: Sequence[TaskDeliverable]) -> list[str]:
    """A safe name for each deliverable, the same ones each time; those that would be one file are numbered."""
    names: list[str] = []
    taken: set[str] = set()
    for deliverable in deliverables:
        name = first = PurePath(safe_file_name(deliverable.file_name))
        for number in itertools.count(2):
            if _folded(name.name) not in taken:
                break
            name = PurePath(f"{first.stem}-{number}{first.suffix}")
        taken.add(_folded(name.name))
        names.append(name.name)
    return names


def _folded(name: str) -> str:
    """What a name is on a disk that tells neither large letters from small ones nor forms of one letter apart."""
    return unicodedata.normalize("NFKC", name).casefold()


@dataclass(frozen=True)
class Saving:
    """How deliverables are fetched and stored.

    `same_is_fine`: what is there already with these very contents stays, and is no error. `before_attempt` and
    `on_answer` are of requests to the API's own host.
    """

    overwrite: bool
    max_bytes: int
    seconds: float
    same_is_fine: bool = False
    before_attempt: BeforeAttempt | None = None
    on_answer: OnAnswer | None = None


def download_all(
    transport: Transport, deliverables: Sequence[TaskDeliverable], folder: Path, saving: Saving
) -> list[Path]:
    """Stores every deliverable that can be, whatever becomes of the others; see `Tasks.download_all`."""
    saved: list[Path] = []
    failed: list[CodeVFError] = []
    for deliverable, name in zip(deliverables, file_names(deliverables), strict=True):
        try:
            saved.append(download(transport, deliverable, folder, saving, name))
        except CodeVFError as error:
            failed.append(error)
    if not failed:
        return saved
    told = "; ".join(str(error).rstrip(".") for error in failed)
    others = f"; {len(saved)} of {len(deliverables)} files are saved in {folder}" if saved else ""
    raise DownloadError(f"{told}{others}", saved=saved)


def download(
    transport: Transport, deliverable: TaskDeliverable, folder: Path, saving: Saving, name: str | None = None
) -> Path:
    """Stores a deliverable and says where; see `Tasks.download`."""
    address = _checked(deliverable.url, transport)
    target = folder / (safe_file_name(deliverable.file_name) if name is None else name)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        is_new = not saving.overwrite and _reserve(target)
        if not (is_new or saving.overwrite or saving.same_is_fine):
            raise _is_there(target)
        _store(transport, deliverable, address, target, saving, is_new=is_new)
    except OSError as error:
        reason = error.strerror or type(error).__name__
    else:
        return target
    raise DownloadError(f"{target} can't be written ({reason.lower()})")


def _store(
    transport: Transport, deliverable: TaskDeliverable, address: Address, target: Path, saving: Saving, *, is_new: bool
) -> None:
    """Writes beside the target and moves there whole: an old file survives a download that fails."""
    part = target.parent / f".codevf-{uuid.uuid4().hex}"
    try:
        with part.open("xb") as file:  # with the rights that any new file has
            _fetch(transport, deliverable, address, file, saving)
        if is_new or saving.overwrite:
            part.replace(target)
            return
        if not filecmp.cmp(part, target, shallow=False):
            raise _is_there(target)
        part.unlink()
    except BaseException:
        part.unlink(missing_ok=True)
        if is_new:
            target.unlink(missing_ok=True)
        raise


def _reserve(target: Path) -> bool:
    """Takes the name for us alone, so that nothing is overwritten that appears in the meantime; whether it is new."""
    try:
        target.open("xb").close()
    except FileExistsError:
        return False
    return True


def _is_there(target: Path) -> DownloadError:
    return DownloadError(f"{target} is there already; overwrite=True replaces it")


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
    saving: Saving,
) -> None:
    size, max_bytes = 0, saving.max_bytes

    def store(chunk: bytes) -> None:
        nonlocal size
        size += len(chunk)
        if size > max_bytes:
            raise DownloadError(f"{clean(deliverable.file_name)} has more than {max_bytes:,} bytes; raise max_bytes")
        file.write(chunk)

    ends = transport.clock() + saving.seconds
    for number in range(1, MAX_REDIRECTS + 2):
        own = address.origin == transport.address.origin
        if own:
            call = Call("GET", address.path.partition("?")[0], before_attempt=saving.before_attempt)
            transport.prepare_attempt(call, number, ends - transport.clock())
        left = max(0.001, ends - transport.clock())
        reply = transport.wire.exchange(
            "GET", str(address), seconds=left, limit=max_bytes + 1, with_key=own, sink=store
        )
        if own and saving.on_answer is not None and isinstance(reply, Reply):
            saving.on_answer(RawAnswer("GET", call.path, reply.status, reply.headers, reply.body))
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
        gone = (
            "; ask for the task again (task.refresh()), its addresses may have changed"
            if reply.status in {403, 404, 410}
            else ""
        )
        raise DownloadError(f"{name} could not be fetched: its address answered with status {reply.status}{gone}")
    return urljoin(str(address), location)
