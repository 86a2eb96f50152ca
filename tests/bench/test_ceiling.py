"""B6: how much of the machine an exchange under load can use for its letters.

Letters of 20 kB, each signed as a whole package, over real HTTP from one client program that keeps 64 in flight; a
server of two workers; PostgreSQL. What the server and its database used of the processor time that neither the client
nor other programs used: 1 means that nothing was left idle, that neither the disk, nor a lock, nor one busy process
held the others up. It does not say that a letter is cheap: its price in CPU is printed beside. All of that runs on one
machine, so the client takes its part of it; a client elsewhere would leave that part to the server too.
"""

import os

import province as provinces
import pytest
import uvloop
from bench import anchors, works

ROUNDS, SECONDS, IN_FLIGHT = 3, 4, 64
SIZE, WARM, MOST = 20_000, 64, 800
BOUND = 0.7
PLENTY = {
    "CONGVAN_QUOTA_REQUESTS": "100000000",
    "CONGVAN_QUOTA_MB": "1000000",
    "CONGVAN_LOG_LEVEL": "warning",
}


@pytest.mark.bench
def test_b6_nothing_of_the_machine_is_left_idle(postgres, province, province_database, tmp_path):
    with provinces.serving(province, province_database, tmp_path, **PLENTY) as server:
        rounds, spans = zip(*(uvloop.run(_round(server, postgres)) for _ in range(ROUNDS)), strict=True)
    told = anchors.medians(rounds)
    anchors.judge(
        f"B6 ceiling: server and database used {told['share']:.2f} of what the client and others left them; "
        f"{told['letters']:.0f} letters of 20 kB a second, {told['server']:.2f} ms of server and "
        f"{told['database']:.2f} ms of database each, {told['client']:.2f} ms of client",
        told["share"],
        least=BOUND,
        spans=spans,
    )


async def _round(server, postgres):
    raws = [works.signed(server.province, SIZE) for _ in range(WARM + MOST)]
    groups = {"client": [os.getpid()], "server": [server.process.pid], "database": [postgres.pid]}
    async with server.client(works.SENDER) as client:

        async def sent(raw):
            answer = await client.send(raw)
            assert answer.status == 201, answer.raw
            return answer.body["receipt"]["letter"]

        await anchors.crowd(sent, raws[:WARM], IN_FLIGHT, SECONDS)
        with anchors.Stopwatch(**groups) as watch:
            letters = await anchors.crowd(sent, raws[WARM:], IN_FLIGHT, SECONDS)
    assert len(set(letters)) == len(letters)
    span = watch.span
    left = span.wall * anchors.CORES * (1 - span.others) - span.cpu["client"]
    each = {name: 1_000 * seconds / len(letters) for name, seconds in span.cpu.items()}
    used = span.cpu["server"] + span.cpu["database"]
    return {**each, "share": used / left, "letters": len(letters) / span.wall}, span
