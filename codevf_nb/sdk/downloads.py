"""Downloads of deliverables into a folder. Neither their addresses nor their names are trusted."""

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
from codevf_nb.sdk.limits import DOWNLOAD_SECONDS, MAX_DOWNLOAD_BYTES, MAX_REDIRECTS
from codevf_nb.sdk.models import TaskDeliverable
from codevf_nb.sdk.parsing import header_of, one_line
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
    """Return a file name that is valid on every system and can't leave its folder.

    Args:
        name: The name that the service sent.

    Returns:
        The safe name, or `deliverable` if no character of the name is safe.
    """
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
    """Return a safe and unique name for each deliverable. Equal names are numbered, always in the same way."""
    names: list[str] = []
    taken: set[str] = set()
    for deliverable in deliverables:
        name = first = PurePath(safe_file_name(deliverable.file_name))
        for number in itertools.count(2):
            if _collision_key(name.name) not in taken:
                break
            name = PurePath(f"{first.stem}-{number}{first.suffix}")
        taken.add(_collision_key(name.name))
        names.append(name.name)
    return names


def _collision_key(name: str) -> str:
    """Return a text that is equal for names that are the same file on some systems."""
    return unicodedata.normalize("NFKC", name).casefold()


@dataclass(frozen=True)
class DownloadOptions:
    """How deliverables are downloaded.

    Attributes:
        overwrite: Whether an existing file is replaced.
        max_bytes: The largest size of a file, in bytes.
        seconds: The time limit for a file.
        keep_identical: Whether an existing file with the same contents is kept, without an error.
        before_attempt: Called before each request to the host of the API.
        on_answer: Called with each response from the host of the API.
    """

    overwrite: bool
    max_bytes: int
    seconds: float
    keep_identical: bool = False
    before_attempt: BeforeAttempt | None = None
    on_answer: OnAnswer | None = None


