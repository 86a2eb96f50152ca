"""B11: how soon a recipient that waits hears of a letter.

Over real HTTP, two workers, the queue idle: a recipient's system holds a long poll (`wait=30`), then a letter for it is
sent and accepted. Told is the time from the sender's 201, which leaves right after the commit, to the long poll's
answer; the anchor is the same request, answered at once because something is open. Whichever worker holds the poll:
half of the time the news come from the other one, by NOTIFY. Without it a poll would be found by the sweep, every 5 s.
It says nothing about a busy exchange (B6).
"""

import asyncio
import statistics
import time

import province as provinces
import pytest
import uvloop
from bench import anchors, works
from bench.test_ceiling import PLENTY

TIMES = 80
PAUSE_SECONDS = 0.06
"""Longer than the 50 ms in which one process notifies once."""
BOUND = 5
RECIPIENT = "H13.02"


@pytest.mark.bench
def test_b11_who_waits_hears_at_once(postgres, province, province_database, tmp_path):
    with (
        provinces.serving(province, province_database, tmp_path, **PLENTY) as server,
        anchors.Stopwatch(ours=[server.process.pid], database=[postgres.pid]) as watch,
    ):
        woken, asked = uvloop.run(_b11(server))
    woken.sort()
    half, anchor = statistics.median(woken), statistics.median(asked)
    anchors.judge(
        f"B11 wake-up: median {half:.1f} ms = {half / anchor:.1f} x a pull of {anchor:.1f} ms; "
        f"p99 {woken[int(0.99 * len(woken))]:.1f} ms of {len(woken)}",
        half / anchor,
        most=BOUND,
        spans=[watch.span],
    )


async def _b11(server):
    """Milliseconds of each wake-up, and of each plain pull."""
    woken, asked = [], []
    async with server.client(works.SENDER) as sender, server.client(RECIPIENT) as recipient:
        for _ in range(TIMES):
            poll = asyncio.create_task(_timed(recipient.inbox(RECIPIENT, wait=30)))
            await asyncio.sleep(PAUSE_SECONDS)
            assert not poll.done()
            answer, accepted = await _timed(sender.send(works.small([RECIPIENT])))
            assert answer.status == 201
            _, heard = await poll
            woken.append(1e3 * max(0.0, heard - accepted))
            started = time.perf_counter()
            page, ended = await _timed(recipient.inbox(RECIPIENT))
            asked.append(1e3 * (ended - started))
            assert [item["letter"] for item in page.body["items"]] == [answer.body["receipt"]["letter"]]
            assert (await recipient.ack([page.body["items"][0]["id"]], RECIPIENT)).status == 200
    return woken, asked


async def _timed(asking):
    """An answer, and the moment at which it was there."""
    return await asking, time.perf_counter()
