"""Use of signatures (sử dụng chữ ký số): what measures M8 to M11 and reports BC-10 to BC-12 are made from, of one moment.

What can be counted in the database is counted there (`store.signed_documents`, `store.signature_counts`); what the measures mean is in
`rules.signature_measures`. Certificates are read, and asked about in revocation lists, beside the event loop.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

from exchange.rules import certificate_use, paper_class, signature_measures
from exchange.rules.certificate_use import Held, Own, Row, Use
from exchange.rules.ratios import Measure
from exchange.rules.signature_measures import Agency, Documents, Usage
from exchange.store import signature_counts, signed_documents
from exchange.store.pool import Connection
from exchange.tracker import merged, tally
from exchange.tracker.tally import Period, Tally
from signing import certificates, revoked
from signing.trust import Trust

_READ: WeakKeyDictionary[Trust, dict[bytes, Own | None]] = WeakKeyDictionary()
"""Certificates as read by a trust set, for as long as that is in force: they do not change, nor do its lists."""


@dataclass(frozen=True, kw_only=True)
class Filters:
    """Which transfers are asked for (bộ lọc): direction, scope, types and urgency; None: any.

    `told` says by what the agencies were chosen: name of a filter, and what it held.
    """

    view: str = "out"
    scope: str | None = None
    types: tuple[str, ...] | None = None
    urgency: tuple[int, ...] | None = None
    told: tuple[tuple[str, str], ...] = ()

    @property
    def whole(self) -> bool:
        """Whether every transfer of the agencies is asked for."""
        return self.scope is None and self.types is None and self.urgency is None


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What somebody wants to know: the period, the agencies (None: the whole exchange), and when they ask."""

    period: Period
    agencies: Sequence[UUID] | None
    as_of: datetime
    filters: Filters = Filters()

    @property
    def first(self) -> datetime:
        """The first moment of the period."""
        return paper_class.start_of(self.period.first)

    @property
    def end(self) -> datetime:
        """The first moment after the period, or now while it lasts."""
        return min(paper_class.start_of(self.period.last + timedelta(days=1)), max(self.as_of, self.first))


async def usage(connection: Connection, asked: Asked, trust: Trust) -> Usage:
    """Everything of one moment. The caller holds no transaction."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        return await gathered(connection, asked, trust)


async def gathered(connection: Connection, asked: Asked, trust: Trust, *, ever: bool = True) -> Usage:
    """The same within the caller's transaction. Without `ever` only what measures need: no uses before the period,
    and no agencies out of scope.
    """
    first, end = asked.first, asked.end
    at = end - timedelta(microseconds=1)
    on = max(paper_class.local_day(at), asked.period.first)
    named = None if ever else asked.agencies
    known = {row["id"]: Agency(**row) for row in await signature_counts.agencies(connection, on, at, named)}
    counted = await signed_documents.counted(connection, asked.agencies, first, end)
    rows, bodies = await signature_counts.certificates(connection, asked.agencies)
    idle = {row.sha256 for row in rows} - {use["sha256"] for use in counted.uses}
    before = await _last_uses(connection, asked, idle) if ever else {}
    return Usage(
        first=asked.period.first,
        last=asked.period.last,
        at=at,
        on=on,
        agencies=known,
        scope=frozenset(known) if asked.agencies is None else frozenset(asked.agencies),
        documents=tuple(Documents(**row) for row in counted.documents),
        certificates=await asyncio.to_thread(_held, rows, bodies, trust),
        uses=before | _uses(counted.uses),
        used=frozenset(row["officer"] for row in counted.uses if row["officer"]),
    )


async def _last_uses(connection: Connection, asked: Asked, certificates: Iterable[bytes]) -> dict[bytes, Use]:
    """The last use before the period of certificates that were not used in it."""
    found = await signed_documents.last_uses(connection, asked.agencies, sorted(certificates), asked.first)
    return {sha256: Use(last=paper_class.local_day(last)) for sha256, last in found.items()}


async def measures(connection: Connection, asked: Asked, trust: Trust) -> dict[str, Measure]:
    """M8 to M11 of some agencies, or of the whole exchange. The caller holds no transaction."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        return signature_measures.measures(await gathered(connection, asked, trust, ever=False))


async def told(
    connection: Connection, asked: Asked, trust: Trust, percent: int = tally.COVERAGE_PERCENT
) -> dict[str, Any]:
    """The tally of what is asked, as JSON, cut by its filters; all of one moment. The caller holds no transaction.

    `written.doubted` says its ratios in words where too few registers are loaded.
    """
    cut = asked.filters
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        counted = await count(connection, asked)
        body = await in_tally(connection, counted, asked.agencies, trust, percent)
        mergers = await merged.within(connection, asked.period, asked.agencies, asked.as_of)
    filters: dict[str, list[str]] = {}
    for name, held in cut.told:
        filters.setdefault(name, []).append(held)
    return {**body, "filters": filters, **merged.as_json(mergers)}


async def count(connection: Connection, asked: Asked) -> Tally:
    """The tally of what is asked, cut by its filters."""
    cut = asked.filters
    return await tally.count(
        connection, asked.period, view=cut.view, scope=cut.scope or tally.WHOLE, agencies=asked.agencies,
        as_of=asked.as_of, types=cut.types, urgency=cut.urgency,
    )  # fmt: skip


async def in_tally(
    connection: Connection,
    counted: Tally,
    agencies: Sequence[UUID] | None,
    trust: Trust,
    percent: int = tally.COVERAGE_PERCENT,
) -> dict[str, Any]:
    """The tally's JSON; M8 to M11 are among its measures where it is of everything that agencies sent.

    `percent`: of so many agencies books are wanted before a ratio is said.
    """
    body = tally.as_json(counted, percent)
    if (counted.view, counted.scope, counted.whole) == ("out", tally.WHOLE, True):
        asked = Asked(period=counted.period, agencies=agencies, as_of=counted.as_of)
        body["measures"] |= as_json(await measures(connection, asked, trust))
    return body


def as_json(found: Mapping[str, Measure]) -> dict[str, dict[str, Any]]:
    """Measures as the contract shows them (contract.md, "Tally")."""
    return {name: {"n": one.n, "d": one.d, "text": one.text} for name, one in found.items()}


def _uses(rows: Iterable[Mapping[str, Any]]) -> dict[bytes, Use]:
    groups: defaultdict[bytes, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        groups[row["sha256"]].append(row)
    return {
        sha256: Use(
            documents=sum(row["n"] for row in group),
            last=paper_class.local_day(max(row["last"] for row in group)),
        )
        for sha256, group in groups.items()
    }


def _held(rows: Sequence[Row], bodies: Mapping[bytes, bytes], trust: Trust) -> tuple[Held, ...]:
    known = _READ.setdefault(trust, {})
    for sha256 in bodies.keys() - known.keys():
        known[sha256] = _own(bodies[sha256], trust)
    own = {sha256: said for sha256 in bodies if (said := known[sha256])}
    return certificate_use.held(rows, own)


def _own(body: bytes, trust: Trust) -> Own | None:
    """What a certificate says, and lists say of it; None for bytes that cannot be read as one."""
    try:
        said, since = certificates.describe(body), revoked.since(body, trust)
    except ValueError:
        return None
    return Own(
        subject=said.common_name or said.subject,
        issuer=said.issuer_name or said.issuer,
        serial=said.serial,
        valid_from=said.valid_from,
        valid_to=said.valid_to,
        first=paper_class.local_day(said.valid_from),
        last=paper_class.local_day(said.valid_to),
        revoked=since,
    )
