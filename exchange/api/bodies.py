"""Taking a request's body in: streamed under the cap, spooled to disk above 1 MB, its digest checked.

Source: contract.md (`too_large`, `incomplete_body`, `digest_mismatch`); Content-Digest is RFC 9530.
"""

import base64
import binascii
import hashlib
import re
import tempfile
from dataclasses import dataclass

from aiohttp import ClientPayloadError, web
from aiohttp.http_exceptions import HttpProcessingError

SPOOL_BYTES = 1 << 20
_SHA256 = re.compile(r"(?:^|,)\s*sha-256=:([A-Za-z0-9+/=]+):")


@dataclass(frozen=True, kw_only=True)
class Taken:
    """A whole body."""

    raw: bytes


@dataclass(frozen=True, kw_only=True)
class Refused:
    """A body that was not taken: code, and how many bytes were seen."""

    code: str
    seen: int


async def take(request: web.Request, cap: int) -> Taken | Refused:
    """The request's body, or why not."""
    if request.content_length is not None and request.content_length > cap:
        return Refused(code="too_large", seen=0)
    with tempfile.SpooledTemporaryFile(max_size=SPOOL_BYTES) as spool:
        try:
            async for chunk in request.content.iter_chunked(1 << 18):
                spool.write(chunk)
                if spool.tell() > cap:
                    return Refused(code="too_large", seen=spool.tell())
        except (ClientPayloadError, HttpProcessingError, ConnectionError):
            return Refused(code="incomplete_body", seen=spool.tell())
        size = spool.tell()
        if request.content_length is not None and size != request.content_length and not _coded(request):
            return Refused(code="incomplete_body", seen=size)
        spool.seek(0)
        raw = spool.read()
    return (
        Taken(raw=raw)
        if _digest_holds(request.headers.get("Content-Digest"), raw)
        else Refused(code="digest_mismatch", seen=size)
    )


def _coded(request: web.Request) -> bool:
    return request.headers.get("Content-Encoding", "identity") != "identity"


def _digest_holds(header: str | None, raw: bytes) -> bool:
    """Whether a sha-256 in Content-Digest, if there is one, is that of the body."""
    named = _SHA256.search(header or "")
    if named is None:
        return True
    try:
        return base64.b64decode(named.group(1), validate=True) == hashlib.sha256(raw).digest()
    except binascii.Error:
        return False
