"""B1 and B2: what the group committer makes of a disk.

B1  Small unsigned letters (1 kB, two recipients, 64 in flight) through `broker.send` with all real tables, against
    8 kB written and flushed one after the other. It is measured twice: on the disk as it is, and on one held back to
    some 100 flushes a second (the server sleeps before it flushes), where the disk and not the processor is what
    limits. The bound is for the latter; on a fast disk the line tells instead what a letter costs in CPU, of which
    no disk is the reason. It says nothing about signatures (B4, B6) and large letters (B2).
B2  Signed letters of 20 kB, committed as they gather against one letter per commit, both through `broker.send`.

How many commits there were is read from the tables: rows of one transaction carry its number (`xmin`).
"""

import os

import asyncpg
import pytest
import uvloop
from bench import anchors, works

from exchange.store import commit
from exchange.store import pool as pools

ROUNDS = 3
IN_FLIGHT = 64
B1_BOUND, B2_BOUND = 5, 2.5


async def serial_commits(dsn, seconds=0.5):
    """How often a second one connection commits one row of 8 kB."""
    connection = await pools.connect(dsn)
    try:
        await connection.execute("CREATE TABLE IF NOT EXISTS anchor (body bytea STORAGE EXTERNAL)")
        return await anchors.often(
            lambda: connection.execute("INSERT INTO anchor VALUES ($1)", anchors.BLOCK), seconds
        )
    finally:
        await connection.close()


async def per_commit(dsn):
    """Letters per commit so far."""
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval("SELECT count(*)::float8 / count(DISTINCT xmin::text) FROM letter")
    finally:
        await connection.close()


async def accepted(at_work, raws, postgres):
    """Letters a second, and the stretch measured."""
    exchange, calling = at_work
    with anchors.Stopwatch(ours=[os.getpid()], database=[postgres.pid]) as watch:
        await works.accept_all(exchange, calling, raws, IN_FLIGHT)
    return len(raws) / watch.span.wall, watch.span


@pytest.mark.bench
def test_b1_a_commit_carries_many_letters(postgres, province, province_database, tmp_path):
    uvloop.run(_b1(postgres, province, province_database, tmp_path))


async def _b1(postgres, province, dsn, folder):
    rounds, spans = [], []
    for _ in range(ROUNDS):
        flushes = anchors.fdatasyncs(postgres.data)
        async with works.exchange(province, dsn, folder) as here:
            await works.accept(*here, works.small())
            letters, span = await accepted(here, [works.small() for _ in range(1_000)], postgres)
        async with works.held_back(postgres, dsn), works.exchange(province, dsn, folder) as here:
            commits = await serial_commits(dsn)
            await works.accept(*here, works.small())
            slowly, _ = await accepted(here, [works.small() for _ in range(600)], postgres)
        spans.append(span)
        rounds.append(
            {
                "flushes": flushes,
                "letters": letters,
                "as it is": letters / flushes,
                "commits": commits,
                "held back": slowly,
                "ratio": slowly / commits,
                "cpu": span.cpu["ours"] / 1_000,
                "database": span.cpu["database"] / 1_000,
            }
        )
    told = anchors.medians(rounds)
    print(told, await per_commit(dsn), [s.others for s in spans])
    assert told["ratio"] >= B1_BOUND


@pytest.mark.bench
def test_b2_gathered_letters_go_faster_than_single_ones(
    postgres, province, province_database, tmp_path, monkeypatch
):
    uvloop.run(_b2(postgres, province, province_database, tmp_path, monkeypatch))


async def _b2(postgres, province, dsn, folder, monkeypatch):
    for slow in (False, True):
        rounds = []
        async with (
            works.held_back(postgres, dsn) if slow else works.contextlib.nullcontext(),
            works.exchange(province, dsn, folder) as here,
        ):
            await works.accept(*here, works.signed(province, 20_000))
            for _ in range(ROUNDS):
                one = {}
                for name, most in (("gathered", 64), ("single", 1)):
                    monkeypatch.setattr(commit, "MAX_LETTERS", most)
                    letters, span = await accepted(
                        here, [works.signed(province, 20_000) for _ in range(200)], postgres
                    )
                    one[name] = letters
                    one[name + " cpu"] = span.cpu["ours"] / 200
                    one[name + " db"] = span.cpu["database"] / 200
                one["ratio"] = one["gathered"] / one["single"]
                rounds.append(one)
        print(slow, anchors.medians(rounds), span.others)
