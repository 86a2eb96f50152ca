"""The kill campaign: load, strikes at random moments, then quiet - and everything that was promised is compared."""

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field
from random import Random

from faults import strikes
from faults.compare import compare
from faults.ledger import Ledger
from faults.load import Load, systems
from faults.moments import until

from exchange.store import pool

SETTLE_SECONDS = 120
WORK_SECONDS = 60
RECOVERING = 0.3
"""Share of strikes that do not wait until the last one is recovered from."""


@dataclass(frozen=True)
class Plan:
    """`kills` strikes, each up to `gap` seconds after work goes on again; every choice follows from `seed`.

    `quiet`: who received nothing for so many seconds after all was up will receive nothing; a sweep takes six.
    """

    seed: int
    kills: int
    gap: float
    pause: float = 0.04
    signed: bool = False
    only: tuple = ()
    quiet: float = 15.0

    def strikes(self, random):
        return random.choices(self.only, k=self.kills) if self.only else strikes.order(random, self.kills)


@dataclass
class Story:
    """What happened: the ledger, the strikes that hit something, how `serve` ended each time, the faults found."""

    ledger: Ledger = field(default_factory=Ledger)
    struck: Counter = field(default_factory=Counter)
    ends: Counter = field(default_factory=Counter)
    faults: list = field(default_factory=list)
    seconds: float = 0.0


async def fought(grounds, plan):
    """Play the campaign on grounds that run, and compare. The exchange is running at the end."""
    started, random, story = time.monotonic(), Random(plan.seed), Story()
    load = Load(grounds, story.ledger, Random(plan.seed + 1), pause=plan.pause, signed=plan.signed)
    await grounds.ready()
    async with asyncio.TaskGroup() as group:
        beside = [group.create_task(load.receive(code)) for code in systems(grounds.province)]
        beside.append(group.create_task(_kept(grounds, story)))
        sending = [group.create_task(load.send()) for _ in range(load.senders)]
        for strike in plan.strikes(random):
            await _moment(story.ledger, plan, random)
            story.struck[strike.__name__] += await _hit(strike, grounds, random)
        load.ending.set()
        await grounds.ready()
        await settled(story.ledger, sending, plan.quiet)
        for task in (*beside, *sending):
            task.cancel()
    story.faults = await compared(grounds.dsn, story.ledger, grounds.data / "payloads")
    story.seconds = time.monotonic() - started
    return story


async def _kept(grounds, story):
    """Task: what a service manager does - start `serve` again, whyever it ended."""
    while True:
        code = grounds.process.poll()
        if code is not None:
            story.ends[code] += 1
            grounds.start()
        await asyncio.sleep(0.02)


async def _moment(ledger, plan, random):
    """A random moment: at work, or in the midst of recovery from the strike before."""
    if random.random() >= RECOVERING:
        wanted = ledger.answers + 10
        await until(lambda: ledger.answers >= wanted, WORK_SECONDS)
    await asyncio.sleep(random.uniform(0, plan.gap))


async def _hit(strike, grounds, random):
    """Strike as soon as there is something to strike; 1, or 0 if nothing came to life in time."""
    return int(await until(lambda: strike(grounds, random), WORK_SECONDS))


async def settled(ledger, sending, quiet=15.0):
    """Every sender has its answer, every inbox is empty; or nothing moves any more, and the comparison tells."""
    await asyncio.wait(sending, timeout=SETTLE_SECONDS)
    while ledger.pending():
        before = (ledger.answers, ledger.outstanding)
        if not await until(lambda before=before: (ledger.answers, ledger.outstanding) != before, quiet):
            break
        await asyncio.sleep(0.3)  # looking at everything takes a while, and the clients are at work beside us
    await asyncio.sleep(1)  # whoever would deliver twice gets the time to do it


async def compared(dsn, ledger, payloads):
    """All differences between the clients' ledger and that database."""
    connection = await pool.connect(dsn)
    try:
        return await compare(connection, ledger, payloads)
    finally:
        await connection.close()
