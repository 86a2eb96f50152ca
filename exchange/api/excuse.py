"""What a worker answers that has no database yet: 503 `starting` to everything, so that nobody waits in vain."""

from aiohttp import web

from exchange.api import entry, problems, shapes
from exchange.api.parts import REQUEST_ID
from exchange.errors import Problem


def application() -> web.Application:
    """An application that knows one answer; the connection goes with it, and the next may find who can say more."""
    app = web.Application(middlewares=[_named])
    app.router.add_get("/healthz", _healthy)
    app.router.add_get("/readyz", _down)
    app.router.add_route("*", "/{anything:.*}", _starting)
    return app


@web.middleware
async def _named(request: web.Request, handler: entry.Handle) -> web.StreamResponse:
    request[REQUEST_ID] = entry.request_id(request)
    answer = await handler(request)
    answer.headers["X-Request-Id"] = request[REQUEST_ID]
    answer.force_close()
    return answer


async def _healthy(_request: web.Request) -> web.Response:
    return shapes.json_response({"status": "ok"})


async def _down(_request: web.Request) -> web.Response:
    return shapes.json_response(
        {"status": "down", "checks": {"database": {"status": "down", "figure": ""}}},
        {"Retry-After": "2"},
        503,
    )


async def _starting(request: web.Request) -> web.Response:
    return problems.response(Problem("starting"), problems.language(request), request[REQUEST_ID])
