"""Composition: settings -> exchange -> application -> a worker process on a socket it was given."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import AsyncIterator

import structlog
from aiohttp import web

from exchange import config
from exchange.api import connections, entry, routes
from exchange.api.parts import EXCHANGE, QUOTAS, ROOM, Quotas
from exchange.api.quotas import Buckets
from exchange.api.room import Room
from exchange.broker import clock
from exchange.broker.exchange import Exchange, opened
from exchange.store.pool import UNAVAILABLE
from exchange.web import pages

SHUTDOWN_SECONDS = 30.0
RETRY_SECONDS = 0.5
ROOM_BYTES = 512 << 20


def application(exchange: Exchange) -> web.Application:
    """The HTTP application of one exchange."""
    settings = exchange.config
    app = web.Application(middlewares=[entry.middleware], client_max_size=settings.max_letter_bytes)
    app[EXCHANGE] = exchange
    app[QUOTAS] = Quotas(requests=Buckets(settings.quota_requests), bytes=Buckets(settings.quota_bytes))
    app[ROOM] = Room(ROOM_BYTES)
    app.add_routes(routes.ROUTES)
    app.add_routes(pages.ROUTES)
    return app


async def serve(settings: config.Config, dsn: str, listening: socket.socket, lifeline: int) -> None:
    """One worker: answers on `listening` until SIGTERM, SIGINT or the end of `lifeline`; then finishes what it began.

    `lifeline` is the reading end of a pipe whose other end dies with the parent.
    """
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    loop.add_reader(lifeline, _orphaned, loop, lifeline, stopping)
    async with contextlib.AsyncExitStack() as stack:
        exchange = await _opened(stack, settings, dsn, stopping)
        if exchange is not None:
            await _work(exchange, listening, stopping)
    structlog.get_logger().info("worker_stopped")


def _orphaned(loop: asyncio.AbstractEventLoop, lifeline: int, stopping: asyncio.Event) -> None:
    loop.remove_reader(lifeline)
    stopping.set()


async def _opened(
    stack: contextlib.AsyncExitStack, settings: config.Config, dsn: str, stopping: asyncio.Event
) -> Exchange | None:
    """The exchange, as soon as its database answers; None if we are to stop before it does."""
    while not stopping.is_set():
        try:
            return await stack.enter_async_context(opened(settings, dsn))
        except UNAVAILABLE as error:
            structlog.get_logger().warning("waiting_for_database", error=repr(error))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(RETRY_SECONDS):
                await stopping.wait()
    return None


async def _work(exchange: Exchange, listening: socket.socket, stopping: asyncio.Event) -> None:
    async with clock.ticking(exchange), _answering(exchange, listening):  # the address is given back first
        structlog.get_logger().info("worker_ready")
        await stopping.wait()


@contextlib.asynccontextmanager
async def _answering(exchange: Exchange, listening: socket.socket) -> AsyncIterator[None]:
    runner = connections.runner(application(exchange), SHUTDOWN_SECONDS)
    await runner.setup()
    await web.SockSite(runner, listening, ssl_context=connections.tls(exchange.config)).start()
    try:
        yield
    finally:
        await runner.cleanup()
