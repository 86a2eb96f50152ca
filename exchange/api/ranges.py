"""A letter's bytes as an answer: entity tag, 304, one byte range, gzip (RFC 9110 sections 8.8, 13 and 14).

The tag is the SHA-256. A range is answered from the plain bytes; a whole answer may be folded by gzip, and then its tag
is weak, for the folded bytes are not the letter's.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

from aiohttp import web

from exchange.edxml.spooled import Content
from exchange.errors import Problem

LEAST_FOLDED = 1_024
PIECE_BYTES = 1 << 18
KEPT = "private, no-cache"
"""Its recipient's own cache may keep a letter, and asks each time whether it still may; nobody between us may."""

_RANGE = re.compile(r"bytes\s*=\s*(\d{0,15})\s*-\s*(\d{0,15})", re.IGNORECASE)
_TAG = re.compile(r'(?:W/)?"[^"]*"|\*')


@dataclass(frozen=True, kw_only=True)
class Span:
    """From the first byte to the one after the last."""

    first: int
    end: int


def unchanged(
    request: web.Request, tag: str, headers: Mapping[str, str] | None = None
) -> web.Response | None:
    """304 if the client holds this very thing (If-None-Match), else None. `headers`: those of the 200, if not a letter's."""
    held = _TAG.findall(request.headers.get("If-None-Match", ""))
    if tag in {one.removeprefix("W/") for one in held} or "*" in held:
        return web.Response(status=304, headers=headers or {"ETag": tag, "Cache-Control": KEPT})
    return None


def answer(request: web.Request, raw: Content, tag: str, content_type: str) -> web.Response:
    """The bytes, or the part of them that was asked for. Raises Problem range_not_satisfiable."""
    headers = {
        "ETag": tag,
        "Accept-Ranges": "bytes",
        "Vary": "Accept-Encoding",
        "Cache-Control": KEPT,
    }
    span = _wanted(request, len(raw), tag)
    if span is not None:
        headers["Content-Range"] = f"bytes {span.first}-{span.end - 1}/{len(raw)}"
        return _response(206, raw, span, content_type, headers)
    response = _response(200, raw, Span(first=0, end=len(raw)), content_type, headers)
    if fold(request, response, len(raw)):
        response.headers["ETag"] = f"W/{tag}"
    return response


def _response(
    status: int, raw: Content, span: Span, content_type: str, headers: dict[str, str]
) -> web.Response:
    """Large bytes go out piece by piece, as the client takes them: what waits for a slow one is a piece, not a copy."""
    size = span.end - span.first
    if size <= PIECE_BYTES:
        body = raw[span.first : span.end]
        return web.Response(status=status, body=body, content_type=content_type, headers=headers)
    headers["Content-Length"] = str(size)
    return web.Response(status=status, body=_pieces(raw, span), content_type=content_type, headers=headers)


async def _pieces(raw: Content, span: Span) -> AsyncIterator[bytes]:
    for start in range(span.first, span.end, PIECE_BYTES):
        part = slice(start, min(span.end, start + PIECE_BYTES))
        yield raw[part] if isinstance(raw, bytes) else await asyncio.to_thread(raw.__getitem__, part)


def fold(request: web.Request, response: web.Response, size: int) -> bool:
    """Fold an answer by gzip if the client takes it and it is worth while; whether it was."""
    if size < LEAST_FOLDED or not _takes_gzip(request.headers.get("Accept-Encoding", "")):
        return False
    response.enable_compression(web.ContentCoding.gzip)
    return True


def _takes_gzip(header: str) -> bool:
    """Whether gzip is among what the client takes, with a weight above 0 (RFC 9110 section 12.5.3)."""
    for entry in header.lower().split(","):
        name, _, weight = (part.strip() for part in entry.partition(";"))
        if name in {"gzip", "x-gzip", "*"}:
            return not re.fullmatch(r"q\s*=\s*0(?:\.0*)?", weight)
    return False


def _wanted(request: web.Request, size: int, tag: str) -> Span | None:
    """The one range that is asked for; None for the whole: no range, several, another version, or not in bytes."""
    header, condition = request.headers.get("Range", ""), request.headers.get("If-Range")
    found = _RANGE.fullmatch(header.strip())
    if found is None or found.group(1) + found.group(2) == "" or (condition is not None and condition != tag):
        return None
    return _span(found.group(1), found.group(2), size)


def _span(first: str, last: str, size: int) -> Span | None:
    if not first:
        span = Span(first=max(0, size - int(last)), end=size)
    else:
        span = Span(first=int(first), end=min(size, int(last) + 1) if last else size)
    if first and last and int(last) < int(first):
        return None
    if span.first >= size or span.end <= span.first:
        raise Problem("range_not_satisfiable", size=size)
    return span
