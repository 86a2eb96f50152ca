"""Composition: settings -> exchange -> application -> a worker process on a socket it was given."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import AsyncIterator

import structlog
from aiohttp import web

from exchange import config
from exchange.api import connections, drain, entry, excuse, report_files, routes
from exchange.api.gate import Gate
from exchange.api.open_data import FEED, Feed
from exchange.api.parts import EXCHANGE, GATE, QUOTAS, ROOM, WRITING, Quotas
from exchange.api.pipes import LEAVING, READY, Parent
from exchange.api.quotas import Buckets
from exchange.api.room import Room
from exchange.broker import clock
from exchange.broker.exchange import Exchange, opened
from exchange.links import revocation
from exchange.store.pool import UNAVAILABLE
from exchange.web import pages

RETRY_SECONDS = 0.5
ROOM_BYTES = 512 << 20


def application(exchange: Exchange) -> web.Application:
    """The HTTP application of one exchange."""
    settings = exchange.config
    app = web.Application(middlewares=[entry.middleware], client_max_size=settings.max_letter_bytes)
    app[EXCHANGE] = exchange
    app[QUOTAS] = Quotas(requests=Buckets(settings.quota_requests), bytes=Buckets(settings.quota_bytes))
    app[ROOM] = Room(ROOM_BYTES)
    app[GATE] = Gate()
    app[WRITING] = report_files.gate()
    app[FEED] = Feed()
    app.add_routes(routes.ROUTES)
    app.add_routes(pages.ROUTES)
    app.on_response_prepare.append(drain.say_last)
    return app


async def serve(settings: config.Config, dsn: str, listening: socket.socket, parent: Parent) -> None:
    """One worker: answers on `listening` until SIGTERM, SIGINT or its parent's end; then finishes what it began."""
    stop, loop = drain.Stop(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.give)
    loop.add_reader(parent.lifeline, _orphaned, loop, parent, stop)
    async with contextlib.AsyncExitStack() as stack:
        exchange = await _opened(stack, settings, dsn, listening, stop)
        if exchange is not None:
            await _work(exchange, listening, parent, stop)
    structlog.get_logger().info("worker_stopped")


def _orphaned(loop: asyncio.AbstractEventLoop, parent: Parent, stop: drain.Stop) -> None:
    loop.remove_reader(parent.lifeline)
    stop.give()


async def _opened(
    stack: contextlib.AsyncExitStack,
    settings: config.Config,
    dsn: str,
    listening: socket.socket,
    stop: drain.Stop,
) -> Exchange | None:
    """The exchange, as soon as its database answers: until then 503. None if we are to stop before it does."""
    async with contextlib.AsyncExitStack() as meanwhile:
        excused = False
        while not stop.given:
            try:
                return await stack.enter_async_context(opened(settings, dsn))
            except UNAVAILABLE as error:
                structlog.get_logger().warning("waiting_for_database", error=repr(error))
            if not excused:
                await meanwhile.enter_async_context(
                    _answering(excuse.application(), settings, listening.dup())
                )
                excused = True
            await stop.wait(RETRY_SECONDS)
    return None


async def _work(exchange: Exchange, listening: socket.socket, parent: Parent, stop: drain.Stop) -> None:
    async with (
        revocation.jobs(exchange) as fetching,
        clock.ticking(exchange, fetching),
        _answering(application(exchange), exchange.config, listening),
    ):
        structlog.get_logger().info("worker_ready")
        parent.tell(READY)
        try:
            await stop.wait()
        finally:  # also when one of our tasks died; the address is given back next, before anything else
            stop.give()
            parent.tell(LEAVING)
            exchange.leave()


@contextlib.asynccontextmanager
async def _answering(
    app: web.Application, settings: config.Config, listening: socket.socket
) -> AsyncIterator[None]:
    """The application on that socket, which is closed here at the end, and in this process only."""
    runner = connections.runner(app, drain.SHUTDOWN_SECONDS)
    await runner.setup()
    site = web.SockSite(runner, listening, ssl_context=connections.tls(settings))
    await site.start()
    try:
        yield
    finally:
        await site.stop()
        await drain.emptied(runner)
        await runner.cleanup()
