"""Answers of any length over HTTP: whole where they are short, in pieces where they are long, made only as fast as they are read."""

import asyncio

import aiohttp
import pytest
from aiohttp import web

from exchange.api import long_answers
from exchange.api.parts import REQUEST_ID

PIECE = "số liệu " * 10_000


class Server:
    """One route that answers with so many pieces, and counts those that were made."""

    def __init__(self):
        self.made = 0

    def pieces(self, number):
        for _ in range(number):
            self.made += 1
            yield PIECE

    async def get(self, request):
        request[REQUEST_ID] = "a-1"
        headers = {"Content-Type": long_answers.CSV}
        return await long_answers.answer(request, self.pieces(int(request.query["n"])), headers)

    async def __aenter__(self):
        app = web.Application()
        app.router.add_get("/", self.get)
        self.runner = web.AppRunner(app)
        await self.runner.setup()
        site = web.TCPSite(self.runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self.runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_):
        await self.runner.cleanup()


@pytest.mark.parametrize("n", [0, 1, 2, 5])
async def test_every_piece_is_sent_once_and_in_order(n):
    async with Server() as server, aiohttp.ClientSession(server.url) as session:
        async with session.get("/", params={"n": n}) as answer:
            assert await answer.text() == PIECE * n
            assert answer.headers["Content-Type"] == long_answers.CSV
            assert ("Content-Length" in answer.headers) is (n < 2)
            assert n < 2 or answer.headers["X-Request-Id"] == "a-1"
        server.made = 0
        async with session.head("/", params={"n": n}) as answer:
            assert (answer.status, await answer.read()) == (200, b"")
        assert server.made <= 2


async def test_nothing_is_made_that_nobody_reads():
    async with Server() as server:
        reading, writing = await asyncio.open_connection(*server.runner.addresses[0], limit=1 << 12)
        writing.write(b"GET /?n=2000 HTTP/1.1\r\nHost: x\r\n\r\n")
        await reading.readexactly(1 << 10)
        made = -1
        while made != server.made:  # until the buffers between us are full
            made = server.made
            await asyncio.sleep(0.3)
        assert made < 1_000
        writing.close()
