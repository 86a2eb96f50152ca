"""POST /v1/messages:compose: a letter for systems that do not write edXML - facts and files in, the receipt out."""

import hashlib

from aiohttp import web

from exchange.api import auth, forms, native, parameters
from exchange.api.parts import EXCHANGE
from exchange.broker import compose, declared, send
from exchange.broker.caller import Caller
from exchange.broker.decisions import beside


async def post_compose(request: web.Request) -> web.Response:
    """POST /v1/messages:compose: 201 accepted, 200 the same again; both with the receipt, as POST /v1/messages."""
    exchange = request.app[EXCHANGE]
    calling = await auth.system(request)
    async with send.on_record(exchange, calling):
        parameters.check(request)
        said = declared.declared(request.query)
        form = forms.form(request.headers.get("Content-Type", ""))
    return native.decided(await compose.compose(exchange, *await _said(request, calling, form), said))


async def _said(request: web.Request, calling: Caller, form: forms.Form) -> tuple[Caller, compose.Said]:
    """What the body says, and who says it as of its end. Raises Problem after the refusal was put on record."""
    exchange = request.app[EXCHANGE]
    calling, raw = await native.body(request, calling, exchange.config.max_letter_bytes)
    async with send.on_record(exchange, calling, raw):
        facts = await beside(len(raw), forms.read, form, raw)
    return calling, compose.Said(facts=facts, sha256=await beside(len(raw), _digest, raw), size=len(raw))


def _digest(raw: bytes) -> bytes:
    return hashlib.sha256(raw).digest()
