"""Unpack zip, tar, gzip, bzip2 and xz files, also nested ones, within one shared limit of bytes."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO, Any

_CHUNK = 1 << 20
_LZMA_MEMORY = 256 * 1024 * 1024
_BROKEN = (zipfile.BadZipFile, tarfile.TarError, RuntimeError, NotImplementedError, OSError, EOFError, zlib.error,
           lzma.LZMAError, ValueError, MemoryError, UnicodeError)  # fmt: skip
# The first bytes of known formats that this module can't open.
CLOSED = {
    b"7z\xbc\xaf\x27\x1c": "7-Zip",
    b"Rar!\x1a\x07": "RAR",
    b"\x28\xb5\x2f\xfd": "Zstandard",
    b"\x04\x22\x4d\x18": "LZ4",
    b"\xff\x06\x00\x00sNaPpY": "Snappy",
    b"\x1f\x9d": "compress",
    b"%PDF-": "PDF",
    b"PAR1": "Parquet",
    b"ARROW1": "Arrow",
    b"FEA1": "Feather",
    b"\x89HDF": "HDF5",
    b"SQLite format 3\0": "SQLite",
    b"\xd0\xcf\x11\xe0": "an old Office file",
    b"\x93NUMPY": "a NumPy array",
    b"\x89PNG\r\n": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"GIF8": "a picture",
    b"BM": "a picture",
    b"II*\0": "a picture",
    b"MM\0*": "a picture",
    b"RIFF": "a picture or sound",
    b"\x80\x02": "a pickle",
    b"\x80\x03": "a pickle",
    b"\x80\x04": "a pickle",
    b"\x80\x05": "a pickle",
}


class ByteBudget:
    """The number of bytes that may still be unpacked, shared by all content of one file."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.left = size

    def read(self, file: IO[bytes]) -> tuple[bytes, str | None]:
        """Read a packed file to its end. If this is not possible, return the bytes read and the reason."""
        held = bytearray()
        try:
            while chunk := file.read(min(_CHUNK, self.left + 1)):
                held += chunk
                self.left -= len(chunk)
                if self.left < 0:
                    return bytes(held), f"larger than {self.size >> 20:,} MB when unpacked"
        except _BROKEN:
            return bytes(held), "broken or encrypted"
        return bytes(held), None


@dataclass(frozen=True)
class Member:
    """A file inside another file. ``trouble`` is the reason if ``content`` is incomplete."""

    name: str
    content: bytes
    trouble: str | None = None


def opener_for(content: bytes) -> Callable[[str, bytes, ByteBudget], Iterator[Member]] | None:
    """Return the function that opens these bytes, chosen by content and not by name; None if they are no container."""
    if content.startswith((b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00")):
        return _decompressed
    if content[257:262] == b"ustar" or _is_old_tar(content):
        return _in_tar
    return _in_zip if zipfile.is_zipfile(io.BytesIO(content)) or content.startswith(b"PK\x03\x04") else None


def _decompressed(name: str, content: bytes, budget: ByteBudget) -> Iterator[Member]:
    file = io.BytesIO(content)
    stem, dot, suffix = name.rpartition(".")
    inner = stem if dot and suffix.lower() in {"gz", "bz2", "xz", "tgz", "tbz", "txz", "z"} else name
    opened: Any
    if content.startswith(b"\x1f\x8b"):
        opened = gzip.GzipFile(fileobj=file)
    elif content.startswith(b"BZh"):
        opened = bz2.BZ2File(file)
    else:
        opened = _Xz(content)
    yield Member(inner.rpartition(" › ")[2], *budget.read(opened))


class _Xz:
    """An xz file, read in pieces with a memory limit, which ``lzma.LZMAFile`` does not have."""

    def __init__(self, content: bytes) -> None:
        self._left = content
        self._decompressor = lzma.LZMADecompressor(memlimit=_LZMA_MEMORY)

    def read(self, size: int) -> bytes:
        chunk = b""
        while not chunk and (self._left or not self._decompressor.needs_input):
            if self._decompressor.eof:
                self._left = self._decompressor.unused_data.lstrip(b"\0")
                if not self._left:
                    return b""
                self._decompressor = lzma.LZMADecompressor(memlimit=_LZMA_MEMORY)
            chunk, self._left = self._decompressor.decompress(self._left, size), b""
        if not chunk and not self._decompressor.eof:
            raise EOFError
        return chunk


def _is_old_tar(content: bytes) -> bool:
    """Whether this is a tar file without a magic number: its first block contains its own checksum."""
    written = content[148:156].strip(b"\0 ")
    if len(content) < 512 or not written.isdigit() or any(char not in b"01234567" for char in written):
        return False
    return sum(content[:148]) + sum(content[156:512]) + 8 * 32 == int(written, 8)


def _in_tar(name: str, content: bytes, budget: ByteBudget) -> Iterator[Member]:
    try:
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:") as archive:
            for member in archive:
                file = archive.extractfile(member) if member.isfile() else None
                yield Member(member.name, *(budget.read(file) if file is not None else (b"", None)))
                if budget.left < 0:
                    return
    except _BROKEN:
        yield Member(name.rpartition(" › ")[2], b"", "broken")


def _in_zip(name: str, content: bytes, budget: ByteBudget) -> Iterator[Member]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for info in archive.infolist():
                yield _unzipped(archive, info, budget)
                if budget.left < 0:
                    return
            if archive.comment:
                yield Member("comment", archive.comment)
    except _BROKEN:
        yield Member(name.rpartition(" › ")[2], b"", "broken")


def _unzipped(archive: zipfile.ZipFile, info: zipfile.ZipInfo, budget: ByteBudget) -> Member:
    try:
        with archive.open(info) as file:
            return Member(info.filename, *budget.read(file))
    except _BROKEN:
        return Member(info.filename, b"", "broken or encrypted")
