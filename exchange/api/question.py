"""What a request for figures asks (kỳ, cơ quan, bộ lọc), and whether the caller may: its own agencies, and those it watches.

An agency out of sight is answered as one that does not exist; a subtree is told whole or not at all, for a ratio over part
of it would be believed to be the ratio of all. Of a period that is over it is the subtree at the end of it, as published,
and a code leads to who had it then. An agency that was merged keeps its figures: who watches where it stood last, or watches
its successor, may see them; who only acts for its successor may not.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TypeVar, get_args
from uuid import UUID

from aiohttp import web

from exchange.api.parts import EXCHANGE
from exchange.broker import monitors
from exchange.broker.caller import Caller
from exchange.broker.exchange import Exchange
from exchange.errors import Problem
from exchange.rules import directory, directory_succession, paper_class, routing
from exchange.rules.directory import Agency, Directory, Succession
from exchange.store import directory as store
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

NOBODY = UUID(int=0)

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
    tree = await _tree(exchange, calling, span, at)
    chosen, codes = await _agencies(request, calling, span, tree)
    filters = _filters(request)
    left = _with_predecessors(
        request, calling, _left(request, chosen, snapshot), tree, snapshot.successions.values()
    )
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


@dataclass(frozen=True, kw_only=True)
class _Tree:
    """Below whom agencies stood when the period ended, what the caller sees by it (None: everything), and what was merged.

    `merged_too`: with the agencies that were merged into those it watches, which it may ask for. `until`: the last day
    of the period, or today while it lasts.
    """

    parents: Mapping[UUID, UUID | None]
    seen: frozenset[UUID] | None
    merged_too: frozenset[UUID] | None
    until: date


async def _tree(exchange: Exchange, calling: Caller, span: tally.Period, at: datetime) -> _Tree:
    snapshot, today = await exchange.snapshot.current(), paper_class.local_day(at)
    parents = await _parents(exchange, span, at)
    seen = _seen(calling, snapshot.parents, parents)
    mergers, until = snapshot.successions.values(), min(span.last, today)
    merged = _merged(calling, mergers, snapshot.parents, today) | _merged(calling, mergers, parents, until)
    return _Tree(parents=parents, seen=seen, merged_too=None if seen is None else seen | merged, until=until)


def _merged(
    calling: Caller, mergers: Iterable[Succession], parents: Mapping[UUID, UUID | None], until: date
) -> frozenset[UUID]:
    """What was merged by a day into agencies that the caller watches by one tree; those it acts for are no ground."""
    watches = calling.watches
    watched = watches.agencies | directory.below(parents, watches.subtrees)
    return directory_succession.with_predecessors(mergers, watched, until)


async def _agencies(
    request: web.Request, calling: Caller, span: tally.Period, tree: _Tree
) -> tuple[frozenset[UUID] | None, list[str]]:
    """The agencies of `agency` and `subtree`; without them all that the caller may see, None for everything."""
    code, subtree = text(request, "agency"), one_of(request, "subtree", ("0", "1")) == "1"
    if not code:
        if subtree:
            raise Problem("bad_request", "subtree=1: agency")
        return tree.seen, []
    agency = await _named(request.app[EXCHANGE], code, span)
    wanted = directory.below(tree.parents, [agency.id]) if subtree else frozenset({agency.id})
    _allowed(wanted, calling, tree)
    return wanted, [] if subtree else [agency.code]


def _allowed(wanted: frozenset[UUID], calling: Caller, tree: _Tree) -> None:
    """Raises Problem not_found, or disabled, where the caller may not see all of them."""
    if tree.merged_too is not None and not wanted <= tree.merged_too:
        raise Problem("disabled" if wanted <= tree.merged_too | calling.switched_off else "not_found")


async def _named(exchange: Exchange, code: str, span: tally.Period) -> Agency:
    """The agency that had a code when the period ended, or last before that. Raises Problem not_found."""
    today = paper_class.local_day(exchange.clock())
    async with exchange.pool.acquire() as connection:
        found = await store.of_period(connection, [code], span.last, today)
    agencies = (await exchange.snapshot.current()).agencies
    agency = agencies.get(found.get(directory.canonical(code), NOBODY))
    if agency is None:
        raise Problem("not_found")
    return agency


def _with_predecessors(
    request: web.Request, calling: Caller, left: list[UUID] | None, tree: _Tree, mergers: Iterable[Succession]
) -> list[UUID] | None:
    """With `predecessors=1` also those merged into these; of all that the caller sees, as far as it may see them."""
    if one_of(request, "predecessors", ("0", "1")) == "0" or left is None:
        return left
    both = directory_succession.with_predecessors(mergers, left, tree.until)
    if tree.merged_too is not None and not text(request, "agency"):
        return sorted(both & tree.merged_too)
    _allowed(both, calling, tree)
    return sorted(both)


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
    defaults = {"view": VIEWS[0], "scope": tally.WHOLE, "predecessors": "0"}
    for name in ("predecessors", "kind", "level", "view", "scope", "type", "urgency"):
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