class Downloads:
    """The part of `client.tasks` that downloads the files of an answer."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def download(
        self,
        deliverable: TaskDeliverable,
        folder: str | Path,
        *,
        overwrite: bool = False,
        max_bytes: int = MAX_DOWNLOAD_BYTES,
        timeout: float = DOWNLOAD_SECONDS,
    ) -> Path:
        """Download a deliverable into a folder, with a safe form of its own name.

        Only https addresses are fetched, and loopback addresses if the service is on this machine. The API key is sent
        only to the host of the API.

        Args:
            deliverable: The file of an answer.
            folder: The folder, which is created if needed.
            overwrite: Whether an existing file is replaced.
            max_bytes: The largest size of the file, in bytes.
            timeout: The time limit, in seconds.

        Returns:
            The path of the file.

        Raises:
            DownloadError: The file exists already, or could not be downloaded or stored.

        Example:
            >>> client.tasks.download(deliverable, folder).name
            'findings.csv'
        """
        return download(self._transport, deliverable, Path(folder), DownloadOptions(overwrite, max_bytes, timeout))

    def download_all(
        self,
        deliverables: Sequence[TaskDeliverable],
        folder: str | Path,
        *,
        overwrite: bool = False,
        max_bytes: int = MAX_DOWNLOAD_BYTES,
        timeout: float = DOWNLOAD_SECONDS,
        before_attempt: BeforeAttempt | None = None,
        on_answer: OnAnswer | None = None,
    ) -> list[Path]:
        """Download every deliverable of a task, as `download` does.

        Equal names are numbered. A repeated call finds the same files: a file with the same contents is kept.

        Args:
            deliverables: The files of an answer.
            folder: The folder, which is created if needed.
            overwrite: Whether existing files are replaced.
            max_bytes: The largest size of each file, in bytes.
            timeout: The time limit of each file, in seconds.
            before_attempt: Called before each request to the host of the API.
            on_answer: Called with each response from the host of the API.

        Returns:
            The paths of the files.

        Raises:
            DownloadError: At least one file could not be stored. `.saved` has the paths of the others.

        Example:
            >>> [path.name for path in client.tasks.download_all([deliverable], folder)]
            ['findings.csv']
        """
        options = DownloadOptions(overwrite, max_bytes, timeout, not overwrite, before_attempt, on_answer)
        return download_all(self._transport, deliverables, Path(folder), options)


def download_all(
    transport: Transport, deliverables: Sequence[TaskDeliverable], folder: Path, options: DownloadOptions
) -> list[Path]:
    """Store every deliverable, even if some of them fail. See `Tasks.download_all`."""
    saved: list[Path] = []
    failed: list[CodeVFError] = []
    for deliverable, name in zip(deliverables, file_names(deliverables), strict=True):
        try:
            saved.append(download(transport, deliverable, folder, options, name))
        except CodeVFError as error:
            failed.append(error)
    if not failed:
        return saved
    reasons = "; ".join(str(error).rstrip(".") for error in failed)
    others = f"; {len(saved)} of {len(deliverables)} files are saved in {folder}" if saved else ""
    raise DownloadError(f"{reasons}{others}", saved=saved)


def download(
    transport: Transport, deliverable: TaskDeliverable, folder: Path, options: DownloadOptions, name: str | None = None
) -> Path:
    """Store a deliverable and return its path. See `Tasks.download`."""
    address = _allowed_address(deliverable.url, transport)
    target = folder / (safe_file_name(deliverable.file_name) if name is None else name)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        is_new = not options.overwrite and _reserve(target)
        if not (is_new or options.overwrite or options.keep_identical):
            raise _already_exists(target)
        _store(transport, deliverable, address, target, options, is_new=is_new)
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
    options: DownloadOptions,
    *,
    is_new: bool,
) -> None:
    """Write a temporary file, and move it to the target when it is complete: a failed download keeps the old file."""
    part = target.parent / f".codevf-{uuid.uuid4().hex}"
    try:
        with part.open("xb") as file:  # with the permissions of any new file
            _fetch(transport, deliverable, address, file, options)
        if is_new or options.overwrite:
            part.replace(target)
            return
        if not filecmp.cmp(part, target, shallow=False):
            raise _already_exists(target)
        part.unlink()
    except BaseException:
        part.unlink(missing_ok=True)
        if is_new:
            target.unlink(missing_ok=True)
        raise


def _reserve(target: Path) -> bool:
    """Create the file, so that no other file of this name can appear. Return False if it existed already."""
    try:
        target.open("xb").close()
    except FileExistsError:
        return False
    return True


def _already_exists(target: Path) -> DownloadError:
    return DownloadError(f"{target} already exists; overwrite=True replaces it")


def _allowed_address(url: str, transport: Transport) -> Address:
    """Parse an address that may be fetched: https, or this machine if the service runs on it."""
    try:
        address = Address.link(url)
    except AddressError as error:
        raise DownloadError(f"{one_line(str(url))!r} is not fetched: it {error}; only https addresses are") from None
    if address.may_be_this_machine and not transport.address.is_loopback:
        raise DownloadError(f"{one_line(url)!r} is not fetched: it is on this machine, and the service is not")
    if address.scheme == "http" and not address.is_loopback:
        raise DownloadError(f"{one_line(url)!r} is not fetched: only https addresses are")
    return address


def _fetch(
    transport: Transport,
    deliverable: TaskDeliverable,
    address: Address,
    file: IO[bytes],
    options: DownloadOptions,
) -> None:
    size, max_bytes = 0, options.max_bytes

    def store(chunk: bytes) -> None:
        nonlocal size
        size += len(chunk)
        if size > max_bytes:
            raise DownloadError(f"{one_line(deliverable.file_name)} has more than {max_bytes:,} bytes; raise max_bytes")
        file.write(chunk)

    ends = transport.clock() + options.seconds
    for number in range(1, MAX_REDIRECTS + 2):
        own = address.origin == transport.address.origin
        if own:
            call = Call("GET", address.path.partition("?")[0], before_attempt=options.before_attempt)
            transport.prepare_attempt(call, number, ends - transport.clock())
        left = max(0.001, ends - transport.clock())
        reply = transport.wire.exchange(
            "GET", str(address), seconds=left, limit=max_bytes + 1, with_key=own, on_chunk=store
        )
        if own and options.on_answer is not None and isinstance(reply, Reply):
            options.on_answer(RawAnswer("GET", call.path, reply.status, reply.headers, reply.body))
        target = _redirect(reply, address, deliverable)
        if target is None:
            return
        address = _allowed_address(target, transport)
    raise DownloadError(f"{one_line(deliverable.file_name)}: its address redirects more than {MAX_REDIRECTS} times")


def _redirect(reply: Reply | CodeVFError, address: Address, deliverable: TaskDeliverable) -> str | None:
    """Return the target of a redirect, or None if the file was received. Raise DownloadError for everything else."""
    name = one_line(deliverable.file_name)
    if isinstance(reply, DownloadError):
        raise reply
    if isinstance(reply, CodeVFError):
        raise DownloadError(f"{name} could not be fetched: {reply}")
    if reply.status == 200:
        return None
    location = header_of(reply.headers, "Location")
    if reply.status not in {301, 302, 303, 307, 308} or location is None:
        gone = (
            "; retrieve the task again (task.refresh()): its addresses may have changed"
            if reply.status in {403, 404, 410}
            else ""
        )
        raise DownloadError(f"{name} could not be fetched: its address answered with status {reply.status}{gone}")
    return urljoin(str(address), location)
