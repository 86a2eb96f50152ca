"""Lists: the directory as senders need it, the use of signatures. Shapes: contract.md.

The directory may be read by every system; signatures tell of the agencies that the caller is or watches, and any other
code is answered as one that does not exist.
"""

from datetime import timedelta

from aiohttp import web

from exchange.api import auth, list_shapes, native, question, ranges, shapes
from exchange.api.parts import EXCHANGE
from exchange.api.problems import language
from exchange.broker import agencies, signature_use
from exchange.errors import Problem
from exchange.rules import paper_class
from exchange.store.signatures import Place, Span

DEFAULT_LIMIT = 100
MOST_AGENCIES = 1_000
MOST_SIGNATURES = 500


async def get_agencies(request: web.Request) -> web.Response:
    """GET /v1/agencies?q=&code=&after=&limit=: who is in the directory; 304 while neither it nor the day has changed."""
    exchange = request.app[EXCHANGE]
    await auth.system(request)
    asked = agencies.Asked(
        words=question.text(request, "q"),
        code=question.text(request, "code"),
        after=question.text(request, "after"),
        limit=int(native.number(request, "limit", DEFAULT_LIMIT, 1, MOST_AGENCIES)),
    )
    snapshot = await exchange.snapshot.current()
    tag = f'"{snapshot.version}-{paper_class.local_day(exchange.clock()):%Y%m%d}"'
    headers = {"ETag": f"W/{tag}", "Cache-Control": "private, no-cache"}
    unchanged = ranges.unchanged(request, tag, headers)
    if unchanged is not None:
        return unchanged
    page = await agencies.page(exchange, snapshot, asked)
    return shapes.json_response(list_shapes.agencies(page, snapshot.version), headers)


async def get_signatures(request: web.Request) -> web.Response:
    """GET /v1/signatures?period=&agency=&view=&after=&limit=: each signature of their letters, and on the first page totals."""
    exchange = request.app[EXCHANGE]
    calling = await auth.system(request)
    after, limit = _place(request), int(native.number(request, "limit", DEFAULT_LIMIT, 1, MOST_SIGNATURES))
    asked = await question.question(request, calling)
    given, known = asked.asked, asked.snapshot.agencies
    span = Span(
        agencies=sorted(known) if given.agencies is None else list(given.agencies),
        view=given.filters.view,
        first=paper_class.start_of(given.period.first),
        end=paper_class.start_of(given.period.last + timedelta(days=1)),
    )
    page = await signature_use.page(exchange, span, after, limit)
    return shapes.json_response(
        list_shapes.signatures(page, await exchange.snapshot.current(), language(request), named=asked.own)
    )


def _place(request: web.Request) -> Place | None:
    text = question.text(request, "after")
    place = list_shapes.place(text)
    if text and place is None:
        raise Problem("bad_request", "after: next")
    return place
