"""Lists and counts: the directory as senders need it, the tally, the use of signatures. Shapes: contract.md.

The directory may be read by every system; counts and signatures tell of the caller's own agencies only, and somebody
else's code is answered as one that does not exist.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import get_args
from uuid import UUID

from aiohttp import web

from exchange.api import auth, list_shapes, native, ranges, shapes
from exchange.api.parts import EXCHANGE
from exchange.api.problems import language
from exchange.broker import agencies, signature_use
from exchange.broker.caller import Caller
from exchange.errors import Problem
from exchange.rules import paper_class, routing
from exchange.store.signatures import Place, Span
from exchange.tracker import signature_usage, tally

DEFAULT_LIMIT = 100
MOST_AGENCIES = 1_000
MOST_SIGNATURES = 500
MOST_TEXT = 200
VIEWS = ("out", "in")
SCOPES = (tally.WHOLE, *get_args(routing.Scope))
PERIODS = "period: 2026 | 2026-07 | 2026-07-31 | 2026-Q3 | 2026-H1 | 2026-W05"


async def get_agencies(request: web.Request) -> web.Response:
    """GET /v1/agencies?q=&code=&after=&limit=: who is in the directory; 304 while neither it nor the day has changed."""
    exchange = request.app[EXCHANGE]
    await auth.system(request)
    asked = agencies.Asked(
        words=_text(request, "q"),
        code=_text(request, "code"),
        after=_text(request, "after"),
        limit=int(native.number(request, "limit", DEFAULT_LIMIT, 1, MOST_AGENCIES)),
    )
    snapshot = await exchange.snapshot.current()
    tag = f'"{snapshot.version}-{paper_class.local_day(exchange.clock()):%Y%m%d}"'
    unchanged = ranges.unchanged(request, tag)
    if unchanged is not None:
        return unchanged
    page = await agencies.page(exchange, snapshot, asked)
    headers = {"ETag": f"W/{tag}", "Cache-Control": "private, no-cache"}
    return shapes.json_response(list_shapes.agencies(page, snapshot.version), headers)


async def get_tally(request: web.Request) -> web.Response:
    """GET /v1/tally?period=&agency=&scope=&view=: the counts of the caller's agencies, as `congvan tally` has them."""
    exchange = request.app[EXCHANGE]
    calling = await auth.system(request)
    span, view = _period(request), _one_of(request, "view", VIEWS)
    scope = _one_of(request, "scope", SCOPES)
    mine = await _mine(request, calling)
    async with exchange.pool.acquire() as connection:
        counted = await tally.count(
            connection, span, view=view, scope=scope, agencies=mine, as_of=exchange.clock()
        )
        told = await signature_usage.in_tally(
            connection, counted, mine, exchange.trust, exchange.config.coverage_percent
        )
    snapshot = await exchange.snapshot.current()
    return shapes.json_response({**told, "agencies": sorted(shapes.code(snapshot, one) for one in mine)})


async def get_signatures(request: web.Request) -> web.Response:
    """GET /v1/signatures?period=&agency=&view=&after=&limit=: each signature of their letters, and on the first page totals."""
    exchange = request.app[EXCHANGE]
    calling = await auth.system(request)
    period, view = _period(request), _one_of(request, "view", VIEWS)
    after, limit = _place(request), int(native.number(request, "limit", DEFAULT_LIMIT, 1, MOST_SIGNATURES))
    span = Span(
        agencies=await _mine(request, calling),
        view=view,
        first=paper_class.start_of(period.first),
        end=paper_class.start_of(period.last + timedelta(days=1)),
    )
    page = await signature_use.page(exchange, span, after, limit)
    return shapes.json_response(
        list_shapes.signatures(page, await exchange.snapshot.current(), language(request))
    )


async def _mine(request: web.Request, calling: Caller) -> list[UUID]:
    """The caller's agencies, or the one it names; one that is not its own is not found, as if there were none."""
    try:
        return await auth.acting_for(request, calling, _text(request, "agency"))
    except Problem as problem:
        raise Problem("not_found" if problem.code == "not_allowed_to_act" else problem.code) from None


def _text(request: web.Request, name: str) -> str:
    given = request.query.getall(name, [""])
    if len(given) > 1 or len(given[0]) > MOST_TEXT:
        raise Problem("bad_request", f"1 × {name} ≤ {MOST_TEXT}")
    return given[0]


def _one_of(request: web.Request, name: str, known: Sequence[str]) -> str:
    """One of these words, the first if none is given."""
    given = _text(request, name) if name in request.query else known[0]
    if given not in known:
        raise Problem("bad_request", f"{name}: {' | '.join(known)}")
    return given


def _period(request: web.Request) -> tally.Period:
    try:
        return tally.period(_text(request, "period"))
    except ValueError:
        raise Problem("bad_request", PERIODS) from None


def _place(request: web.Request) -> Place | None:
    text = _text(request, "after")
    place = list_shapes.place(text)
    if text and place is None:
        raise Problem("bad_request", "after: next")
    return place
