"""For anybody, if CONGVAN_OPEN_DATA is on: counts by agency and month. No key; so many requests an address and minute."""

import asyncio
import hashlib
import json
import math
import time
from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_network

from aiohttp import web

from exchange.api import ranges
from exchange.api.parts import EXCHANGE, PEER
from exchange.api.peers import Address
from exchange.api.problems import language
from exchange.api.quotas import Buckets
from exchange.broker.exchange import Exchange
from exchange.errors import Problem
from exchange.tracker import open_data

REQUESTS_A_MINUTE = 60.0
KEPT_SECONDS = 60.0
"""How long one answer is given to all before the database is asked again."""


@dataclass
class Feed:
    """What was told last, when, and how much each address may still ask of this worker."""

    addresses: Buckets[str] = field(default_factory=lambda: Buckets(REQUESTS_A_MINUTE))
    told: dict[str, tuple[float, bytes, str]] = field(default_factory=dict)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


FEED = web.AppKey("feed", Feed)


async def get_open_json(request: web.Request) -> web.Response:
    """GET /open/tally.json: counts of all closed months and the current one."""
    return await _answer(request, f"json.{language(request)}", "application/json")


async def get_open_csv(request: web.Request) -> web.Response:
    """GET /open/tally.csv: the same, a row an agency."""
    return await _answer(request, "csv", "text/csv")


async def _answer(request: web.Request, form: str, media: str) -> web.Response:
    exchange, feed = request.app[EXCHANGE], request.app[FEED]
    if not exchange.config.open_data:
        raise Problem("not_found")
    _within_quota(feed, request[PEER].address)
    if request.query:
        raise Problem("bad_request", ", ".join(f"?{name}" for name in sorted(set(request.query))))
    async with feed.lock:
        if form not in feed.told or feed.told[form][0] < time.monotonic() - KEPT_SECONDS:
            await _tell(exchange, feed, form)
    _, raw, digest = feed.told[form]
    headers = {"ETag": f'W/"{digest}"', "Cache-Control": f"public, max-age={KEPT_SECONDS:g}"}
    unchanged = ranges.unchanged(request, f'"{digest}"', headers)
    if unchanged is not None:
        return unchanged
    charset = "utf-8" if media == "text/csv" else None
    return web.Response(body=raw, content_type=media, charset=charset, headers=headers)


async def _tell(exchange: Exchange, feed: Feed, form: str) -> None:
    at = exchange.clock()
    async with exchange.pool.acquire() as connection:
        told = await open_data.months(connection, at)
    if form == "csv":
        raw = open_data.as_csv(told).encode("utf-8-sig")
    else:
        name, percent = exchange.receipt_key.exchange, exchange.config.coverage_percent
        facts = open_data.as_json(told, at, name, percent, form.partition(".")[2])
        raw = json.dumps(facts, ensure_ascii=False).encode()
    feed.told[form] = (time.monotonic(), raw, hashlib.sha256(raw).hexdigest())


def _within_quota(feed: Feed, address: Address | None) -> None:
    """One request of this address. Raises Problem rate_limited."""
    now, key = time.monotonic(), _network(address)
    wait = feed.addresses.wait(key, now)
    if wait > 0:
        raise Problem("rate_limited", retry_after=math.ceil(wait))
    feed.addresses.draw(key, 1, now)


def _network(address: Address | None) -> str:
    """An address; of IPv6 the /64 that one household has."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped is None:
        return str(ip_network((address, 64), strict=False))
    return str(address or "")
