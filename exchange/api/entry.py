"""What happens to every request before and after its route: an id, the line it came on, its answer, a log line.

One middleware. Errors of every kind become problems here, and only here.
"""

import re
import time
from collections.abc import Awaitable, Callable
from uuid import uuid4

import structlog
from aiohttp import web

from exchange import metrics
from exchange.api import bodies, peers, problems, ranges
from exchange.api.parts import CALLER, EXCHANGE, PEER, REQUEST_ID
from exchange.errors import Problem
from exchange.store.pool import UNAVAILABLE

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_IDEMPOTENCY_KEY = re.compile(r"[\x21-\x7e]{1,200}")
_BY_STATUS = {404: "not_found", 405: "method_not_allowed", 413: "too_large"}

Handle = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def middleware(request: web.Request, handler: Handle) -> web.StreamResponse:
    """Give every request its facts, and every error its answer."""
    began = time.perf_counter()
    request[REQUEST_ID] = request_id(request)
    request[PEER] = peers.peer(request, request.app[EXCHANGE].config)
    structlog.contextvars.bind_contextvars(request_id=request[REQUEST_ID])
    with bodies.held(request):
        answer = await _answer(request, handler)
    answer.headers["X-Request-Id"] = request[REQUEST_ID]
    answer.headers.setdefault("Cache-Control", "no-store")
    key = request.headers.get("Idempotency-Key", "")
    if _IDEMPOTENCY_KEY.fullmatch(key):
        answer.headers["Idempotency-Key"] = key
    _tell(request, answer.status, time.perf_counter() - began)
    return answer


async def _answer(request: web.Request, handler: Handle) -> web.StreamResponse:
    try:
        _fit(request)
        return _folded(request, await handler(request))
    except Problem as problem:
        return _problem(request, problem)
    except web.HTTPException as error:
        return _http_error(request, error)
    except UNAVAILABLE as error:
        structlog.get_logger().warning("database_unavailable", path=request.path, error=repr(error))
        return _problem(request, Problem("starting"))
    except Exception:  # noqa: BLE001 - the rim: whatever is left is ours, logged, and told as `internal`
        structlog.get_logger().exception("internal", path=request.path)
        return _problem(request, Problem("internal"))


def _fit(request: web.Request) -> None:
    """What holds for every route. Raises Problem tls_required or bad_request."""
    if not request[PEER].protected:
        raise Problem("tls_required")
    if request.headers.get("Expect", bodies.CONTINUE).lower() != bodies.CONTINUE:
        raise Problem("bad_request", f"Expect: {bodies.CONTINUE}")


def _folded(request: web.Request, answer: web.StreamResponse) -> web.StreamResponse:
    """JSON is folded by gzip for who takes it; a letter's bytes decide for themselves."""
    if isinstance(answer, web.Response) and answer.content_type == "application/json":
        answer.headers["Vary"] = "Accept-Encoding, Accept-Language"
        ranges.fold(request, answer, answer.content_length or 0)
    return answer


def _http_error(request: web.Request, error: web.HTTPException) -> web.Response:
    answer = _problem(request, Problem(_BY_STATUS.get(error.status, "bad_request")))
    if "Allow" in error.headers:
        answer.headers["Allow"] = error.headers["Allow"]
    return answer


def _problem(request: web.Request, problem: Problem) -> web.Response:
    if problem.detail and problem.code == "internal":
        structlog.get_logger().error("internal", path=request.path, private=problem.detail)
        problem = Problem("internal")
    metrics.PROBLEMS.labels(problem.code).inc()
    return problems.response(problem, problems.language(request), request[REQUEST_ID])


def request_id(request: web.Request) -> str:
    """The client's own id, if it is a plain one, so that its log and ours tell of the same request; else a new one."""
    given = request.headers.get("X-Request-Id", "")
    return given if _REQUEST_ID.fullmatch(given) else uuid4().hex


def _tell(request: web.Request, status: int, seconds: float) -> None:
    """One log line and two figures for every request. A route, not a path, stands in the figures."""
    resource = request.match_info.route.resource
    route = resource.canonical if resource is not None else "-"
    metrics.REQUESTS.labels(request.method if resource else "-", route, str(status)).inc()
    metrics.REQUEST_SECONDS.labels(route).observe(seconds)
    structlog.get_logger().info(
        "request",
        method=request.method,
        path=request.path,
        status=status,
        seconds=round(seconds, 4),
        peer=str(request[PEER].address or ""),
        system=str(request.get(CALLER, "")),
        idempotency_key=request.headers.get("Idempotency-Key", "")[:200],
    )
