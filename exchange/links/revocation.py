"""Fetching revocation lists, OCSP responses and authorities' certificates in the background (tra cứu thu hồi).

Theory of operation. One process at a time, by lease, goes round. It knows every certificate that hangs on a configured
root: authorities from the folders, and signers that letters brought. What these name as sources, and only what
CONGVAN_REVOCATION_HOSTS lists of it, is asked when it is due: well before the list at hand runs out, later and later
after failures, with some chance in it so that exchanges do not all come at once. Each address is asked once, however
many certificates name it. A certificate is asked about singly (OCSP) only where no list speaks of it: it names none,
or its list cannot be had. An authority's certificate is fetched only if the folders lack it, and can never be a root.

What comes is held against what was asked for (`signing.fetched`) and against what is held: older never replaces newer.
It is stored as evidence with the source's row in one commit; `broker.renewal` takes it from there into every process.
Nothing waits for any of this: with all sources away, letters go on, and what is at hand grows old where all can see.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import SystemRandom

import structlog

from exchange import metrics
from exchange.broker import clock
from exchange.broker.exchange import Exchange
from exchange.links import client, revocation_plan
from exchange.links.client import Client, Fetched, FetchError, Limits, Request
from exchange.links.revocation_plan import Chance, Wanted
from exchange.store import leases, revocation_sources, rows
from exchange.store.revocation_sources import Source
from signing import fetched, keys, sources
from signing.fetched import Document, Link, Refusal

ROUND_SECONDS = 20.0
LEASE = "revocation"
LEASE_SECONDS = timedelta(seconds=300)
AT_ONCE = 4
MOST_A_ROUND = 200
MOST_CERTIFICATES = 20_000
FORGOTTEN = timedelta(days=60)

LIMITS = {
    "crl": Limits(seconds=120.0, bytes=32 << 20),
    "ocsp": Limits(seconds=15.0, bytes=1 << 18),
    "certificate": Limits(seconds=15.0, bytes=1 << 18),
}
GOOD = frozenset({"kept", "unchanged"})
_OK, _UNCHANGED = 200, 304
_LONGEST_TAG = 200
_OCSP_REQUEST = {"Content-Type": "application/ocsp-request"}


@dataclass(kw_only=True)
class Memory:
    """What rounds need not find out again: certificates in evidence, and which of them hang on a root."""

    certificates: dict[bytes, bytes] = field(default_factory=dict)
    links: tuple[Link, ...] = ()
    basis: object = None


@asynccontextmanager
async def jobs(exchange: Exchange) -> AsyncIterator[tuple[tuple[clock.Job, float], ...]]:
    """The housekeeping of this module for `clock.ticking`; nothing where no server is listed."""
    origins = exchange.config.revocation_hosts
    if not origins:
        yield ()
        return
    memory, chance = Memory(), SystemRandom().random
    async with client.opened(origins) as asking:

        async def fetch(exchange: Exchange) -> None:
            await round_of(exchange, asking, memory, chance)

        yield ((clock.leased(LEASE, fetch), ROUND_SECONDS),)


async def round_of(exchange: Exchange, asking: Client, memory: Memory, chance: Chance) -> int:
    """Ask for everything that is due, as long as the lease is ours. How many questions were asked."""
    at = exchange.clock()
    await _learn(exchange, memory, at)
    async with exchange.pool.acquire() as connection:
        known = {one.key: one for one in await revocation_sources.known(connection)}
    wanted = await asyncio.to_thread(
        revocation_plan.plan, memory.links, exchange.trust, known, asking.listed, at
    )
    due = [one for one in wanted if one.key not in known or known[one.key].due_at <= at][:MOST_A_ROUND]
    for start in range(0, len(due), AT_ONCE):
        if not await _still_ours(exchange):
            return start
        some = due[start : start + AT_ONCE]
        await asyncio.gather(*(_ask(exchange, asking, one, known.get(one.key), chance) for one in some))
    async with exchange.pool.acquire() as connection:
        await revocation_sources.forget(connection, at - FORGOTTEN)
    return len(due)


async def _still_ours(exchange: Exchange) -> bool:
    at = exchange.clock()
    async with exchange.pool.acquire() as connection:
        return await leases.take(connection, LEASE, exchange.holder, at, at + LEASE_SECONDS) is not None


async def _learn(exchange: Exchange, memory: Memory, at: datetime) -> None:
    """Certificates that came since, and which of all hang on a root."""
    async with exchange.pool.acquire() as connection:
        room = MOST_CERTIFICATES - len(memory.certificates)
        memory.certificates |= await revocation_sources.certificates(
            connection, list(memory.certificates), room
        )
    trusted = exchange.trust
    below = (*trusted.intermediates, *trusted.timestamping.intermediates)
    anchors = (*trusted.anchors, *trusted.timestamping.anchors)
    basis = (anchors, below, len(memory.certificates), at.date())
    if basis != memory.basis:
        ders = [*map(keys.der, below), *memory.certificates.values()]
        memory.links = tuple(await asyncio.to_thread(fetched.chained, ders, anchors, at))
        memory.basis = basis


async def _ask(
    exchange: Exchange, asking: Client, wanted: Wanted, before: Source | None, chance: Chance
) -> None:
    """Ask once, judge what comes, write it down."""
    at = exchange.clock()
    document: Document | None = None
    tag = modified = ""
    try:
        answer = await asking.ask(_request(wanted, before, at), LIMITS[wanted.kind])
        outcome, document = await asyncio.to_thread(_judged_safely, wanted, answer, before, at)
        tag, modified = _plain(answer, "ETag"), _plain(answer, "Last-Modified")
    except FetchError as error:
        outcome = error.code
    source = _after(before or _new(wanted, at), outcome, document, at, chance)
    _tell(source, before)
    async with exchange.pool.acquire() as connection:
        if document is None:
            await revocation_sources.asked(connection, source)
        else:
            row = rows.EvidenceRow(
                sha256=document.sha256, kind=document.kind, body=document.der, first_seen=at
            )
            await revocation_sources.kept(connection, replace(source, tag=tag, modified=modified), row)


def _request(wanted: Wanted, before: Source | None, at: datetime) -> Request:
    """The question. Only while what is held has not run out may the answer be that nothing changed."""
    if wanted.kind == "ocsp":
        link = wanted.links[0]
        body = sources.ocsp_request(link.certificate, link.issuer)
        return Request(url=wanted.url, body=body, headers=_OCSP_REQUEST)
    headers = {}
    if before is not None and before.held and (before.next_update is None or before.next_update > at):
        headers = {"If-None-Match": before.tag, "If-Modified-Since": before.modified}
    return Request(url=wanted.url, headers={name: value for name, value in headers.items() if value})


def _judged_safely(
    wanted: Wanted, answer: Fetched, before: Source | None, at: datetime
) -> tuple[str, Document | None]:
    """The same, whatever one answer does to its parser: the other sources are asked all the same."""
    try:
        return judged(wanted, answer, before, at)
    except Exception:  # noqa: BLE001 - what strangers send must not end a round
        structlog.get_logger().exception("revocation_answer_broke", url=wanted.url)
        return Refusal.UNREADABLE.value, None


def judged(
    wanted: Wanted, answer: Fetched, before: Source | None, at: datetime
) -> tuple[str, Document | None]:
    """How a question ended, and what is to be kept of the answer."""
    if answer.status == _UNCHANGED and before is not None and before.held:
        return "unchanged", None
    if answer.status != _OK:
        return f"http_{answer.status}", None
    found = _read(wanted, answer.raw, at)
    if isinstance(found, Refusal):
        return found.value, None
    if before is None or before.held is None or before.this_update is None:
        return "kept", found
    if found.sha256 == before.held:
        return "unchanged", None
    return ("kept", found) if found.this_update > before.this_update else ("older", None)


def _read(wanted: Wanted, raw: bytes, at: datetime) -> Document | Refusal:
    if wanted.kind == "ocsp":
        return fetched.ocsp_response(raw, wanted.links[0], at)
    if wanted.kind == "crl":
        return fetched.revocation_list(raw, dict.fromkeys(link.issuer for link in wanted.links), at)
    return fetched.authority(raw, [link.certificate for link in wanted.links])


def _plain(answer: Fetched, header: str) -> str:
    """What to name when asking again: plain and short, or not at all."""
    named = answer.headers.get(header, "")
    return named if named.isascii() and named.isprintable() and len(named) <= _LONGEST_TAG else ""


def _new(wanted: Wanted, at: datetime) -> Source:
    return Source(
        kind=wanted.kind, url=wanted.url, about=wanted.about, issuer=keys.fingerprint(wanted.links[0].issuer),
        asked_at=at, due_at=at, outcome="",
    )  # fmt: skip


def _after(before: Source, outcome: str, document: Document | None, at: datetime, chance: Chance) -> Source:
    """The source's row after a question: what is held now, and when to ask again."""
    source = replace(before, asked_at=at, outcome=outcome)
    if document is not None:
        source = replace(
            source, held=document.sha256, this_update=document.this_update, next_update=document.next_update
        )
    over = source.next_update is not None and source.next_update <= at
    if outcome in GOOD and not over:
        return replace(
            source,
            answered_at=at,
            failures=0,
            due_at=at + revocation_plan.calm(source.next_update, at, chance),
        )
    failures = before.failures + 1
    outcome = "stale" if outcome in GOOD else outcome
    return replace(
        source, outcome=outcome, failures=failures, due_at=at + revocation_plan.backoff(failures, chance)
    )


def _tell(source: Source, before: Source | None) -> None:
    outcome = "http" if source.outcome.startswith("http_") else source.outcome
    metrics.FETCHES.labels(source.kind, outcome).inc()
    if before is None or before.outcome != source.outcome:
        level = "info" if source.outcome in GOOD else "warning"
        log = getattr(structlog.get_logger(), level)
        log("revocation_source", kind=source.kind, url=source.url, outcome=source.outcome)
