"""Bytes that stand in a file because they are too many for memory, used like bytes where a part of them is wanted.

Large letters and the files in them are such; `len` and slices work on both, the functions here do for both what slices
cannot. Nothing here keeps a file open or owns it: whoever made the folder takes it away.
"""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

SPOOLED_BYTES = 16 << 20
"""Letters up to this size are read in memory, larger ones from a file (design, section 8)."""

SMALL_BYTES = 1 << 16
"""Files of a large letter up to this size are taken into memory all the same."""

PIECE_BYTES = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Spooled:
    """Bytes in a file, with their size and SHA-256. They do not change while this is held."""

    path: Path
    size: int
    sha256: bytes

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, part: slice) -> bytes:
        """The bytes from `start` to `stop`, as of bytes; of a step nothing is known."""
        first, end, _ = part.indices(self.size)
        descriptor = os.open(self.path, os.O_RDONLY)
        try:
            return _read(descriptor, first, max(0, end - first))
        finally:
            os.close(descriptor)


Content: TypeAlias = bytes | Spooled


def of(path: Path) -> Spooled:
    """What stands in a file; reads it through once for its digest."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").digest()
        return Spooled(path=path, size=file.tell(), sha256=digest)


def opened(path: Path) -> Content:
    """What stands in a file, in memory if it is small."""
    return path.read_bytes() if path.stat().st_size <= SMALL_BYTES else of(path)


def whole(content: Content) -> bytes:
    """All bytes, in memory."""
    return content if isinstance(content, bytes) else content.path.read_bytes()


def digest(content: Content, name: str = "sha256") -> bytes:
    """The digest by a hash of this name."""
    if isinstance(content, bytes):
        return hashlib.new(name, content).digest()
    if name == "sha256":
        return content.sha256
    with content.path.open("rb") as file:
        return hashlib.file_digest(file, name).digest()


def same(one: Content, other: Content) -> bool:
    """Whether both are the same bytes."""
    if isinstance(one, bytes) and isinstance(other, bytes):
        return one == other
    return len(one) == len(other) and digest(one) == digest(other)


def pieces(content: Content, overlap: int = 0) -> Iterator[bytes]:
    """The bytes in pieces of 1 MiB, each beginning with the last `overlap` bytes of the one before."""
    for start in range(0, len(content), PIECE_BYTES):
        yield content[max(0, start - overlap) : start + PIECE_BYTES]


def holds(content: Content, sought: bytes) -> bool:
    """Whether these few bytes stand anywhere in it."""
    if isinstance(content, bytes):
        return sought in content
    return any(sought in piece for piece in pieces(content, len(sought) - 1))


def _read(descriptor: int, first: int, size: int) -> bytes:
    """As many bytes as the file has there; the system may give fewer than asked at a time."""
    found = os.pread(descriptor, size, first)
    while len(found) < size and (more := os.pread(descriptor, size - len(found), first + len(found))):
        found += more
    return found
