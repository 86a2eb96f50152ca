"""B1 and B2: what the group committer makes of a disk, through `broker.send` with all real tables.

B1  Small unsigned letters (1 kB, two recipients, 64 in flight): read, checked, judged, decided, receipted, committed.
    Against 8 kB made durable one after the other.
B2  Letters of 20 kB with a signed package, committed as they gather, against one letter per commit.

Both are measured twice: on the disk as it is, and on one held back to some 100 flushes a second, as a turning disk or
a busy network volume gives (`works.held_back`). There the disk limits, and what is bound is how well commits are
shared. A fast disk with a write cache gives ten thousand flushes a second, more than any letter can be read in Python:
there the line tells what limits instead, the CPU time of one letter. They say nothing about HTTP (B6), PDF, or sizes
at which the disk's bandwidth counts.

Letters per commit are read from the tables: rows of one transaction carry its number (`xmin`).
"""

import contextlib
import os

import pytest
import uvloop
from bench import anchors, works

from exchange.store import commit

ROUNDS, IN_FLIGHT = 3, 64
DISKS = ("as it is", "held back")
SECONDS = {"as it is": 1.5, "held back": 1.5}
B1_BOUND, B2_BOUND = 5, 2.5
MOST_B1, MOST_B2 = 3_000, 400


async def serial_commits(dsn, seconds=0.5):
    """How often a second one connection makes 8 kB durable, by a commit of one row."""
    async with works.connected(dsn) as connection:
        await connection.execute("CREATE TABLE IF NOT EXISTS anchor (body bytea STORAGE EXTERNAL)")
        insert = "INSERT INTO anchor VALUES ($1)"
        return await anchors.often(lambda: connection.execute(insert, anchors.BLOCK), seconds)


async def accepted(at_work, raws, postgres, seconds):
    """Letters a second, and the stretch measured."""
    exchange, calling = at_work
    with anchors.Stopwatch(ours=[os.getpid()], database=[postgres.pid]) as watch:
        work = anchors.crowd(lambda raw: works.accept(exchange, calling, raw), raws, IN_FLIGHT, seconds)
        done = len(await work)
    return {"letters": done / watch.span.wall, "cpu": 1e3 * watch.span.ours / done}, watch.span


@contextlib.asynccontextmanager
async def on_disk(kind, postgres, province, dsn, folder):
    """An exchange on that disk, warm."""
    slow = works.held_back(postgres, dsn) if kind == "held back" else contextlib.nullcontext()
    async with slow, works.exchange(province, dsn, folder) as at_work:
        for _ in range(3):
            await works.accept(*at_work, works.small())
        yield at_work


@pytest.mark.bench
def test_b1_a_commit_carries_many_letters(postgres, province, province_database, tmp_path):
    uvloop.run(_b1(postgres, province, province_database, tmp_path))


async def _b1(postgres, province, dsn, folder):
    rounds, spans = {disk: [] for disk in DISKS}, []
    for _ in range(ROUNDS):
        for disk in DISKS:
            async with on_disk(disk, postgres, province, dsn, folder) as at_work:
                fast = disk == "as it is"
                flushes = anchors.fdatasyncs(postgres.data) if fast else await serial_commits(dsn)
                raws = [works.small() for _ in range(MOST_B1)]
                one, span = await accepted(at_work, raws, postgres, SECONDS[disk])
            spans.append(span)
            rounds[disk].append(one | {"flushes": flushes, "ratio": one["letters"] / flushes})
    shared = await works.value(dsn, "SELECT count(*)::float8 / count(DISTINCT xmin::text) FROM letter")
    letters = "SELECT count(*) FROM letter"
    assert await works.value(dsn, "SELECT count(*) FROM delivery") == 2 * await works.value(dsn, letters)
    assert await works.value(dsn, "SELECT count(*) FROM payload") == await works.value(dsn, letters)
    slow, fast = anchors.medians(rounds["held back"]), anchors.medians(rounds["as it is"])
    anchors.judge(
        f"B1 commit: {slow['ratio']:.1f} x serial flushes, {slow['letters']:.0f} letters ÷ {slow['flushes']:.0f} a "
        f"second; disk as it is: {fast['ratio']:.2f} x, {fast['letters']:.0f} ÷ {fast['flushes']:.0f}, "
        f"{fast['cpu']:.2f} ms of CPU a letter; {shared:.1f} letters a commit",
        slow["ratio"],
        least=B1_BOUND,
        spans=spans,
    )


@pytest.mark.bench
def test_b2_gathered_letters_go_faster_than_single_ones(
    postgres, province, province_database, tmp_path, monkeypatch
):
    uvloop.run(_b2(postgres, province, province_database, tmp_path, monkeypatch))


async def _b2(postgres, province, dsn, folder, monkeypatch):
    rounds, spans = {disk: [] for disk in DISKS}, []
    for _ in range(ROUNDS):
        for disk in DISKS:
            rates = {}
            for name, most in (("gathered", commit.MAX_LETTERS), ("single", 1)):
                monkeypatch.setattr(commit, "MAX_LETTERS", most)
                async with on_disk(disk, postgres, province, dsn, folder) as at_work:
                    raws = [works.signed(province, 20_000) for _ in range(MOST_B2)]
                    one, span = await accepted(at_work, raws, postgres, SECONDS[disk])
                monkeypatch.undo()
                spans.append(span)
                rates |= {name: one["letters"], f"cpu {name}": one["cpu"]}
            rounds[disk].append(rates | {"ratio": rates["gathered"] / rates["single"]})
    slow, fast = anchors.medians(rounds["held back"]), anchors.medians(rounds["as it is"])
    anchors.judge(
        f"B2 batching: {slow['ratio']:.1f} x one letter per commit, {slow['gathered']:.0f} ÷ {slow['single']:.0f} "
        f"letters of 20 kB a second at 100 flushes a second; disk as it is: {fast['ratio']:.2f} x, "
        f"{fast['gathered']:.0f} ÷ {fast['single']:.0f}, {fast['cpu gathered']:.2f} ÷ {fast['cpu single']:.2f} ms of CPU",
        slow["ratio"],
        least=B2_BOUND,
        spans=spans,
    )
