"""Taking a request's body in: streamed under the cap, unfolded from gzip, spooled above 1 MB, its digest checked.

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
from typing import IO

from aiohttp import web

from exchange.api.parts import HELD, ROOM
from exchange.api.unfolding import TooMuchError, Unfolding, UnreadableError, unfolding

SPOOL_BYTES = 1 << 20
CHUNK_BYTES = 1 << 18
CONTINUE = "100-continue"
SILENCE_SECONDS = 30.0
"""How long a line may be silent in the middle of a body."""

_SHA256 = re.compile(r"(?:^|,)\s*sha-256\s*=\s*([^,;\s]*)", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Taken:
    """A whole body."""

    raw: bytes


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


async def take(request: web.Request, cap: int, *, json: bool = False) -> Taken | Refused:
    """The request's body, or why not; `json`: a body that calls itself something else is not taken."""
    unfolded = unfolding(request.headers.get("Content-Encoding", "identity").strip().lower(), cap)
    if unfolded is None:
        return Refused(code="unsupported_media_type", seen=0, detail="Content-Encoding: gzip | identity")
    if json and "Content-Type" in request.headers and not request.content_type.endswith("json"):
        return Refused(code="unsupported_media_type", seen=0)
    if request.content_length is not None and request.content_length > cap:
        return Refused(code="too_large", seen=0)
    try:
        return await _streamed(request, unfolded)
    except BrokenError as broken:
        return Refused(code=broken.code, seen=request.content.total_bytes, detail=broken.detail)
    except TooMuchError:
        return Refused(code="too_large", seen=request.content.total_bytes)
    except UnreadableError as error:
        return Refused(code="incomplete_body", seen=request.content.total_bytes, detail=str(error))


async def _streamed(request: web.Request, unfolded: Unfolding) -> Taken | Refused:
    await welcome(request)
    digest = hashlib.sha256()
    with tempfile.SpooledTemporaryFile(max_size=SPOOL_BYTES) as spool:
        async for chunk in chunks(request):
            digest.update(chunk)
            _keep(request, spool, unfolded, chunk)
        unfolded.end()
        if not _digest_holds(request.headers.get("Content-Digest"), digest.digest()):
            return Refused(code="digest_mismatch", seen=spool.tell())
        spool.seek(0)
        return Taken(raw=spool.read())


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
    """While a request lasts, room is held for what its body takes."""
    request[HELD] = 0
    try:
        yield
    finally:
        request.app[ROOM].give(request[HELD])


def _keep(request: web.Request, spool: IO[bytes], unfolded: Unfolding, chunk: bytes) -> None:
    for piece in unfolded.feed(chunk):
        if not request.app[ROOM].take(len(piece)):
            raise BrokenError("busy")
        request[HELD] += len(piece)
        spool.write(piece)


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
