"""Housekeeping: what must happen by itself. Each job may run in any process, twice, or late, without harm.

expand   letters with many recipients get their deliveries; woken after each such letter, swept every 5 s
withdraw operations that wait have their effects; with expand, and after it
fold     tally facts are merged into days, days into months; one process at a time, by lease
expire   what nobody took in for 30 days; by lease
sweep    what too large letters left on this machine's disk when a process died
close    months that are due are closed, closed ones that changed since are restated; by lease
tidy     partitions ahead of time; files that no row names and uploads, a day old; by lease
recheck  letters that are due to be judged again; by lease
attest   attestations of a month that were interrupted are finished; by lease
note     which systems called, and when last; each process its own
renew    the trust set follows its folders; each process its own
mirror   what was fetched for it is written to this machine's folder; each process, the first one does it
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from datetime import timedelta

import structlog

from exchange.broker import attestations, expand, recheck, rejudge, renewal, withdraw
from exchange.broker.exchange import Exchange
from exchange.store import (
    callers,
    deliveries,
    journal,
    leases,
    migrate,
    payloads,
    rows,
    spools,
    tally,
    uploads,
)
from exchange.store.pool import UNAVAILABLE
from exchange.tracker import periods

SWEEP_SECONDS = 5.0
FOLD_SECONDS = 2.0
EXPIRE_SECONDS = 300.0
TIDY_SECONDS = 3_600.0
CLOSE_SECONDS = 3_600.0
SPOOLS_SECONDS = 300.0
RECHECK_SECONDS = 5.0
ATTEST_SECONDS = 60.0
NOTE_SECONDS = 30.0
RENEW_SECONDS = 2.0
MIRROR_SECONDS = 5.0
FOLD_ROWS = 20_000
EXPIRE_ROWS = 1_000
ORPHAN_SECONDS = 86_400
OURSELVES = "congvan"
"""Who closes a month that nobody closed by hand."""

Job = Callable[[Exchange], Awaitable[object]]


@contextlib.asynccontextmanager
async def ticking(exchange: Exchange, more: Iterable[tuple[Job, float]] = ()) -> AsyncIterator[None]:
    """All jobs, and `more` with their pauses in seconds, beside the block, until it ends."""
    jobs: tuple[tuple[Job, float], ...] = (
        (leased("fold", fold), FOLD_SECONDS),
        (leased("expire", expire), EXPIRE_SECONDS),
        (leased("tidy", tidy), TIDY_SECONDS),
        (leased("close", close), CLOSE_SECONDS),
        (sweep, SPOOLS_SECONDS),
        (leased("recheck", rejudge_due), RECHECK_SECONDS),
        (leased("attest", attestations.finish), ATTEST_SECONDS),
        (note, NOTE_SECONDS),
        (renewal.renew, RENEW_SECONDS),
        (renewal.mirror, MIRROR_SECONDS),
        *more,
    )
    tasks = [asyncio.create_task(_every(exchange, job, pause)) for job, pause in jobs]
    tasks.append(asyncio.create_task(_expanding(exchange)))
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await _tried(exchange, note)


async def _every(exchange: Exchange, job: Job, seconds: float) -> None:
    while True:
        await _tried(exchange, job)
        await asyncio.sleep(seconds)


async def _tried(exchange: Exchange, job: Job) -> None:
    """Do a job once. One that fails is logged and comes again: it must not end the others, nor itself for good."""
    name = getattr(job, "__name__", "")
    try:
        await job(exchange)
    except UNAVAILABLE as error:
        structlog.get_logger().warning("housekeeping_waits", job=name, error=repr(error))
    except Exception:  # noqa: BLE001 - whatever it is, it is told, and letters still want their deliveries
        structlog.get_logger().exception("housekeeping_failed", job=name)


async def _expanding(exchange: Exchange) -> None:
    """Expand when woken, and every five seconds what a crash left behind."""
    while True:
        exchange.expand.clear()
        await _tried(exchange, expand.all_waiting)
        await _tried(exchange, withdraw.all_waiting)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SWEEP_SECONDS):
                await exchange.expand.wait()


def leased(name: str, job: Job) -> Job:
    """The job, done by whoever holds its lease."""

    async def leased(exchange: Exchange) -> None:
        at = exchange.clock()
        async with exchange.pool.acquire() as connection:
            token = await leases.take(connection, name, exchange.holder, at, at + timedelta(seconds=30))
        if token is not None:
            await job(exchange)

    leased.__name__ = name
    return leased


async def fold(exchange: Exchange) -> int:
    """Merge what waits; how many facts were merged."""
    async with exchange.pool.acquire() as connection:
        merged = await tally.fold(connection, FOLD_ROWS)
        await tally.fold_days(connection, FOLD_ROWS)
    return merged


async def expire(exchange: Exchange) -> int:
    """Mark what nobody took in for `CONGVAN_EXPIRE_DAYS`; it stays open, and an acknowledgement still wins."""
    at = exchange.clock()
    before = at - timedelta(days=exchange.config.expire_days)
    async with exchange.pool.acquire() as connection, connection.transaction():
        late = await deliveries.expire(connection, before, EXPIRE_ROWS)
        lines = [
            rows.JournalRow(
                agency=delivery["recipient"], id=exchange.ids.new(), at=at, event="expired",
                letter=delivery["letter"], delivery=delivery["id"],
            )
            for delivery in late
        ]  # fmt: skip
        await journal.append(connection, lines)
    return len(late)


async def close(exchange: Exchange) -> int:
    """Close the months that are due (`CONGVAN_CLOSE_DAY`), and restate those that changed since. How many versions."""
    async with exchange.pool.acquire() as connection:
        written = await periods.close_due(
            connection, at=exchange.clock(), author=OURSELVES, close_day=exchange.config.close_day
        )
    return len(written)


async def rejudge_due(exchange: Exchange) -> int:
    """Judge again what is due, for some seconds; how many letters."""
    return (await recheck.turn(rejudge.bench(exchange))).letters


async def note(exchange: Exchange) -> int:
    """Write down when systems last called. How many."""
    moments = dict(exchange.seen)
    if moments:
        async with exchange.pool.acquire() as connection:
            await callers.seen(connection, moments)
    for system, at in moments.items():
        if exchange.seen.get(system) == at:
            del exchange.seen[system]
    return len(moments)


async def sweep(exchange: Exchange) -> int:
    """Delete what letters too large for memory left behind on this machine when a process died. How many folders."""
    return await asyncio.to_thread(spools.sweep, exchange.spool_folder)


async def tidy(exchange: Exchange) -> int:
    """Make partitions ahead; delete files of letters that were never committed. How many files went."""
    async with exchange.pool.acquire() as connection:
        await migrate.partitions(connection, exchange.clock())
        old = list(payloads.orphans(exchange.payload_folder, time.time() - ORPHAN_SECONDS))
        kept = await payloads.named(connection, [path.name for path in old])
    gone = [path for path in old if path.name not in kept]
    gone += uploads.stale(exchange.upload_folder, time.time() - ORPHAN_SECONDS)
    for path in gone:
        path.unlink(missing_ok=True)
    return len(gone)
