"""The kill campaign: load, strikes at random moments, then quiet - and everything that was promised is compared."""

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field
from random import Random

from exchange.store import pool
from faults import strikes
from faults.compare import compare
from faults.ledger import Ledger
from faults.load import Load, systems

SETTLE_SECONDS = 120


@dataclass(frozen=True)
class Plan:
    """`kills` strikes, `gap` seconds apart on average; every choice follows from `seed`."""

    seed: int
    kills: int
    gap: float
    pause: float = 0.06
    signed: bool = False
    only: tuple = ()

    def strikes(self, random):
        return random.choices(self.only, k=self.kills) if self.only else strikes.order(random, self.kills)


@dataclass
class Story:
    """What happened: the ledger, the strikes that hit something, the faults found."""

    ledger: Ledger = field(default_factory=Ledger)
    struck: Counter = field(default_factory=Counter)
    faults: list = field(default_factory=list)
    seconds: float = 0.0


async def fought(grounds, plan):
    """Play the campaign on grounds that run, and compare. What was started is running at the end."""
    started, random, story = time.monotonic(), Random(plan.seed), Story()
    load = Load(grounds, story.ledger, Random(plan.seed + 1), pause=plan.pause, signed=plan.signed)
    await grounds.ready()
    async with asyncio.TaskGroup() as group:
        receiving = [group.create_task(load.receive(code)) for code in systems(grounds.province)]
        sending = [group.create_task(load.send()) for _ in range(load.senders)]
        await _strike(grounds, plan, random, story)
        load.ending.set()
        await _settled(grounds, story.ledger, sending)
        for task in receiving:
            task.cancel()
    story.faults = await _compared(grounds, story.ledger)
    story.seconds = time.monotonic() - started
    return story


async def _strike(grounds, plan, random, story):
    for strike in plan.strikes(random):
        await asyncio.sleep(random.uniform(0.2, 2 * plan.gap))
        if strike(grounds, random):
            story.struck[strike.__name__] += 1


async def _settled(grounds, ledger, sending):
    """Everything is up, every sender has its answer, every inbox is empty; or time is up, and the comparison tells."""
    await grounds.ready()
    await asyncio.wait(sending, timeout=SETTLE_SECONDS)
    deadline = time.monotonic() + SETTLE_SECONDS
    while ledger.pending() and time.monotonic() < deadline:
        await asyncio.sleep(0.1)
    await asyncio.sleep(1)  # whoever would deliver twice gets the time to do it


async def _compared(grounds, ledger):
    connection = await pool.connect(grounds.dsn)
    try:
        return await compare(connection, ledger, grounds.data / "payloads")
    finally:
        await connection.close()
