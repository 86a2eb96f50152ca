"""The native API: each function one route, a short script from request to answer. Shapes: contract.md."""

import json
import re
import time
from uuid import UUID

from aiohttp import web

from exchange.api import auth, bodies, parameters, ranges, shapes, trace_shapes
from exchange.api.parts import EXCHANGE
from exchange.api.problems import language
from exchange.api.uploads import digest
from exchange.broker import declared, deliver, send, trace, uploads
from exchange.broker.caller import Caller
from exchange.broker.exchange import Exchange
from exchange.edxml.spooled import Content
from exchange.errors import Problem

MAX_WAIT_SECONDS = 60.0
DEFAULT_LIMIT = 100
MOST_DIGITS = 9
MAX_ACK_BYTES = 1 << 20
LONG_SECONDS = 1.0
"""How long a body may take to come before its caller is asked again who it is."""

NOTHING = UUID(int=0)
"""An id that is nobody's."""

_ID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


async def post_message(request: web.Request) -> web.Response:
    """POST /v1/messages: one letter or notice in. 201 accepted, 200 the same again; both with the receipt.

    With `upload` the bytes are those of an upload that is whole.
    """
    exchange = request.app[EXCHANGE]
    calling = await auth.system(request)
    async with send.on_record(exchange, calling):
        parameters.check(request)
        said = declared.declared(request.query)
        uploaded = await _uploaded(request, calling) if "upload" in request.query else None
    raw = uploaded
    if raw is None:
        calling, raw = await _taken(request, calling, _letter(exchange))
    return decided(await send.send(exchange, raw, calling, said))


async def body(
    request: web.Request, calling: Caller, cap: int, *, json: bool = False
) -> tuple[Caller, bytes]:
    """The whole body, and its caller as of its end. Raises Problem, on record, for one that was not taken.

    Who was long about it may have been switched off meanwhile.
    """
    calling, taken = await _taken(request, calling, bodies.Wanted(cap=cap, json=json))
    assert isinstance(taken, bytes)
    return calling, taken


async def _taken(request: web.Request, calling: Caller, wanted: bodies.Wanted) -> tuple[Caller, Content]:
    """The same, a large one as a file."""
    began = time.monotonic()
    taken = await bodies.take(request, wanted)
    if isinstance(taken, bodies.Refused):
        await send.refuse(request.app[EXCHANGE], calling, send.Refused(code=taken.code), size=taken.seen)
        raise Problem(taken.code, taken.detail)
    return await auth.again(request) if time.monotonic() - began > LONG_SECONDS else calling, taken.raw


def _letter(exchange: Exchange) -> bodies.Wanted:
    return bodies.Wanted(cap=exchange.config.max_letter_bytes, spooled=True)


async def _uploaded(request: web.Request, calling: Caller) -> Content:
    exchange = request.app[EXCHANGE]
    if request.can_read_body:
        raise Problem("bad_request", "?upload: Content-Length: 0")
    return await uploads.whole(
        exchange, calling.system, digest(request.query["upload"]), bodies.spool(request)
    )


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
    taken = request.method == "GET"
    letter = await deliver.body(request.app[EXCHANGE], calling, named(request), taken=taken)
    if letter is None:
        raise Problem("not_found")
    tag = f'"{letter.sha256.hex()}"'
    return ranges.unchanged(request, tag) or ranges.answer(request, letter.raw, tag, "application/xml")


async def get_header(request: web.Request) -> web.Response:
    """GET /v1/messages/{id}/header: the facts of the header as JSON, and what was declared beside the bytes."""
    exchange = request.app[EXCHANGE]
    calling = await auth.system(request)
    letter = await deliver.body(exchange, calling, named(request), facts=True)
    said = await trace.beside(exchange, calling, named(request))
    if letter is None or said is None:
        raise Problem("not_found")
    told = trace_shapes.declared(said, await exchange.snapshot.current())
    facts = await deliver.facts(exchange, letter, language(request))
    return shapes.json_response({**facts, "declared": told})


