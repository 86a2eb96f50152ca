import os
import secrets

import pytest
from faults import hasty
from faults.campaign import Plan, fought
from faults.compare import kinds
from faults.grounds import furnished, kill
from faults.moments import until
from faults.strikes import workers

SEED = int(os.environ.get("CONGVAN_KILL_SEED") or secrets.randbelow(1 << 32))
LONG_KILLS = int(os.environ.get("CONGVAN_KILLS") or 60)


@pytest.fixture
def grounds():
    with furnished() as place:
        place.start()
        yield place


def told(plan, story):
    print(
        f"\nCONGVAN_KILL_SEED={plan.seed}",
        dict(story.struck),
        "ends",
        dict(story.ends),
        story.ledger.figures(),
        f"{story.seconds:.0f} s",
    )
    print("faults:", kinds(story.faults))


@pytest.fixture
def hasty_grounds():
    with furnished((hasty.__file__,)) as place:
        place.start()
        yield place


async def survives(grounds, plan):
    story = await fought(grounds, plan)
    told(plan, story)
    assert story.faults == [], f"seed {plan.seed}: {kinds(story.faults)} {story.faults[:5]}"
    assert story.ends.keys() <= {-9, 3}, story.ends
    checked = grounds.congvan("check")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert grounds.stop() == 0
    assert grounds.defects() == []
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
    assert await until(lambda: set(grounds.workers()) - before)
    kill(grounds.process.pid, *grounds.postmaster())  # the new workers begin without parent and database
    grounds.process.wait()
    orphans = set(grounds.workers())
    assert orphans
    grounds.start()
    await grounds.ready()
    assert not orphans & set(grounds.workers())


async def test_a_server_that_answers_before_it_commits_fails_the_campaign(hasty_grounds):
    plan = Plan(seed=SEED, kills=3, gap=0.8, only=(workers,), quiet=7)
    story = await fought(hasty_grounds, plan)
    told(plan, story)
    found = kinds(story.faults)
    assert {"letter_lost", "delivery_lost", "not_received"} <= found.keys()
    assert found["letter_lost"] < story.ledger.figures()["letters"]  # most were committed in time
