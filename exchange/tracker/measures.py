"""Measures M1 to M20 of any agencies, period and cut: figures by agency, added up, and divided once.

Which part of the figures a measure needs is a table; only what is asked for is counted. Classes come from the tally's days,
documents and timeliness from rows. All of it is of one moment if the caller holds a transaction.
"""

from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from exchange.rules import measures, paper_class, signature_measures, working_days
from exchange.rules.documents import Key
from exchange.rules.measures import DEFINITIONS
from exchange.rules.signature_measures import Usage
from exchange.rules.working_days import Calendar
from exchange.store import measures as store
from exchange.store import timeliness
from exchange.store.measures import Cut, Span
from exchange.store.pool import Connection
from exchange.store.shown import Wanted
from exchange.store.timeliness import Day
from exchange.tracker import register_keys, signature_usage
from exchange.tracker.signature_usage import Asked, Filters
from signing.trust import Trust

Figures = Mapping[UUID, Counter[str]]
"""Figures (see `rules.measures`) of each agency that has any."""


@dataclass(frozen=True, kw_only=True)
class Took:
    """How long something takes, in seconds: of so many, the median and the 95th percentile."""

    n: int
    median: float
    p95: float


@dataclass(frozen=True, kw_only=True)
class Means:
    """What counting needs beside the database: the working days, and whom to trust (None: without M10 and M11)."""

    calendar: Calendar
    trust: Trust | None = None


def cut(asked: Asked) -> Cut:
    """What is left of the transfers, as the store asks for it."""
    given = asked.filters
    return Cut(
        agencies=None if asked.agencies is None else list(asked.agencies),
        scope=given.scope,
        types=None if given.types is None else list(given.types),
        urgency=None if given.urgency is None else list(given.urgency),
    )


def wanted(asked: Asked, *classes: str, view: str | None = None) -> Wanted:
    """Transfers of the period in these classes, as they are shown."""
    return Wanted(
        view=view or asked.filters.view,
        first=asked.period.first,
        last=asked.period.last,
        cut=cut(asked),
        classes=classes,
    )


def span(asked: Asked) -> Span:
    """The moments of the period, up to now."""
    return Span(first=asked.first, end=asked.end)


async def classes(connection: Connection, asked: Asked, view: str | None = None) -> Figures:
    """Counted classes, grade A and unjustified paper; what is not counted as `X_<kind>`."""
    period = asked.period
    rows = await store.classes(connection, view or asked.filters.view, period.first, period.last, cut(asked))
    found: defaultdict[UUID, Counter[str]] = defaultdict(Counter)
    for row in rows:
        found[row["agency"]].update(of_class(row))
    return found


def of_class(row: Mapping[str, Any]) -> dict[str, int]:
    """The figures of one row of the tally."""
    n, klass = int(row["n"]), row["class"]
    told = {klass: n} if klass in paper_class.CLASSES else {f"X_{row['excluded']}": n}
    if klass == "E" and row["grade"] == "A":
        told["E_A"] = n
    if klass == "S" and row["justified"] != "yes":
        told["S_unjustified"] = n
    return told


async def _documents(connection: Connection, asked: Asked, _means: Means) -> Figures:
    rows = await store.documents(connection, span(asked), cut(asked), await paper_keys(connection, asked))
    found: defaultdict[UUID, Counter[str]] = defaultdict(Counter)
    for row in rows:
        found[row["agency"]].update(documents=row["documents"], documents_E=row["documents_e"])
    return found


async def _incoming(connection: Connection, asked: Asked, _means: Means) -> Figures:
    found = await classes(connection, asked, "in")
    return {
        agency: Counter(in_all=sum(one[klass] for klass in paper_class.CLASSES), in_E=one["E"])
        for agency, one in found.items()
    }


async def _by_class(connection: Connection, asked: Asked, _means: Means) -> Figures:
    return await classes(connection, asked)


async def paper_keys(connection: Connection, asked: Asked) -> list[Key]:
    """The documents that outgoing registers alone tell of, each once."""
    rows = await store.registered(
        connection, cut(asked).agencies, asked.period.first, asked.period.last, matched=False
    )
    return register_keys.keys(row for row in rows if left(row, asked.filters))


def left(row: Mapping[str, Any], given: Filters) -> bool:
    """Whether a register row is of the scope, the types and the urgency (none: 0) asked for."""
    if given.urgency is not None and 0 not in given.urgency:
        return False
    return given.scope in (None, row["scope"]) and (
        given.types is None or row["document_type"] in given.types
    )


def days(calendar: Calendar, asked: Asked) -> list[Day]:
    """What SQL must know of the days of the period, up to today."""
    first, last = asked.period.first, min(asked.period.last, paper_class.local_day(asked.as_of))
    return [_day(calendar, first + timedelta(days=n)) for n in range((last - first).days + 1)]


def _day(calendar: Calendar, day: date) -> Day:
    morning, afternoon = working_days.earliest(calendar, day)
    return Day(
        day=day,
        morning=morning,
        afternoon=afternoon,
        following=working_days.following(calendar, day),
        works=working_days.works(calendar, day),
    )


async def _sent(connection: Connection, asked: Asked, means: Means) -> Figures:
    calendar = means.calendar
    rows = await timeliness.sent(
        connection, span(asked), cut(asked), days(calendar, asked), calendar.morning_ends
    )
    return _counted(rows)


async def _arrived(connection: Connection, asked: Asked, means: Means) -> Figures:
    calendar = means.calendar
    rows = await timeliness.arrived(
        connection, span(asked), cut(asked), days(calendar, asked), calendar.closes, calendar.urgent
    )
    return _counted(rows)


async def _recalled(connection: Connection, asked: Asked, _means: Means) -> Figures:
    return _counted(await timeliness.recalled(connection, span(asked), cut(asked)))


