"""Can letters be accepted now (down or not), and is something on its way to trouble (degraded)? One table of checks.

Down: a load balancer should send nobody here. Degraded: letters are accepted, and an operator should look soon.
"""

import asyncio
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from exchange.broker.exchange import Exchange
from exchange.store import commit, monitor
from exchange.store.pool import UNAVAILABLE

READY, DEGRADED, DOWN = "ready", "degraded", "down"
DATABASE_SECONDS = 2.0
LATE = timedelta(seconds=60)
MOST_FACTS = 50_000
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

    @property
    def state(self) -> str:
        """The worst of the checks: ready, degraded or down."""
        states = {check.state for check in self.checks}
        return next(state for state in (DOWN, DEGRADED, READY) if state in states)


async def readiness(exchange: Exchange) -> Readiness:
    """Look at everything now; an answer within a few seconds whatever is broken."""
    at = exchange.clock()
    standing = await _standing(exchange)
    checks = [Check(name="database", state=READY if standing else DOWN)]
    checks += [_queue(exchange), await asyncio.to_thread(_disk, exchange), _lists(exchange, at)]
    if standing is not None:
        checks += _waiting(standing, at)
    return Readiness(checks=tuple(checks), standing=standing)


async def _standing(exchange: Exchange) -> monitor.Standing | None:
    try:
        async with asyncio.timeout(DATABASE_SECONDS), exchange.pool.acquire() as connection:
            return await monitor.standing(connection)
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


def _lists(exchange: Exchange, at: datetime) -> Check:
    """Revocation lists that are over: no new signature can be found valid against them."""
    newest = [lists[0] for lists in exchange.trust.revocation.by_issuer.values()]
    over = sum(1 for one in newest if one.next_update is not None and one.next_update < at)
    return Check(name="revocation_lists_over", state=DEGRADED if over else READY, figure=str(over))


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
