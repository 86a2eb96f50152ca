"""B24: what others wait while a report is written as a PDF.

One worker process; a client asks for its inbox, over and over, while BC-15 of the province is made and written as a PDF for
another one, and while nothing is. In turns; compared are medians and the slowest of a hundred (p99) of all rounds, in which
nothing else of ours runs. On two processors the writer has one for itself, and gives way.
"""

import asyncio
import os
import statistics
import time
from datetime import UTC, datetime

import aiohttp
import paper_cases as paper
import pytest
import uvloop
from bench import anchors
from province import serving

ROUNDS, ALONE_SECONDS = 4, 4.0
BOUND = 3
YEAR = datetime.now(UTC).year
SMALL, LARGE = "/v1/inbox?limit=1", f"/v1/reports/BC-15?period={YEAR}&format=pdf"


@pytest.mark.bench
def test_b24_nobody_waits_for_a_pdf(postgres, province, province_database, tmp_path):
    paper.font()
    with (
        serving(province, province_database, tmp_path, workers=1) as server,
        anchors.Stopwatch(ours=[os.getpid(), server.process.pid], database=[postgres.pid]) as watch,
    ):
        alone, beside, took = uvloop.run(_b24(server))
    median = statistics.median(beside) / statistics.median(alone)
    worst = [1e3 * statistics.quantiles(each, n=100)[-1] for each in (alone, beside)]
    anchors.judge(
        f"B24 inbox while BC-15 is written as a PDF ({took:.1f} s): median {median:.2f} x of alone, "
        f"{1e3 * statistics.median(beside):.2f} ÷ {1e3 * statistics.median(alone):.2f} ms; p99 {worst[1]:.1f} ÷ {worst[0]:.1f} ms",
        median,
        most=BOUND,
        spans=[watch.span],
    )


async def _b24(server):
    """Seconds of each small request alone and beside a PDF, and how long a PDF took."""
    headers = {"Authorization": f"Bearer {server.province.key_of('H13.01')}"}
    alone, beside, took = [], [], []
    async with (
        aiohttp.ClientSession(server.url, headers=headers) as small,
        aiohttp.ClientSession(server.url, headers=headers) as large,
    ):

        async def once(session, path):
            began = time.perf_counter()
            async with session.get(path) as answer:
                await answer.read()
                assert answer.status == 200
            return time.perf_counter() - began

        await once(large, LARGE)  # certificates are read once
        for _ in range(ROUNDS):
            end = time.perf_counter() + ALONE_SECONDS
            while time.perf_counter() < end:
                alone.append(await once(small, SMALL))
                await asyncio.sleep(0.005)
            pdf = asyncio.create_task(once(large, LARGE))
            while not pdf.done():
                beside.append(await once(small, SMALL))
                await asyncio.sleep(0.005)
            took.append(await pdf)
    return alone, beside, statistics.median(took)
