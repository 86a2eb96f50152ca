"""Who is calling: a bearer key `cv_<id>_<secret>`, a registered TLS client certificate, or both; cookies mean nothing.

Asked, with the caller's quota, before a body is read.
"""

import math
import time
from datetime import date
from uuid import UUID

from aiohttp import web

from exchange.api import parameters
from exchange.api.parts import CALLER, EXCHANGE, PEER, QUOTAS
from exchange.broker import caller
from exchange.broker.caller import Caller, Credentials
from exchange.errors import Problem
from exchange.rules import directory_succession, paper_class

LOCAL_METHODS = frozenset({"GET", "HEAD"})


async def system(request: web.Request) -> Caller:
    """The calling system. Raises Problem unauthenticated, disabled, rate_limited or, for what it asks, bad_request."""
    exchange = request.app[EXCHANGE]
    at = exchange.clock()
    calling = await caller.authenticate(exchange.pool, _shown(request), at)
    exchange.seen[calling.system] = at
    request[CALLER] = calling.system
    _within_quota(request, calling.system)
    if request.method in LOCAL_METHODS:
        parameters.check(request)
    return calling


async def again(request: web.Request) -> Caller:
    """The calling system once more, after a wait: what was switched off meanwhile is out. Raises Problem likewise."""
    exchange = request.app[EXCHANGE]
    return await caller.authenticate(exchange.pool, _shown(request), exchange.clock())


def _shown(request: web.Request) -> Credentials:
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    key, certificate = text.strip(), request[PEER].certificate
    if len(request.headers.getall("Authorization", [])) > 1:  # two readers of it might believe different ones
        raise Problem("unauthenticated")
    if scheme and (scheme.lower() != "bearer" or not key or not key.isascii()):
        raise Problem("unauthenticated")
    if not scheme and certificate is None:
        raise Problem("unauthenticated")
    return Credentials(key=key or None, certificate=certificate)


def _within_quota(request: web.Request, system_id: UUID) -> None:
    """One request and the bytes it announces; both buckets must not be empty. Raises Problem rate_limited."""
    now, quotas = time.monotonic(), request.app[QUOTAS]
    wait = max(quotas.requests.wait(system_id, now), quotas.bytes.wait(system_id, now))
    if wait > 0:
        raise Problem("rate_limited", retry_after=math.ceil(wait))
    quotas.requests.draw(system_id, 1, now)
    announced = min(request.content_length or 0, request.app[EXCHANGE].config.max_letter_bytes)
    quotas.bytes.draw(system_id, announced, now)  # more than that is not read, whatever was announced


async def acting_for(request: web.Request, calling: Caller, code: str | None) -> list[UUID]:
    """The agencies a request is about: the one named, which must be the caller's, or all of the caller's.

    One that has ended is still found by its last code: letters may lie waiting for it.
    """
    if not code:
        return sorted(calling.agencies)
    exchange = request.app[EXCHANGE]
    today: date = paper_class.local_day(exchange.clock())
    agency = directory_succession.last_with(await exchange.snapshot.current(), code, today)
    if agency is None or agency.id not in calling.acts_for:
        raise Problem("not_allowed_to_act")
    if agency.id in calling.switched_off:
        raise Problem("disabled")
    return [agency.id]
