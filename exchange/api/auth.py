"""Who is calling: `Authorization: Bearer cv_<id>_<secret>`; cookies mean nothing here."""

from datetime import date
from uuid import UUID

from aiohttp import web

from exchange.api.parts import EXCHANGE
from exchange.broker import caller
from exchange.broker.caller import Caller
from exchange.errors import Problem
from exchange.rules import directory, paper_class


async def system(request: web.Request) -> Caller:
    """The calling system. Raises Problem unauthenticated or disabled."""
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key or not key.isascii():
        raise Problem("unauthenticated")
    exchange = request.app[EXCHANGE]
    return await caller.authenticate(exchange.pool, key.strip(), exchange.clock())


async def acting_for(request: web.Request, calling: Caller, code: str | None) -> list[UUID]:
    """The agencies a request is about: the one named, which must be the caller's, or all of the caller's."""
    if not code:
        return sorted(calling.agencies)
    exchange = request.app[EXCHANGE]
    today: date = paper_class.local_day(exchange.clock())
    agency = directory.find(await exchange.snapshot.current(), code, today)
    if agency is None or agency.id not in calling.agencies:
        raise Problem("not_allowed_to_act")
    return [agency.id]
