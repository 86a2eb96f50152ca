"""From an error to the answer the outside reads: RFC 9457 problem details, one table, one function.

The sentence is public and says what to do; what only we may know goes to the log with the same request id.
"""

import json

from aiohttp import web

from exchange import texts
from exchange.edxml import view
from exchange.errors import PROBLEMS, Problem

RETRY_AFTER_SECONDS = 2
WAIT_STATUSES = frozenset({429, 503})


def language(request: web.BaseRequest) -> str:
    """Vietnamese unless the client prefers English (Accept-Language)."""
    return texts.preferred(request.headers.get("Accept-Language", ""))


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
        **problem.members,
    }
    return web.Response(
        status=kind.status,
        body=json.dumps(body, ensure_ascii=False).encode(errors="backslashreplace"),
        content_type="application/problem+json",
        headers={**_headers(problem, kind.status), "X-Request-Id": request_id},
    )


def _headers(problem: Problem, status: int) -> dict[str, str]:
    headers = {"Cache-Control": "no-store"}
    if status in WAIT_STATUSES:
        headers["Retry-After"] = str(problem.members.get("retry_after", RETRY_AFTER_SECONDS))
    if problem.code == "unauthenticated":
        headers["WWW-Authenticate"] = "Bearer"
    if problem.code == "range_not_satisfiable":
        headers["Content-Range"] = f"bytes */{problem.members['size']}"
    return headers
