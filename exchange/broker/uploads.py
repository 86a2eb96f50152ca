"""Upload: a letter comes in pieces, addressed by its SHA-256, and goes on where the line broke.

    find      what is there: the client asks for the offset, also after days
    add       the next piece, at exactly that offset; what came before a cut line is kept
    whole     all bytes, checked against the digest they were announced with

An upload belongs to the system that began it. It stays for a day, also after its letter was accepted: a client whose
answer was lost posts again and gets the first receipt, without sending the bytes again.
"""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from exchange.broker.exchange import Exchange
from exchange.edxml import spooled
from exchange.edxml.spooled import Content
from exchange.errors import Problem
from exchange.store import uploads
from exchange.store.uploads import Upload

LIFETIME = timedelta(days=1)
MOST_UPLOADS = 32
MOST_LETTERS = 4
"""How many letters of the largest size a system's uploads may hold together."""


def find(exchange: Exchange, system: UUID, sha256: bytes) -> Upload | None:
    """The system's upload of those bytes, if it has begun one."""
    return uploads.find(exchange.upload_folder, system, sha256)


def expires(upload: Upload) -> datetime:
    """When it is thrown away, unless something is added."""
    return datetime.fromtimestamp(upload.touched, UTC) + LIFETIME


def begun(exchange: Exchange, system: UUID, sha256: bytes, size: int) -> Upload:
    """The upload that a piece belongs to; a new one if there is none. Raises Problem too_large, rate_limited or bad_request."""
    if size > exchange.config.max_letter_bytes:
        raise Problem("too_large")
    held = find(exchange, system, sha256)
    if held is not None and held.size != size:
        raise Problem("bad_request", f"Upload-Length: {held.size}")
    if held is None:
        _make_room(exchange, system, size)
    return held or uploads.begin(exchange.upload_folder, system, sha256, size)


def _make_room(exchange: Exchange, system: UUID, size: int) -> None:
    """Whole uploads give way, the oldest first; half ones are somebody's work and do not."""
    held = uploads.of_system(exchange.upload_folder, system)
    limit = MOST_LETTERS * exchange.config.max_letter_bytes - size
    while len(held) >= MOST_UPLOADS or sum(one.size for one in held) > limit:
        over = next((one for one in held if one.offset == one.size), None)
        if over is None:
            raise Problem("rate_limited", retry_after=60)
        uploads.remove(over)
        held.remove(over)


async def add(upload: Upload, offset: int, pieces: AsyncIterator[bytes]) -> Upload:
    """Add what comes at `offset`; the upload afterwards. Raises Problem wrong_offset, busy or too_large.

    When `pieces` breaks off with an error, what came until then is kept.
    """
    with _alone(upload) as descriptor:
        room = _room(upload, offset)
        async for piece in pieces:
            if len(piece) > room:
                raise Problem("too_large", f"Upload-Length: {upload.size}")
            await asyncio.to_thread(_write, descriptor, piece)
            room -= len(piece)
    return uploads.again(upload)


@contextlib.contextmanager
def _alone(upload: Upload) -> Iterator[int]:
    try:
        with uploads.appending(upload) as descriptor:
            yield descriptor
    except uploads.BusyError:
        raise Problem("busy", retry_after=1) from None


def _room(upload: Upload, offset: int) -> int:
    there = uploads.again(upload).offset
    if offset != there:
        raise Problem("wrong_offset", offset=there)
    return upload.size - there


def _write(descriptor: int, piece: bytes) -> None:
    view = memoryview(piece)
    while view:
        view = view[os.write(descriptor, view) :]


async def whole(exchange: Exchange, system: UUID, sha256: bytes, folder: Path) -> Content:
    """All bytes of an upload; of a large one the file, with a name of its own in `folder`. Raises Problem not_found, wrong_offset (not all there yet) or digest_mismatch."""
    upload = find(exchange, system, sha256)
    if upload is None:
        raise Problem("not_found")
    if upload.offset != upload.size:
        raise Problem("wrong_offset", offset=upload.offset)
    content = await asyncio.to_thread(uploads.content, upload, folder)
    if await asyncio.to_thread(spooled.digest, content) != sha256:
        uploads.remove(upload)
        raise Problem("digest_mismatch")
    return content
