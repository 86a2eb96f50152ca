"""Taking a request's body in: streamed under the cap, spooled to disk above 1 MB, its digest checked.

A compressed body is not taken: the bytes that came are the ones stored and digested, and nobody can send little that
unfolds to much. Source: contract.md (`too_large`, `incomplete_body`, `digest_mismatch`); Content-Digest is RFC 9530.
"""

import base64
import binascii
import hashlib
import re
import tempfile
from dataclasses import dataclass

from aiohttp import web

SPOOL_BYTES = 1 << 20
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


async def take(request: web.Request, cap: int) -> Taken | Refused:
    """The request's body, or why not."""
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        return Refused(code="bad_request", seen=0, detail="Content-Encoding: identity")
    if request.content_length is not None and request.content_length > cap:
        return Refused(code="too_large", seen=0)
    with tempfile.SpooledTemporaryFile(max_size=SPOOL_BYTES) as spool:
        try:
            async for chunk in request.content.iter_chunked(1 << 18):
                spool.write(chunk)
                if spool.tell() > cap:
                    return Refused(code="too_large", seen=spool.tell())
        except (web.RequestPayloadError, ConnectionError):
            return Refused(code="incomplete_body", seen=request.content.total_bytes)
        size = spool.tell()
        if request.content_length is not None and size != request.content_length:
            return Refused(code="incomplete_body", seen=size)
        spool.seek(0)
        raw = spool.read()
    return (
        Taken(raw=raw)
        if _digest_holds(request.headers.get("Content-Digest"), raw)
        else Refused(code="digest_mismatch", seen=size)
    )


def _digest_holds(header: str | None, raw: bytes) -> bool:
    """Whether every sha-256 in Content-Digest, if there is one, is that of the body; one that cannot be read is not."""
    return all(_decoded(named) == hashlib.sha256(raw).digest() for named in _SHA256.findall(header or ""))


def _decoded(named: str) -> bytes | None:
    """A digest as RFC 8941 writes bytes: base64 between colons."""
    if len(named) <= len("::") or not (named.startswith(":") and named.endswith(":")):
        return None
    try:
        return base64.b64decode(named[1:-1], validate=True)
    except binascii.Error:
        return None
