"""B3: taking in what waits, on the real tables, against the usual database queue.

Ours: four connections, each for one recipient, that pull a page of 100 and acknowledge it through `broker.deliver` - with
the journal's line and the tally's facts of every delivery in the same commit. The usual way: eight connections claim
one row each (FOR UPDATE SKIP LOCKED, a lease), commit, mark it done, commit - on the same table, nothing counted and
nothing journalled, which is to its advantage.

The bound is for a disk held back to some 100 flushes a second (see `works.held_back`), where the two commits a row are
what limits the usual way; the disk as it is stands beside, with what one delivery costs in CPU, client and server
together. It says nothing about HTTP, nor about bodies.
"""

import asyncio
import contextlib
import os
import time

import pytest
import uvloop
from bench import anchors, works

from exchange.broker import deliver
from exchange.store import pool as pools

ROUNDS, PAGE = 3, 100
OURS, THEIRS = 4, 8
SECONDS = {"as it is": 1, "held back": 2}
WAITING, CLAIMABLE = 40_000, 8_000
BOUND = 15
CLAIM = """UPDATE delivery SET lease_until = now() + interval '1 minute'
            WHERE (recipient, letter, round) = (SELECT recipient, letter, round FROM delivery
                    WHERE recipient = $1 AND open AND (lease_until IS NULL OR lease_until < now())
                    ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED)
           RETURNING recipient, letter, round"""
DONE = """UPDATE delivery SET state = 'arrived', open = false, arrived_at = now()
           WHERE recipient = $1 AND letter = $2 AND round = $3"""


async def pull(exchange, calling, agency, end):
    """Pages until the time is up; how many deliveries were taken in."""
    done = 0
    while time.perf_counter() < end:
        page = await deliver.inbox(exchange, [agency], after=None, limit=PAGE, wait=0)
        assert len(page.items) == PAGE
        answer = await deliver.acknowledge(exchange, calling, [agency], [item["id"] for item in page.items])
        assert len(answer.acknowledged) == PAGE
        done += PAGE
    return done


async def claim(dsn, agency, end):
    """One by one until the time is up."""
    connection, done = await pools.connect(dsn), 0
    try:
        while time.perf_counter() < end:
            row = await connection.fetchrow(CLAIM, agency)
            await connection.execute(DONE, *row)
            done += 1
    finally:
        await connection.close()
    return done


async def taken(postgres, seconds, work, agencies):
    """How many were taken in by one worker for each agency, and the stretch measured."""
    end = time.perf_counter() + seconds
    with anchors.Stopwatch(ours=[os.getpid()], database=[postgres.pid]) as watch:
        done = sum(await asyncio.gather(*(work(agency, end) for agency in agencies)))
    return done, watch.span


@pytest.mark.bench
def test_b3_pages_go_faster_than_claims(postgres, province, province_database, tmp_path):
    uvloop.run(_b3(postgres, province, province_database, tmp_path))


async def _b3(postgres, province, dsn, folder):
    rounds, spans, total = {name: [] for name in SECONDS}, [], 0
    mine, others = await _filled(province, dsn, folder)
    for _ in range(ROUNDS):
        for name, seconds in SECONDS.items():
            slow = works.held_back(postgres, dsn) if name == "held back" else contextlib.nullcontext()
            async with slow, works.exchange(province, dsn, folder) as (exchange, calling):
                ours, span = await taken(
                    postgres, seconds, lambda one, end, at=(exchange, calling): pull(*at, one, end), mine
                )
                theirs, other = await taken(postgres, seconds, lambda one, end: claim(dsn, one, end), others)
            total += ours
            spans += [span, other]
            rates = {"ours": ours / span.wall, "theirs": theirs / other.wall, "cpu": 1e6 * span.ours / ours}
            rounds[name].append({**rates, "ratio": rates["ours"] / rates["theirs"]})
    assert await works.value(dsn, "SELECT count(*) FROM journal WHERE event = 'arrived'") == total
    assert await works.value(dsn, "SELECT sum(n) FROM tally_delta") == 2 * total
    told, fast = anchors.medians(rounds["held back"]), anchors.medians(rounds["as it is"])
    anchors.judge(
        f"B3 queue: pages of {PAGE} take in {told['ratio']:.1f} x what single claims do, {told['ours']:.0f} ÷ "
        f"{told['theirs']:.0f} a second at 100 flushes a second; disk as it is: {fast['ratio']:.1f} x, "
        f"{fast['ours']:.0f} ÷ {fast['theirs']:.0f}, {fast['cpu']:.0f} us of CPU each",
        told["ratio"],
        least=BOUND,
        spans=spans,
    )


async def _filled(province, dsn, folder):
    """A full inbox for each recipient: whom pages are for, and whom claims."""
    async with works.exchange(province, dsn, folder) as (exchange, calling):
        agencies = sorted(calling.agencies)
        mine, others = agencies[:OURS], agencies[OURS : OURS + THEIRS]
        async with exchange.pool.acquire() as connection:
            rows = OURS * WAITING
            await works.lay_in(connection, "delivery", mine, 1, rows, open_each=WAITING)
            await works.lay_in(
                connection, "delivery", others, rows + 1, THEIRS * CLAIMABLE, open_each=CLAIMABLE
            )
            await connection.execute("ANALYZE delivery")
    return mine, others
