"""What a request for figures asks (kỳ, cơ quan, bộ lọc), and whether the caller may: its own agencies, and those it watches.

An agency out of sight is answered as one that does not exist; a subtree is told whole or not at all, for a ratio over part
of it would be believed to be the ratio of all. Of a period that is over it is the subtree at the end of it, as published.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar, get_args
from uuid import UUID

from aiohttp import web

from exchange.api.parts import EXCHANGE
from exchange.broker import monitors
from exchange.broker.caller import Caller
from exchange.broker.exchange import Exchange
from exchange.errors import Problem
from exchange.rules import directory, paper_class, routing
from exchange.rules.directory import Directory
from exchange.store import directory_changes
from exchange.tracker import tally
from exchange.tracker.signature_usage import Asked, Filters

MOST_TEXT = 200
MOST_VALUES = 50
SOUGHT = frozenset({"q"})
"""Words to look for may be anything; what names a thing holds no NUL, which no database could look up."""

VIEWS = ("out", "in")
SCOPES = (tally.WHOLE, *get_args(routing.Scope))
PERIODS = "period: 2026 | 2026-07 | 2026-07-31 | 2026-Q3 | 2026-H1 | 2026-W05"
LEVELS = range(1, 5)
URGENCIES = range(5)

Value = TypeVar("Value")


@dataclass(frozen=True, kw_only=True)
class Question:
    """A question, the codes of the agencies it names, and whether they are all the caller's own."""

    asked: Asked
    codes: Sequence[str]
    own: bool
    snapshot: Directory


async def question(request: web.Request, calling: Caller) -> Question:
    """The question of a request. Raises Problem bad_request, disabled, or not_found for agencies out of sight."""
    exchange = request.app[EXCHANGE]
    snapshot, at = await exchange.snapshot.current(), exchange.clock()
    span = period(request)
    chosen, codes = _agencies(request, calling, snapshot, await _parents(exchange, span, at))
    filters = _filters(request)
    left = _left(request, chosen, snapshot)
    return Question(
        asked=Asked(period=span, agencies=left, as_of=at, filters=filters),
        codes=codes,
        own=left is not None and calling.agencies.issuperset(left),
        snapshot=snapshot,
    )


async def _parents(exchange: Exchange, span: tally.Period, at: datetime) -> Mapping[UUID, UUID | None]:
    """Below whom each agency stood at the end of the period, or stands while it lasts."""
    end = paper_class.start_of(span.last + timedelta(days=1))
    if end >= at:
        return (await exchange.snapshot.current()).parents
    async with exchange.pool.acquire() as connection:
        return await directory_changes.parents(connection, end)


def _agencies(
    request: web.Request, calling: Caller, snapshot: Directory, parents: Mapping[UUID, UUID | None]
) -> tuple[frozenset[UUID] | None, list[str]]:
    """The agencies of `agency` and `subtree`; without them all that the caller may see, None for everything."""
    seen = _seen(calling, snapshot.parents, parents)
    code, subtree = text(request, "agency"), one_of(request, "subtree", ("0", "1")) == "1"
    if not code:
        if subtree:
            raise Problem("bad_request", "subtree=1: agency")
        return seen, []
    today = paper_class.local_day(request.app[EXCHANGE].clock())
    agency = directory.find(snapshot, code, today)
    if agency is None:
        raise Problem("not_found")
    wanted = directory.below(parents, [agency.id]) if subtree else frozenset({agency.id})
    if seen is not None and not wanted <= seen:
        raise Problem("disabled" if wanted <= seen | calling.switched_off else "not_found")
    return wanted, [] if subtree else [agency.code]


def _seen(calling: Caller, *each: Mapping[UUID, UUID | None]) -> frozenset[UUID] | None:
    """What the caller sees by one tree or the other; None for everything."""
    found = [monitors.seen(parents, calling) for parents in each]
    return None if None in found else frozenset().union(*(one for one in found if one is not None))


def _left(request: web.Request, chosen: frozenset[UUID] | None, snapshot: Directory) -> list[UUID] | None:
    kinds = several(request, "kind", str)
    levels = several(request, "level", _among("level", LEVELS))
    if not kinds and not levels:
        return None if chosen is None else sorted(chosen)
    known = snapshot.agencies.values() if chosen is None else [
        snapshot.agencies[one] for one in chosen if one in snapshot.agencies
    ]  # fmt: skip
    return sorted(
        one.id for one in known if (not kinds or one.kind in kinds) and (not levels or one.level in levels)
    )


def _filters(request: web.Request) -> Filters:
    view, scope = one_of(request, "view", VIEWS), one_of(request, "scope", SCOPES)
    types = several(request, "type", str)
    urgency = several(request, "urgency", _among("urgency", URGENCIES))
    return Filters(
        view=view,
        scope=None if scope == tally.WHOLE else scope,
        types=types or None,
        urgency=urgency or None,
        told=tuple(_told(request)),
    )


def _told(request: web.Request) -> list[tuple[str, str]]:
    """What the answer says it was cut by, as `congvan report` says it."""
    found = []
    if request.query.get("subtree") == "1":
        found.append(("subtree", request.query["agency"]))
    defaults = {"view": VIEWS[0], "scope": tally.WHOLE}
    for name in ("kind", "level", "view", "scope", "type", "urgency"):
        found += [(name, held) for held in request.query.getall(name, []) if held != defaults.get(name)]
    return found


def text(request: web.Request, name: str) -> str:
    """One text of at most 200 letters, empty if it is not given. Raises Problem bad_request."""
    given = request.query.getall(name, [""])
    if len(given) > 1 or len(given[0]) > MOST_TEXT or ("\0" in given[0] and name not in SOUGHT):
        raise Problem("bad_request", f"1 × {name} ≤ {MOST_TEXT}")
    return given[0]


def one_of(request: web.Request, name: str, known: Sequence[str]) -> str:
    """One of these words, the first if none is given. Raises Problem bad_request."""
    given = text(request, name) if name in request.query else known[0]
    if given not in known:
        raise Problem("bad_request", f"{name}: {' | '.join(known)}")
    return given


def several(request: web.Request, name: str, read: Callable[[str], Value]) -> tuple[Value, ...]:
    """All values of a parameter that may be given more than once, each once. Raises Problem bad_request."""
    given = request.query.getall(name, [])
    if len(given) > MOST_VALUES or any(not one or len(one) > MOST_TEXT or "\0" in one for one in given):
        raise Problem("bad_request", f"{name}: 1…{MOST_TEXT}, ≤ {MOST_VALUES} ×")
    return tuple(dict.fromkeys(read(one) for one in given))


def _among(name: str, known: range) -> Callable[[str], int]:
    def read(given: str) -> int:
        if given not in {str(one) for one in known}:
            raise Problem("bad_request", f"{name}: {known.start}…{known.stop - 1}")
        return int(given)

    return read


def period(request: web.Request) -> tally.Period:
    """The period asked for. Raises Problem bad_request."""
    try:
        return tally.period(text(request, "period"))
    except ValueError:
        raise Problem("bad_request", PERIODS) from None
