"""From an error to the answer the outside reads: RFC 9457 problem details, one middleware, one table.

The sentence is public and says what to do; what only we may know goes to the log with the same request id.
"""

import json
from collections.abc import Awaitable, Callable
from uuid import uuid4

import structlog
from aiohttp import web

from exchange import texts
from exchange.edxml import view
from exchange.errors import PROBLEMS, Problem
from exchange.store.pool import UNAVAILABLE

RETRY_AFTER_SECONDS = "2"
REQUEST_ID = web.RequestKey("request_id", str)
_BY_STATUS = {404: "not_found", 405: "method_not_allowed", 413: "too_large"}

Handle = Callable[[web.Request], Awaitable[web.StreamResponse]]


def language(request: web.Request) -> str:
    """Vietnamese unless the client prefers English (Accept-Language)."""
    return "en" if request.headers.get("Accept-Language", "").lower().startswith("en") else "vi"


def response(problem: Problem, language_: str, request_id: str) -> web.Response:
    """The answer to a problem."""
    kind = PROBLEMS[problem.code]
    body = {
        "type": f"/help/codes#{problem.code}",
        "title": texts.say(f"problem.{problem.code}", language_),
        "status": kind.status,
        "code": problem.code,
        "detail": texts.clean(problem.detail) or texts.say(f"help.{problem.code}", language_),
        "findings": [view.finding(one, language_) for one in problem.findings],
        "request_id": request_id,
    }
    headers = {"Retry-After": RETRY_AFTER_SECONDS} if kind.status in {429, 503} else {}
    if problem.code == "unauthenticated":
        headers["WWW-Authenticate"] = "Bearer"
    return web.Response(
        status=kind.status,
        body=json.dumps(body, ensure_ascii=False).encode(),
        content_type="application/problem+json",
        headers=headers,
    )


@web.middleware
async def middleware(request: web.Request, handler: Handle) -> web.StreamResponse:
    """Give every request an id, and every error its answer."""
    request[REQUEST_ID] = uuid4().hex
    structlog.contextvars.bind_contextvars(request_id=request[REQUEST_ID])
    try:
        answer = await handler(request)
    except Problem as problem:
        answer = _answer(request, problem)
    except web.HTTPException as error:
        answer = _answer(request, Problem(_BY_STATUS.get(error.status, "bad_request")))
    except UNAVAILABLE as error:
        structlog.get_logger().warning("database_unavailable", path=request.path, error=repr(error))
        answer = _answer(request, Problem("starting"))
    except Exception:  # noqa: BLE001 - the rim: whatever is left is ours, logged, and told as `internal`
        structlog.get_logger().exception("internal", path=request.path)
        answer = _answer(request, Problem("internal"))
    answer.headers.setdefault("X-Request-Id", request[REQUEST_ID])
    return answer


def _answer(request: web.Request, problem: Problem) -> web.Response:
    if problem.detail and problem.code == "internal":
        structlog.get_logger().error("internal", path=request.path, private=problem.detail)
        problem = Problem("internal")
    return response(problem, language(request), request[REQUEST_ID])
