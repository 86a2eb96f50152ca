"""Uploads: letters that come in pieces over weak lines, as files named by system, digest and size.

What is there of one is simply the file's length. Pieces are appended under a lock, so two lines that send the same
letter at once cannot mix; a crash loses at most the piece being written. Nothing here is durable: a letter is accepted
only by its own commit, and a file is deleted a day after its last piece.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from exchange.edxml import spooled
from exchange.edxml.spooled import Content

SUFFIX = ".part"


@dataclass(frozen=True, kw_only=True)
class Upload:
    """One letter on its way: whose, its announced SHA-256 and size in bytes, how much is there, when last touched."""

    path: Path
    sha256: bytes
    size: int
    offset: int
    touched: float


class BusyError(Exception):
    """Somebody else is writing to this upload."""


def find(folder: Path, system: UUID, sha256: bytes) -> Upload | None:
    """The system's upload of those bytes, if it has begun one."""
    found = next(iter(folder.glob(f"{system}-{sha256.hex()}-*{SUFFIX}")), None)
    return _upload(found) if found else None


def of_system(folder: Path, system: UUID) -> list[Upload]:
    """All uploads of a system, the one touched longest ago first."""
    found = [_upload(path) for path in folder.glob(f"{system}-*{SUFFIX}")]
    return sorted((one for one in found if one), key=lambda one: one.touched)


def begin(folder: Path, system: UUID, sha256: bytes, size: int) -> Upload:
    """An empty upload, or the one that is there."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"{system}-{sha256.hex()}-{size}{SUFFIX}"
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
    found = _upload(path)
    assert found is not None
    return found


@contextmanager
def appending(upload: Upload) -> Iterator[int]:
    """A descriptor to write at the end of the upload, alone. Raises BusyError."""
    descriptor = os.open(upload.path, os.O_WRONLY | os.O_APPEND)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield descriptor
    except BlockingIOError:
        raise BusyError from None
    finally:
        os.close(descriptor)


def again(upload: Upload) -> Upload:
    """The upload as it is now."""
    return _upload(upload.path) or upload


def content(upload: Upload, folder: Path) -> Content:
    """The bytes of a whole upload; of a large one the file, by a second name in `folder`.

    Nothing more is ever written to it, and by that name it stays when the upload is thrown away.
    """
    if upload.size <= spooled.SPOOLED_BYTES:
        return upload.path.read_bytes()
    other = folder / "body"
    os.link(upload.path, other)
    return spooled.of(other)


def remove(upload: Upload) -> None:
    """Throw it away."""
    upload.path.unlink(missing_ok=True)


def stale(folder: Path, before: float) -> list[Path]:
    """Uploads last touched before that POSIX time."""
    return [path for path in folder.glob(f"*{SUFFIX}") if path.stat().st_mtime < before]


def _upload(path: Path) -> Upload | None:
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    sha256, size = path.name.removesuffix(SUFFIX).rsplit("-", 2)[1:]
    return Upload(
        path=path,
        sha256=bytes.fromhex(sha256),
        size=int(size),
        offset=status.st_size,
        touched=status.st_mtime,
    )
