"""Answers of any length (câu trả lời dài): made in pieces beside the event loop and sent as they come, none of them held."""

import asyncio
from collections.abc import Iterator, Mapping

from aiohttp import web

from exchange.api.parts import REQUEST_ID

JSON = "application/json; charset=utf-8"
CSV = "text/csv; charset=utf-8"


async def answer(
    request: web.Request, pieces: Iterator[str], headers: Mapping[str, str]
) -> web.StreamResponse:
    """What is short goes out whole, with its length; half of a surrogate pair goes out as it came in."""
    raw = (piece.encode(errors="backslashreplace") for piece in pieces)
    first = await asyncio.to_thread(next, raw, b"")
    second = await asyncio.to_thread(next, raw, None)
    if second is None:
        return web.Response(body=first, headers=headers)
    sent = web.StreamResponse(headers=headers)
    if request.method == "HEAD":
        return sent
    more = {
        "X-Request-Id": request[REQUEST_ID],
        "Cache-Control": "no-store",
        "Vary": "Accept-Encoding, Accept-Language",
    }
    sent.headers.update(more)
    sent.enable_compression()
    await sent.prepare(request)
    piece: bytes | None = first + second
    while piece is not None:
        await sent.write(piece)
        piece = await asyncio.to_thread(next, raw, None)
    await sent.write_eof()
    return sent
