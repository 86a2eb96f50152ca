"""Connections: TLS as we speak it, what is no HTTP answered in our words, slow lines given up.

aiohttp reads HTTP; four things of it are set here. Bytes that are no HTTP get a problem with a code, as every error
does. A connection that has not sent a whole request's head within a minute, or idles as long, is closed. So is one whose
client takes nothing of an answer for a while: its bytes lie in our memory. TLS is 1.2 or newer; a client certificate is
asked for when CONGVAN_TLS_CLIENT_CA names who issues them, and it is no duty.
"""

import asyncio
import logging
import ssl
from typing import Any
from uuid import uuid4

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from exchange import metrics
from exchange.api import problems
from exchange.config import Config
from exchange.errors import Problem

IDLE_SECONDS = 60.0
LINGERING_SECONDS = 5.0
"""How long a body that nobody wants any more is read, so that its sender sees the answer."""

UNREAD_SECONDS = 30.0
"""How long a client may take no byte of an answer that waits for it."""


class Connection(web.RequestHandler):
    """One client's connection."""

    _look: asyncio.TimerHandle | None = None

    def eof_received(self) -> bool | None:  # type: ignore[override]  # asyncio's own: True keeps the way back open
        """A client that has said all it has to say may still listen: its whole request gets its answer."""
        current = self._current_request
        answering = self._request_count > 0 and (self._waiter is None or self._waiter.done())
        broken_off = current is not None and not current.content.is_eof()
        if self.ssl_context is not None or not answering or broken_off:
            return None
        self._close = True
        return True

    def pause_writing(self) -> None:
        """The client takes an answer slower than we write it: watch whether it takes any at all."""
        super().pause_writing()
        self._watch()

    def resume_writing(self) -> None:
        """It took what there was."""
        super().resume_writing()
        self._unwatch()

    def connection_lost(self, exc: BaseException | None) -> None:
        """It went."""
        self._unwatch()
        super().connection_lost(exc)

    def _watch(self) -> None:
        if self.transport is not None:
            left = self.transport.get_write_buffer_size()
            self._look = self._loop.call_later(UNREAD_SECONDS, self._looked, self.transport, left)

    def _looked(self, transport: asyncio.Transport, left: int) -> None:
        if transport.get_write_buffer_size() < left:
            self._watch()
        else:
            transport.abort()

    def _unwatch(self) -> None:
        if self._look is not None:
            self._look.cancel()
            self._look = None

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """The answer to what is no HTTP (400), or to a defect below our middleware (500)."""
        if not isinstance(exc, HttpProcessingError):
            return super().handle_error(request, status, exc, message)
        metrics.PROBLEMS.labels("bad_request").inc()
        answer = problems.response(
            Problem("bad_request", f"HTTP: {type(exc).__name__}"), problems.language(request), uuid4().hex
        )
        answer.force_close()
        return answer


class _Server(web.Server):
    def __call__(self) -> web.RequestHandler:
        return Connection(self, loop=self._loop, **self._kwargs)


class Runner(web.AppRunner):
    """Runs an application with our connections."""

    async def _make_server(self) -> web.Server:
        made: Any = await super()._make_server()
        return _Server(
            made.request_handler,
            request_factory=made.request_factory,
            loop=asyncio.get_running_loop(),
            **made._kwargs,  # noqa: SLF001 - aiohttp has no door for a connection class of one's own
        )


def runner(app: web.Application, shutdown_seconds: float) -> Runner:
    """The runner of one worker's application."""
    logging.getLogger("aiohttp.server").addFilter(_is_ours)
    return Runner(
        app,
        access_log=None,
        shutdown_timeout=shutdown_seconds,
        auto_decompress=False,
        keepalive_timeout=IDLE_SECONDS,
        lingering_time=LINGERING_SECONDS,
    )


def _is_ours(record: logging.LogRecord) -> bool:
    """Whether a line of the HTTP server tells of a defect of ours: what is no HTTP is answered 400 and not worth a line."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, HttpProcessingError | web.RequestPayloadError)


def tls(settings: Config) -> ssl.SSLContext | None:
    """How we speak TLS; None when we do not. Raises OSError or ssl.SSLError for files that cannot be used."""
    if settings.tls_certificate is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(settings.tls_certificate, settings.tls_key)
    if settings.tls_client_ca is not None:
        context.load_verify_locations(settings.tls_client_ca)
        context.verify_mode = ssl.CERT_OPTIONAL
    return context
