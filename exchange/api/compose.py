"""POST /v1/messages:compose: a letter for systems that do not write edXML - facts and files in, the receipt out."""

import hashlib

from aiohttp import web

from exchange.api import auth, bodies, forms, native, parameters
from exchange.api.parts import EXCHANGE
from exchange.broker import compose, declared, send
from exchange.broker.caller import Caller
from exchange.broker.decisions import beside, refuse
from exchange.errors import Problem


async def post_compose(request: web.Request) -> web.Response:
    """POST /v1/messages:compose: 201 accepted, 200 the same again; both with the receipt, as POST /v1/messages."""
    exchange = request.app[EXCHANGE]
    calling = await auth.system(request)
    try:
        parameters.check(request)
        said = declared.declared(request.query)
        form = forms.form(request.headers.get("Content-Type", ""))
    except Problem as problem:
        await refuse(exchange, calling, send.Refused(code=problem.code), size=0)
        raise
    return native.decided(await compose.compose(exchange, calling, await _said(request, calling, form), said))


async def _said(request: web.Request, calling: Caller, form: forms.Form) -> compose.Said:
    """What the body says. Raises Problem after the refusal was put on record."""
    exchange = request.app[EXCHANGE]
    body = await bodies.take(request, exchange.config.max_letter_bytes)
    if isinstance(body, bodies.Refused):
        await refuse(exchange, calling, send.Refused(code=body.code), size=body.seen)
        raise Problem(body.code, body.detail)
    size = len(body.raw)
    sha256 = await beside(size, _digest, body.raw)
    try:
        return compose.Said(facts=await beside(size, forms.read, form, body.raw), sha256=sha256, size=size)
    except Problem as problem:
        await refuse(exchange, calling, send.Refused(code=problem.code), sha256=sha256, size=size)
        raise


def _digest(raw: bytes) -> bytes:
    return hashlib.sha256(raw).digest()
