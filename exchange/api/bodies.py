"""Taking a request's body in: streamed under the cap, unfolded from gzip, spooled above 1 MB, its digest checked.

A letter above 16 MiB goes to a file of the request's own folder, and is never whole in memory; of the room for bodies
it holds those 16 MiB, which is more than looking at it takes.

A line that falls silent is given up after a while, and what one worker holds at a time is bounded. The bytes stored are
the unfolded ones: a content coding belongs to the way, not to the letter. Content-Digest (RFC 9530) is of the bytes as
they travel. Source: contract.md (`too_large`, `incomplete_body`, `digest_mismatch`, `busy`).
"""

import asyncio
import base64
import binascii
import contextlib
import hashlib
import re
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Self

from aiohttp import web

from exchange.api.parts import EXCHANGE, HELD, ROOM, SPOOL
from exchange.api.unfolding import TooMuchError, Unfolding, UnreadableError, unfolding
from exchange.edxml import spooled
from exchange.edxml.spooled import SPOOLED_BYTES, Content
from exchange.store import spools
from exchange.store.paced import Paced

SPOOL_BYTES = 1 << 20
CHUNK_BYTES = 1 << 18
CONTINUE = "100-continue"
SILENCE_SECONDS = 30.0
"""How long a line may be silent in the middle of a body."""

_SHA256 = re.compile(r"(?:^|,)\s*sha-256\s*=\s*([^,;\s]*)", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Taken:
    """A whole body."""

    raw: Content


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """How a body is wanted: its cap in bytes; `json`, and by no other name; `spooled`, a large one as a file."""

    cap: int
    json: bool = False
    spooled: bool = False


@dataclass(frozen=True, kw_only=True)
class Refused:
    """A body that was not taken: code, how many bytes were seen, and a public word on it."""

    code: str
    seen: int
    detail: str = ""


class BrokenError(Exception):
    """The line broke in the middle of a body; code and a public word as in Refused."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail


async def take(request: web.Request, wanted: Wanted) -> Taken | Refused:
    """The request's body, or why not."""
    cap = wanted.cap
    unfolded = unfolding(request.headers.get("Content-Encoding", "identity").strip().lower(), cap)
    if unfolded is None:
        return Refused(code="unsupported_media_type", seen=0, detail="Content-Encoding: gzip | identity")
    if wanted.json and "Content-Type" in request.headers and not request.content_type.endswith("json"):
        return Refused(code="unsupported_media_type", seen=0)
    if request.content_length is not None and request.content_length > cap:
        return Refused(code="too_large", seen=0)
    try:
        return await _streamed(request, unfolded, wanted)
    except BrokenError as broken:
        return Refused(code=broken.code, seen=request.content.total_bytes, detail=broken.detail)
    except TooMuchError:
        return Refused(code="too_large", seen=request.content.total_bytes)
    except UnreadableError as error:
        return Refused(code="incomplete_body", seen=request.content.total_bytes, detail=str(error))


async def _streamed(request: web.Request, unfolded: Unfolding, wanted: Wanted) -> Taken | Refused:
    await welcome(request)
    digest = hashlib.sha256()
    with _Kept(request, wanted) as kept:
        async for chunk in chunks(request):
            digest.update(chunk)
            for piece in unfolded.feed(chunk):
                await kept.add(piece)
        unfolded.end()
        if not _digest_holds(request.headers.get("Content-Digest"), digest.digest()):
            return Refused(code="digest_mismatch", seen=kept.size)
        return Taken(raw=await kept.content())


class _Kept:
    """A body as far as it came: in memory, above 1 MB in a temporary file, and a large letter in a file that stays."""

    def __init__(self, request: web.Request, wanted: Wanted) -> None:
        self._request, self._wanted = request, wanted
        self._file: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=SPOOL_BYTES)  # noqa: SIM115 - closed in __exit__
        self._path: Path | None = None
        self._paced: Paced | None = None
        self.size = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._file.close()

    async def add(self, piece: bytes) -> None:
        """The next bytes. Raises BrokenError busy."""
        self.size += len(piece)
        if self._paced:
            await asyncio.to_thread(self._paced.write, piece)
            return
        if not self._request.app[ROOM].take(len(piece)):
            raise BrokenError("busy")
        self._request[HELD] += len(piece)
        self._file.write(piece)
        if self._wanted.spooled and self.size > SPOOLED_BYTES:
            await asyncio.to_thread(self._move)

    async def content(self) -> Content:
        """All of it."""
        if self._path:
            self._file.flush()
            return await asyncio.to_thread(spooled.of, self._path)
        self._file.seek(0)
        return self._file.read()

    def _move(self) -> None:
        self._path = spool(self._request) / "body"
        with self._file as before:
            self._file = self._path.open("wb")
            before.seek(0)
            self._paced = Paced(self._file)
            while piece := before.read(CHUNK_BYTES):
                self._paced.write(piece)


async def welcome(request: web.Request) -> None:
    """Tell a client that waits for it (Expect: 100-continue) that its body is wanted: now that we know who it is."""
    if request.headers.get("Expect", "").lower() == CONTINUE and request.version >= (1, 1):
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")


async def later(request: web.Request) -> None:
    """An answer to Expect that says nothing yet: `welcome` does, once the caller is known and within its quota."""


async def chunks(request: web.Request) -> AsyncIterator[bytes]:
    """The bytes of a body as they come. Raises BrokenError when the line breaks or falls silent."""
    while True:
        try:
            async with asyncio.timeout(SILENCE_SECONDS):
                chunk = await request.content.read(CHUNK_BYTES)
        except TimeoutError:
            raise BrokenError("incomplete_body", f"> {SILENCE_SECONDS:g} s") from None
        except (web.RequestPayloadError, ConnectionError):
            raise BrokenError("incomplete_body") from None
        if not chunk:
            break
        yield chunk
    if request.content_length is not None and request.content.total_bytes != request.content_length:
        raise BrokenError("incomplete_body")


@contextlib.contextmanager
def held(request: web.Request) -> Iterator[None]:
    """While a request lasts, room is held for what its body takes, in memory and on disk."""
    request[HELD] = 0
    try:
        yield
    finally:
        request.app[ROOM].give(request[HELD])
        if SPOOL in request:
            # Deleting what is large takes a while, and nobody needs to wait for it.
            asyncio.get_running_loop().run_in_executor(None, spools.end, request[SPOOL])


def spool(request: web.Request) -> Path:
    """The request's own folder, which is gone when it ends."""
    if SPOOL not in request:
        request[SPOOL] = spools.begin(request.app[EXCHANGE].spool_folder)
    return request[SPOOL].path


def _digest_holds(header: str | None, digest: bytes) -> bool:
    """Whether every sha-256 in Content-Digest, if there is one, is that of the body; one that cannot be read is not."""
    return all(_decoded(named) == digest for named in _SHA256.findall(header or ""))


def _decoded(named: str) -> bytes | None:
    """A digest as RFC 8941 writes bytes: base64 between colons."""
    if len(named) <= len("::") or not (named.startswith(":") and named.endswith(":")):
        return None
    try:
        return base64.b64decode(named[1:-1], validate=True)
    except binascii.Error:
        return None
