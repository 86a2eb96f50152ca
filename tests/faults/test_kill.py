import asyncio
import os
import secrets

import pytest

from faults.campaign import Plan, fought
from faults.compare import kinds
from faults.grounds import furnished, kill

SEED = int(os.environ.get("CONGVAN_KILL_SEED") or secrets.randbelow(1 << 32))
LONG_KILLS = int(os.environ.get("CONGVAN_KILLS") or 60)


@pytest.fixture
def grounds():
    with furnished() as place:
        place.start()
        yield place


def told(plan, story):
    print(f"\nCONGVAN_KILL_SEED={plan.seed}", dict(story.struck), "ends", dict(story.ends), story.ledger.figures(), f"{story.seconds:.0f} s")
    print("faults:", kinds(story.faults))


async def survives(grounds, plan):
    story = await fought(grounds, plan)
    told(plan, story)
    assert story.faults == [], f"seed {plan.seed}: {kinds(story.faults)} {story.faults[:5]}"
    assert story.ends.keys() <= {-9, 3}, story.ends
    checked = grounds.congvan("check")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert grounds.stop() == 0
    assert (grounds.processes(), grounds.postmaster()) == ({}, [])
    return story


async def test_nothing_is_lost_or_doubled_while_everything_is_killed_once(grounds):
    story = await survives(grounds, Plan(seed=SEED, kills=7, gap=1.0))
    assert sum(story.struck.values()) >= 6
    assert len(story.ledger.promised()) > 100


@pytest.mark.long
@pytest.mark.timeout(1800)
async def test_nothing_is_lost_or_doubled_in_a_long_campaign(grounds):
    story = await survives(grounds, Plan(seed=SEED, kills=LONG_KILLS, gap=2.0, signed=True))
    assert sum(story.struck.values()) >= min(50, LONG_KILLS)
    assert len(story.ledger.promised()) > 1000


async def test_an_orphan_that_waits_for_the_database_ends_and_frees_the_address(grounds):
    await grounds.ready()
    before = set(grounds.workers())
    kill(*before)
    while not set(grounds.workers()) - before:
        await asyncio.sleep(0.01)
    kill(grounds.process.pid, *grounds.postmaster())  # the new workers begin without parent and database
    grounds.process.wait()
    orphans = set(grounds.workers())
    assert orphans
    grounds.start()
    await grounds.ready()
    assert not orphans & set(grounds.workers())
