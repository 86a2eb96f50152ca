"""Composition: settings -> exchange -> application -> a worker process on a socket it was given."""

import asyncio
import contextlib
import logging
import signal
import socket
from collections.abc import AsyncIterator

import structlog
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from exchange import config
from exchange.api import problems, routes
from exchange.api.parts import EXCHANGE
from exchange.broker import clock
from exchange.broker.exchange import Exchange, opened
from exchange.store.pool import UNAVAILABLE

SHUTDOWN_SECONDS = 30.0
RETRY_SECONDS = 0.5


def application(exchange: Exchange) -> web.Application:
    """The HTTP application of one exchange."""
    app = web.Application(middlewares=[problems.middleware], client_max_size=exchange.config.max_letter_bytes)
    app[EXCHANGE] = exchange
    app.add_routes(routes.ROUTES)
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


def _is_ours(record: logging.LogRecord) -> bool:
    """Whether a line of the HTTP server tells of a defect of ours: what is no HTTP is answered 400 and not worth a line."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, HttpProcessingError | web.RequestPayloadError)


@contextlib.asynccontextmanager
async def _answering(exchange: Exchange, listening: socket.socket) -> AsyncIterator[None]:
    runner = web.AppRunner(
        application(exchange), access_log=None, shutdown_timeout=SHUTDOWN_SECONDS, auto_decompress=False
    )
    logging.getLogger("aiohttp.server").addFilter(_is_ours)
    await runner.setup()
    await web.SockSite(runner, listening).start()
    try:
        yield
    finally:
        await runner.cleanup()
