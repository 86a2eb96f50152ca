"""Answers of any length (câu trả lời dài): made in pieces beside the event loop and sent as they come, none of them held."""

import asyncio
import contextlib
import os
from collections.abc import Iterator, Mapping
from typing import IO

from aiohttp import web

from exchange.api.parts import REQUEST_ID

JSON = "application/json; charset=utf-8"
CSV = "text/csv; charset=utf-8"
FILE_PIECE = 1 << 18


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
    with contextlib.suppress(ConnectionError):  # who has gone away needs no more
        while piece is not None:
            await sent.write(piece)
            piece = await asyncio.to_thread(next, raw, None)
        await sent.write_eof()
    return sent


async def file(request: web.Request, opened: IO[bytes], headers: Mapping[str, str]) -> web.StreamResponse:
    """A file from its beginning, with its length, as it is."""
    sent = web.StreamResponse(headers={"Cache-Control": "no-store", **headers})
    sent.content_length = await asyncio.to_thread(opened.seek, 0, os.SEEK_END)
    sent.headers["X-Request-Id"] = request[REQUEST_ID]
    await asyncio.to_thread(opened.seek, 0)
    with contextlib.suppress(ConnectionError):
        await sent.prepare(request)
        while piece := await asyncio.to_thread(opened.read, FILE_PIECE):
            await sent.write(piece)
        await sent.write_eof()
    return sent
