"""The native API: each function one route, a short script from request to answer. Shapes: contract.md."""

import json
import re
from uuid import UUID

from aiohttp import web

from exchange.api import auth, bodies, parameters, ranges, shapes
from exchange.api.parts import EXCHANGE
from exchange.api.problems import language
from exchange.api.uploads import digest
from exchange.broker import declared, deliver, send, trace, uploads
from exchange.broker.caller import Caller
from exchange.edxml import read, view
from exchange.errors import Problem

MAX_WAIT_SECONDS = 60.0
DEFAULT_LIMIT = 100
MAX_ACK_BYTES = 1 << 20
_ID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
MOST_DIGITS = 9


async def post_message(request: web.Request) -> web.Response:
    """POST /v1/messages: one letter or notice in. 201 accepted, 200 the same again; both with the receipt.

    With `upload` the bytes are those of an upload that is whole.
    """
    exchange = request.app[EXCHANGE]
    calling = await auth.system(request)
    try:
        parameters.check(request)
        said = declared.declared(request.query)
    except Problem as problem:
        await send.refuse(exchange, calling, send.Refused(code=problem.code), size=0)
        raise
    if "upload" in request.query:
        raw = await _uploaded(request, calling)
    else:
        raw = await _body(request, calling)
    return decided(await send.send(exchange, raw, calling, said))


async def _body(request: web.Request, calling: Caller) -> bytes:
    exchange = request.app[EXCHANGE]
    body = await bodies.take(request, exchange.config.max_letter_bytes)
    if isinstance(body, bodies.Refused):
        await send.refuse(exchange, calling, send.Refused(code=body.code), size=body.seen)
        raise Problem(body.code, body.detail)
    return body.raw


async def _uploaded(request: web.Request, calling: Caller) -> bytes:
    exchange = request.app[EXCHANGE]
    if request.can_read_body:
        raise Problem("bad_request", "?upload: Content-Length: 0")
    return await uploads.whole(exchange, calling.system, digest(request.query["upload"]))


def decided(answer: send.Accepted | send.Refused) -> web.Response:
    """The answer to a message: its receipt, 201 or for the same again 200. Raises Problem for a refusal."""
    if isinstance(answer, send.Refused):
        raise Problem(answer.code, answer.detail, answer.findings)
    status = 200 if answer.replayed else 201
    headers = {"Location": f"/v1/messages/{answer.letter}"}
    return web.Response(status=status, body=answer.receipt, content_type="application/json", headers=headers)


async def get_message(request: web.Request) -> web.Response:
    """GET /v1/messages/{id}: the bytes as they came; ETag is their SHA-256."""
    calling = await auth.system(request)
    body = await deliver.body(request.app[EXCHANGE], calling, named(request))
    if body is None:
        raise Problem("not_found")
    tag = f'"{body.sha256.hex()}"'
    return ranges.unchanged(request, tag) or ranges.answer(request, body.raw, tag, "application/xml")


async def get_header(request: web.Request) -> web.Response:
    """GET /v1/messages/{id}/header: the facts of the header as JSON."""
    calling = await auth.system(request)
    body = await deliver.body(request.app[EXCHANGE], calling, named(request))
    if body is None:
        raise Problem("not_found")
    return shapes.json_response(view.facts(read.read(body.raw), language(request)))


async def get_verdicts(request: web.Request) -> web.Response:
    """GET /v1/messages/{id}/verdicts: what was found out about each signature."""
    exchange = request.app[EXCHANGE]
    calling = await auth.system(request)
    judged = await trace.judged(exchange, calling, named(request))
    if judged is None:
        raise Problem("not_found")
    return shapes.json_response(shapes.verdicts(judged, await exchange.snapshot.current(), language(request)))


async def get_trace(request: web.Request) -> web.Response:
    """GET /v1/messages/{id}/trace: what happened to each delivery; a recipient sees its own."""
    exchange = request.app[EXCHANGE]
    calling = await auth.system(request)
    seen = await trace.trace(exchange, calling, named(request))
    if seen is None:
        raise Problem("not_found")
    return shapes.json_response(shapes.trace(seen, await exchange.snapshot.current()))


async def get_receipt(request: web.Request) -> web.Response:
    """GET /v1/messages/{id}/receipt: the signed statement, the same bytes every time."""
    exchange = request.app[EXCHANGE]
    calling = await auth.system(request)
    judged = await trace.judged(exchange, calling, named(request))
    if judged is None:
        raise Problem("not_found")
    return web.Response(body=judged.letter["receipt"], content_type="application/json")


async def get_inbox(request: web.Request) -> web.Response:
    """GET /v1/inbox?for=&after=&limit=&wait=: what is open, oldest first; `wait` holds the answer while nothing is."""
    exchange = request.app[EXCHANGE]
    calling = await auth.system(request)
    agencies = await auth.acting_for(request, calling, request.query.get("for"))
    page = await deliver.inbox(
        exchange,
        agencies,
        after=_cursor(request.query.get("after")),
        limit=int(_number(request, "limit", DEFAULT_LIMIT, 1, deliver.MAX_PAGE)),
        wait=_number(request, "wait", 0, 0, MAX_WAIT_SECONDS),
    )
    return shapes.json_response(shapes.inbox(page, await exchange.snapshot.current()))


async def post_ack(request: web.Request) -> web.Response:
    """POST /v1/inbox/ack {"ids": […], "for"?}: these deliveries are in the recipient's hands."""
    exchange = request.app[EXCHANGE]
    calling = await auth.system(request)
    parameters.check(request)
    body = await bodies.take(request, MAX_ACK_BYTES, json=True)
    if isinstance(body, bodies.Refused):
        raise Problem(body.code, body.detail)
    given, code = _ack(body.raw)
    agencies = await auth.acting_for(request, calling, code)
    known = [one for text in given if (one := _uuid(text)) is not None]
    result = await deliver.acknowledge(exchange, calling, agencies, known)
    strange = [text for text in given if _uuid(text) is None]
    return shapes.json_response(shapes.acknowledged(result, strange))


def named(request: web.Request) -> UUID:
    """The id in the path; what is no id at all is not found either. Raises Problem."""
    found = _uuid(request.match_info["id"])
    if found is None:
        raise Problem("not_found")
    return found


def _uuid(text: str) -> UUID | None:
    """An id as we write it, in any case; other spellings of a UUID are none of ours."""
    return UUID(text) if _ID.fullmatch(text) else None


def _cursor(text: str | None) -> UUID | None:
    if text is None:
        return None
    found = _uuid(text)
    if found is None:
        raise Problem("bad_request", "after: next")
    return found


def _number(request: web.Request, name: str, default: float, low: float, high: float) -> float:
    text = request.query.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS and low <= int(text) <= high):
        raise Problem("bad_request", f"{name}: {low:g}…{high:g}")
    return int(text)


def _ack(raw: bytes) -> tuple[list[str], str | None]:
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        raise Problem("bad_request", "JSON") from None
    if (
        not isinstance(body, dict)
        or not isinstance(body.get("ids"), list)
        or len(body["ids"]) > deliver.MAX_PAGE
    ):
        raise Problem("bad_request", f'{{"ids": […≤ {deliver.MAX_PAGE}], "for"?: …}}')
    code = body.get("for")
    if not all(isinstance(one, str) for one in body["ids"]) or not isinstance(code, str | None):
        raise Problem("bad_request", '{"ids": ["…"], "for"?: "…"}')
    return body["ids"], code
