"""Keeping fetched letters in a folder: a safe name, all bytes or none, and no other file is ever overwritten.

While a letter is on its way it is `.<id>.part`, locked by who fetches it; a later run goes on with it. Once whole,
checked and on disk (fsync) it is linked to its name, and the part goes away. So at any moment, also after a crash,
every name that does not begin with a dot is a whole letter.
"""

import errno
import fcntl
import hashlib
import os
import re
import unicodedata
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID

SUFFIX = ".edxml"
MAX_STEM_BYTES = 80
MAX_SAME_NAME = 100
_STRANGE = re.compile(r"[^0-9A-Za-zÀ-ÖØ-öø-ɏḀ-ỿ]+")
_LINKLESS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS}


class BusyError(Exception):
    """Another run is fetching this very delivery into this folder."""


def name(item: Mapping[str, Any]) -> str:
    """A file name for an inbox item: number and notation, of which only letters and digits stay, and the delivery's id.

    The id makes it unique and no device of Windows; raises ValueError if it is no UUID.
    """
    said = f"{item.get('number') or ''}-{item.get('notation') or ''}"
    stem = _STRANGE.sub("-", unicodedata.normalize("NFC", said)).strip("-")
    short = stem.encode()[:MAX_STEM_BYTES].decode(errors="ignore").rstrip("-")
    return "_".join(filter(None, (short, str(UUID(str(item["id"])))))) + SUFFIX


def kept(folder: Path, item: Mapping[str, Any]) -> Path | None:
    """Where this delivery's bytes are kept already, None if nowhere; what an earlier run left beside them goes away."""
    for place in _places(folder, item):
        digest = _digest(place)
        if digest == item["sha256"]:
            discard(folder, item)
        if digest in {None, item["sha256"]}:
            return place if digest else None
    return None


@contextmanager
def part(folder: Path, item: Mapping[str, Any]) -> Iterator[BinaryIO]:
    """The file that a delivery comes into, with what an earlier run has of it. Raises BusyError, OSError."""
    path = _part(folder, item)
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(path, flags, 0o666), "r+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise BusyError(path.name) from None
        if not path.exists() or not os.path.samestat(path.stat(), os.fstat(file.fileno())):
            raise BusyError(path.name)  # the other run ended between our opening and our locking
        yield file


def finish(folder: Path, item: Mapping[str, Any], file: BinaryIO) -> Path:
    """Give a whole part its name, durably; the path. Raises OSError."""
    file.flush()
    os.fsync(file.fileno())
    part_path = _part(folder, item)
    for place in _places(folder, item):
        if _take(place, part_path, item["sha256"]):
            part_path.unlink(missing_ok=True)
            sync(folder)
            return place
    raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), name(item))


def discard(folder: Path, item: Mapping[str, Any]) -> None:
    """Forget what has come of a delivery that can no longer be had."""
    _part(folder, item).unlink(missing_ok=True)


def sync(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write(path: Path, raw: bytes) -> None:
    """Write a small file whole, durably, over nothing else. Raises FileExistsError if other bytes are there."""
    if path.exists() and path.read_bytes() == raw:
        return
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with temporary.open("wb") as file:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
        _link(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    sync(path.parent)


def _part(folder: Path, item: Mapping[str, Any]) -> Path:
    return folder / f".{UUID(str(item['id']))}.part"


def _places(folder: Path, item: Mapping[str, Any]) -> Iterator[Path]:
    """The names a delivery may have: its own, and if other bytes are there already, the same with a number."""
    first = folder / name(item)
    yield first
    yield from (first.with_suffix(f".{number}{SUFFIX}") for number in range(2, MAX_SAME_NAME))


def _take(place: Path, part_path: Path, digest: str) -> bool:
    """Whether the bytes of the part now have this name; not if other bytes do."""
    try:
        _link(part_path, place)
    except FileExistsError:
        return _digest(place) == digest
    return True


def _link(source: Path, place: Path) -> None:
    """A new name for a file, never over another. Raises FileExistsError."""
    try:
        os.link(source, place)
    except OSError as error:
        if error.errno not in _LINKLESS or place.exists():
            raise
        source.replace(place)  # a file system without links: memory cards, some network drives


def _digest(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None