def _counted(rows: Sequence[Any]) -> Figures:
    return {row["agency"]: Counter({name: n for name, n in row.items() if name != "agency"}) for row in rows}


async def _numbers(connection: Connection, asked: Asked, _means: Means) -> Figures:
    """M18 of the year in which the period ends, up to its end: a series begins on 1 January."""
    last, agencies = year_end(asked), cut(asked).agencies
    if last is None:
        return {}
    registered = await store.registered(
        connection, agencies, last.replace(month=1, day=1), last, matched=True
    )
    paper = [key for key in register_keys.keys(registered) if key.year == last.year]
    found: defaultdict[UUID, Counter[str]] = defaultdict(Counter)
    for row in await store.numbers(connection, agencies, last.year, last, paper):
        found[row["agency"]].update(numbers_known=row["known"], numbers_highest=row["highest"])
    return found


def year_end(asked: Asked) -> date | None:
    """The last day of the period that has begun, up to which a year's numbers are looked at; None for days to come."""
    today = paper_class.local_day(asked.as_of)
    return min(asked.period.last, today) if asked.period.first <= today else None


async def _signatures(connection: Connection, asked: Asked, means: Means) -> Figures:
    if means.trust is None:
        return {}
    return signature_figures(await signature_usage.gathered(connection, asked, means.trust, ever=False))


def signature_figures(usage: Usage) -> Figures:
    """The figures of M8 to M11 of each agency."""
    found: defaultdict[UUID, Counter[str]] = defaultdict(Counter)
    for row in usage.documents:
        both = row.n if row.organisation and row.individual else 0
        found[row.sender].update(
            signed_all=row.n, signed_organisation=row.n if row.organisation else 0, signed_both=both
        )
    for one in signature_measures.signers(usage):
        used = one.officer in usage.used
        leaders = {"leaders": 1, "leaders_used": int(used)} if one.leader else {}
        found[one.agency].update(signers=1, signers_used=int(used), **leaders)
    holders = signature_measures.sealed(usage)
    for agency in signature_measures.countable(usage):
        found[agency.id].update(agencies_sealed=int(agency.id in holders))
    return found


async def _agencies(connection: Connection, asked: Asked, means: Means) -> Figures:
    at = asked.end - timedelta(microseconds=1)
    on = max(paper_class.local_day(at), asked.period.first)
    chosen = None if asked.agencies is None else set(asked.agencies)
    return {
        row["id"]: Counter(agencies=1, agencies_connected=int(row["connected"]))
        for row in await store.agencies(connection, on, at, means.calendar.days.contact)
        if row["active"] and row["counted"] and (chosen is None or row["id"] in chosen)
    }


PARTS: tuple[tuple[frozenset[str], Callable[[Connection, Asked, Means], Awaitable[Figures]]], ...] = (
    (frozenset({"E", "S", "N", "U", "P", "E_A", "S_unjustified"}), _by_class),
    (frozenset({"documents", "documents_E"}), _documents),
    (frozenset({"in_all", "in_E"}), _incoming),
    (frozenset({"signed_all", "signed_organisation", "signed_both", "signers", "signers_used", "leaders",
                "leaders_used", "agencies_sealed"}), _signatures),
    (frozenset({"sent_same_day", "sent_next_morning", "sent_late"}), _sent),
    (frozenset({"arrived", "refused", "answered_same_day", "answered_in_time", "urgent", "urgent_at_once"}), _arrived),
    (frozenset({"sent", "recalled"}), _recalled),
    (frozenset({"numbers_known", "numbers_highest"}), _numbers),
    (frozenset({"agencies", "agencies_connected"}), _agencies),
)  # fmt: skip
"""Which figures come from where."""

WHOLE_ONLY = frozenset({"M8", "M9", "M10", "M10_leaders", "M11", "M18", "M20"})
"""Measures of documents, people, numbers and agencies: they have no scope, type or urgency to be cut by."""


def told(asked: Asked) -> list[str]:
    """The measures that can be told of what is asked for."""
    return [name for name in DEFINITIONS if asked.filters.whole or name not in WHOLE_ONLY]


async def figures(
    connection: Connection, asked: Asked, means: Means, names: Iterable[str] = DEFINITIONS
) -> dict[UUID, Counter[str]]:
    """The figures that these measures need, by agency."""
    needed = {figure for name in names for figure in (*DEFINITIONS[name].above, *DEFINITIONS[name].below)}
    found: defaultdict[UUID, Counter[str]] = defaultdict(Counter)
    for made, part in PARTS:
        if made & needed:
            for agency, one in (await part(connection, asked, means)).items():
                found[agency].update(one)
    return dict(found)


async def took(connection: Connection, asked: Asked) -> dict[tuple[UUID | None, str], Took]:
    """M14 by recipient and span, and of all together under None."""
    rows = await timeliness.spans(connection, span(asked), cut(asked))
    return {
        (row["agency"], row["name"]): Took(n=row["n"], median=row["median"], p95=row["p95"]) for row in rows
    }


async def measured(connection: Connection, asked: Asked, means: Means) -> dict[str, Any]:
    """Every measure as the contract shows measures, M14 with its three spans; of one moment."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        names = told(asked)
        if means.trust is None:
            names = [name for name in names if name not in signature_measures.MEASURES]
        total = measures.together((await figures(connection, asked, means, names)).values())
        lasting = await took(connection, asked)
    body: dict[str, Any] = signature_usage.as_json(measures.of(total, names))
    for name in measures.SPANS:
        one = lasting.get((None, name), Took(n=0, median=0, p95=0))
        body[name] = {"n": one.n, "median_s": one.median, "p95_s": one.p95} if one.n else {"n": 0}
    return body
