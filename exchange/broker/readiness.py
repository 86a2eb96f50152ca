"""Can letters be accepted now (down or not), and is something on its way to trouble (degraded)? One table of checks.

Down: a load balancer should send nobody here. Degraded: letters are accepted, and an operator should look soon.
"""

import asyncio
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from exchange import texts
from exchange.broker.exchange import Exchange
from exchange.broker.freshness import Freshness, freshness
from exchange.store import commit, monitor
from exchange.store.pool import UNAVAILABLE

READY, DEGRADED, DOWN = "ready", "degraded", "down"
DATABASE_SECONDS = 2.0
LATE = timedelta(seconds=60)
MOST_FACTS = 50_000
MOST_SAID = 5
LITTLE_BYTES, NO_BYTES = 2 << 30, 256 << 20


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing looked at: its name, ready | degraded | down, and the figure that says so."""

    name: str
    state: str
    figure: str = ""


@dataclass(frozen=True, kw_only=True)
class Readiness:
    """All checks, and how the database stands if it answered. The worst check is the state."""

    checks: tuple[Check, ...]
    standing: monitor.Standing | None
    lists: Freshness

    @property
    def state(self) -> str:
        """The worst of the checks: ready, degraded or down."""
        states = {check.state for check in self.checks}
        return next(state for state in (DOWN, DEGRADED, READY) if state in states)


async def readiness(exchange: Exchange) -> Readiness:
    """Look at everything now; an answer within a few seconds whatever is broken."""
    at = exchange.clock()
    standing = await _standing(exchange, at)
    lists = freshness(exchange.trust, at)
    checks = [Check(name="database", state=READY if standing else DOWN)]
    checks += [_queue(exchange), await asyncio.to_thread(_disk, exchange)]
    checks += [_lists(lists), _revocation(exchange, lists, standing), _files(exchange)]
    if standing is not None:
        checks += _waiting(standing, at)
    return Readiness(checks=tuple(checks), standing=standing, lists=lists)


async def _standing(exchange: Exchange, at: datetime) -> monitor.Standing | None:
    try:
        async with asyncio.timeout(DATABASE_SECONDS), exchange.pool.acquire() as connection:
            return await monitor.standing(connection, at)
    except UNAVAILABLE:
        return None


def _queue(exchange: Exchange) -> Check:
    waiting = exchange.committer.waiting
    full, half = waiting >= commit.MAX_WAITING, waiting > commit.MAX_WAITING // 2
    return Check(
        name="commit_queue", state=DOWN if full else DEGRADED if half else READY, figure=str(waiting)
    )


def _disk(exchange: Exchange) -> Check:
    free = shutil.disk_usage(exchange.config.data).free
    state = DOWN if free < NO_BYTES else DEGRADED if free < LITTLE_BYTES else READY
    return Check(name="disk_free_bytes", state=state, figure=str(free))


def _lists(lists: Freshness) -> Check:
    """Revocation lists that are over: no new signature can be found valid against them."""
    return Check(
        name="revocation_lists_over", state=DEGRADED if lists.over else READY, figure=str(lists.over)
    )


def _revocation(exchange: Exchange, lists: Freshness, standing: monitor.Standing | None) -> Check:
    """Lists that are over or soon will be, and sources that do not answer. Letters go on in any case."""
    never_had = standing.sources_never_had if standing else 0
    said = texts.say(
        "trust.freshness",
        exchange.config.language,
        issuers=lists.issuers,
        over=lists.over,
        near=lists.near,
        first_end=lists.first_end.isoformat(timespec="minutes") if lists.first_end else "-",
        sources=standing.sources if standing else 0,
        failing=standing.sources_failing if standing else 0,
    )
    return Check(
        name="revocation", state=DEGRADED if lists.over or lists.near or never_had else READY, figure=said
    )


def _files(exchange: Exchange) -> Check:
    """Files of the trust folders that cannot be read, and folders that are suddenly empty."""
    troubles = exchange.watch.troubles
    said = [
        texts.say(f"trust.{one.code}", exchange.config.language, where=one.where, why=one.why)
        for one in troubles[:MOST_SAID]
    ]
    return Check(name="trust_files", state=DEGRADED if troubles else READY, figure=" ".join(said))


def _waiting(standing: monitor.Standing, at: datetime) -> Iterator[Check]:
    oldest = standing.oldest_to_expand
    late = oldest is not None and at - oldest > LATE
    yield Check(
        name="letters_to_expand", state=DEGRADED if late else READY, figure=str(standing.letters_to_expand)
    )
    many = standing.facts_to_fold > MOST_FACTS
    yield Check(name="facts_to_fold", state=DEGRADED if many else READY, figure=str(standing.facts_to_fold))
    stray = standing.payloads_without_partition
    yield Check(name="payload_partitions", state=DEGRADED if stray else READY)
