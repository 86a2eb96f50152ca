"""Bytes as they came: small ones in table `payload`, large ones in files named by letter id, behind three functions.

A file is written to a temporary name in the same folder, flushed, renamed, and the folder flushed, before the letter's
commit names it; a crash in between leaves an orphan, which `orphans` finds after a day. Bytes that stand in a file
already get a second name there instead of being written again, and come back as a file.
"""

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

from exchange.edxml import spooled
from exchange.edxml.spooled import Content, Spooled
from exchange.store import rows
from exchange.store.paced import Paced
from exchange.store.pool import Connection

SUFFIX = ".edxml"


def put(folder: Path, letter: UUID, body: Content, sha256: bytes, inline_bytes: int) -> rows.PayloadRow:
    """The row that keeps `body`; above `inline_bytes` the bytes are on disk, durable, when this returns."""
    if len(body) <= inline_bytes and isinstance(body, bytes):
        return rows.PayloadRow(id=letter, sha256=sha256, size=len(body), body=body, file=None)
    name = f"{letter}{SUFFIX}"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _write_durably(folder, name, body)
    return rows.PayloadRow(id=letter, sha256=sha256, size=len(body), body=None, file=name)


async def get(connection: Connection, folder: Path, letter: UUID) -> Content | None:
    """The bytes of a letter, of a large one the file that holds them, or None when it has none."""
    record = await connection.fetchrow("SELECT body, file, size, sha256 FROM payload WHERE id = $1", letter)
    if record is None:
        return None
    if record["file"] is None:
        return bytes(record["body"])
    found = Spooled(path=folder / record["file"], size=record["size"], sha256=record["sha256"])
    return found if found.size > spooled.SPOOLED_BYTES else spooled.whole(found)


def orphans(folder: Path, before: float) -> Iterator[Path]:
    """Files last touched before that POSIX time; the caller deletes those that no row names."""
    if folder.is_dir():
        yield from (path for path in sorted(folder.iterdir()) if path.stat().st_mtime < before)


async def named(connection: Connection, names: list[str]) -> set[str]:
    """Which of these file names a payload row holds."""
    records = await connection.fetch("SELECT file FROM payload WHERE file = ANY($1)", names)
    return {record["file"] for record in records}


def _write_durably(folder: Path, name: str, body: Content) -> None:
    temporary = folder / f".{name}.part"
    if isinstance(body, Spooled):
        _share(body.path, temporary)
    with temporary.open("ab") as file:
        Paced(file).write(body if isinstance(body, bytes) else b"")
        file.flush()
        os.fsync(file.fileno())
    temporary.rename(folder / name)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _share(path: Path, other: Path) -> None:
    """The same file under another name; a copy where that is on another disk."""
    with contextlib.suppress(OSError):
        os.link(path, other)
        return
    shutil.copyfile(path, other)