async def get_verdicts(request: web.Request) -> web.Response:
    """GET /v1/messages/{id}/verdicts: what was found out about each signature."""
    exchange = request.app[EXCHANGE]
    calling = await auth.system(request)
    judged = await trace.judged(exchange, calling, named(request))
    if judged is None:
        raise Problem("not_found")
    return shapes.json_response(shapes.verdicts(judged, await exchange.snapshot.current(), language(request)))


async def get_trace(request: web.Request) -> web.Response:
    """GET /v1/messages/{id}/trace: what happened to each delivery; a recipient sees its own. With `why=1`, why each counts as it does."""
    exchange = request.app[EXCHANGE]
    calling = await auth.system(request)
    reasons = number(request, "why", 0, 0, 1) == 1
    seen = await trace.trace(exchange, calling, named(request))
    if seen is None:
        raise Problem("not_found")
    whys = trace.whys(seen, calling) if reasons else None
    return shapes.json_response(trace_shapes.trace(seen, await exchange.snapshot.current(), whys))


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
    agencies = await auth.acting_for(request, await auth.system(request), request.query.get("for"))
    page = await deliver.inbox(
        exchange,
        agencies,
        after=_cursor(request.query.get("after")),
        limit=int(number(request, "limit", DEFAULT_LIMIT, 1, deliver.MAX_PAGE)),
        wait=number(request, "wait", 0, 0, MAX_WAIT_SECONDS),
    )
    if page.waited:  # who asked may have been switched off meanwhile
        page = page.of(await auth.acting_for(request, await auth.again(request), request.query.get("for")))
    return shapes.json_response(shapes.inbox(page, await exchange.snapshot.current()))


async def post_ack(request: web.Request) -> web.Response:
    """POST /v1/inbox/ack {"ids": […], "for"?}: these deliveries are in the recipient's hands."""
    exchange = request.app[EXCHANGE]
    calling = await auth.system(request)
    async with send.on_record(exchange, calling):
        parameters.check(request)
    calling, raw = await body(request, calling, MAX_ACK_BYTES, json=True)
    async with send.on_record(exchange, calling, raw):
        given, code = _ack(raw)
        agencies = await auth.acting_for(request, calling, code)
    known = [one for text in given if (one := _uuid(text)) is not None]
    result = await deliver.acknowledge(exchange, calling, agencies, known)
    strange = [text for text in given if _uuid(text) is None]
    return shapes.json_response(shapes.acknowledged(result, strange))


def named(request: web.Request) -> UUID:
    """The id in the path; what is no id at all names nothing, and is looked for like any other."""
    return _uuid(request.match_info["id"]) or NOTHING


def identified(text: str) -> UUID:
    """The id that a text is; nobody's if it is none."""
    return _uuid(text) or NOTHING


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


def number(request: web.Request, name: str, default: float, low: float, high: float) -> float:
    """A whole number among the parameters. Raises Problem bad_request that tells its bounds."""
    text = request.query.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS and low <= int(text) <= high):
        raise Problem("bad_request", f"{name}: {low:g}…{high:g}")
    return int(text)


def _ack(raw: bytes) -> tuple[list[str], str | None]:
    try:
        given = json.loads(raw)
    except (ValueError, RecursionError):
        raise Problem("bad_request", "JSON") from None
    if (
        not isinstance(given, dict)
        or not isinstance(given.get("ids"), list)
        or len(given["ids"]) > deliver.MAX_PAGE
    ):
        raise Problem("bad_request", f'{{"ids": […≤ {deliver.MAX_PAGE}], "for"?: …}}')
    code = given.get("for")
    if not all(isinstance(one, str) for one in given["ids"]) or not isinstance(code, str | None):
        raise Problem("bad_request", '{"ids": ["…"], "for"?: "…"}')
    return given["ids"], code
