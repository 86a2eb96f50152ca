"""A campaign is worth what its comparison sees: every kind of damage, done by hand to a campaign that went well."""

import asyncio
import copy
from contextlib import asynccontextmanager, suppress
from random import Random

import pytest
from faults.campaign import Plan, fought
from faults.compare import compare, kinds
from faults.grounds import furnished
from faults.load import Load

from exchange.store import pool

FIRST = "(SELECT id FROM letter ORDER BY id LIMIT 1)"
IN_THE_DATABASE = {
    f"UPDATE letter SET id = gen_random_uuid() WHERE id = {FIRST}": {"letter_lost", "letter_unpromised"},
    "UPDATE letter SET receipt = receipt || '\\x20'": {"receipt_differs"},
    "UPDATE payload SET body = body || '\\x0a' WHERE body IS NOT NULL": {"bytes_differ"},
    "UPDATE payload SET file = 'gone' WHERE file IS NOT NULL": {"bytes_differ"},
    f"DELETE FROM delivery WHERE letter = {FIRST}": {"delivery_lost"},
    f"UPDATE delivery SET letter = gen_random_uuid() WHERE letter = {FIRST}": {"delivery_unpromised"},
    f"UPDATE delivery SET id = gen_random_uuid() WHERE letter = {FIRST}": {"delivery_not_taken"},
    f"UPDATE delivery SET open = true WHERE letter = {FIRST}": {"delivery_open"},
    "UPDATE delivery SET state = 'withdrawn'": {"delivery_stands_elsewhere"},
    "DELETE FROM journal WHERE event = 'arrived'": {"journal_lacks"},
    "DELETE FROM journal WHERE event = 'status'": {"journal_lacks"},
    "INSERT INTO journal (agency, id, at, event, letter) SELECT agency, gen_random_uuid(), at, event, letter "
    "FROM journal WHERE event = 'accepted'": {"journal_twice"},
    "UPDATE journal SET event = 'refused', code = 'conflict' WHERE event = 'accepted'": {
        "journal_tells_more"
    },
}


def calm(_place, _random):
    """A strike that hits nothing, and counts."""
    return 1


@pytest.fixture(scope="module")
def grounds():
    with furnished() as place:
        place.start()
        yield place


@pytest.fixture(scope="module")
def story(grounds):
    return asyncio.run(fought(grounds, Plan(seed=1, kills=1, gap=2.0, only=(calm,))))


@asynccontextmanager
async def database(grounds):
    connection = await pool.connect(grounds.dsn)
    try:
        yield connection
    finally:
        await connection.close()


def test_a_campaign_without_a_kill_has_no_fault(story):
    assert len(story.ledger.letters) > 10
    assert story.faults == []


@pytest.mark.parametrize("damage", IN_THE_DATABASE)
async def test_damage_in_the_database_is_seen(grounds, story, damage):
    async with database(grounds) as connection:
        transaction = connection.transaction()
        await transaction.start()
        changed = await connection.execute(damage)
        found = kinds(await compare(connection, story.ledger, grounds.data / "payloads"))
        await transaction.rollback()
        assert not changed.endswith(" 0")
        assert IN_THE_DATABASE[damage] <= found.keys()
        assert await compare(connection, story.ledger, grounds.data / "payloads") == []


def doubled(ledger):
    next(iter(ledger.taken.values())).add("another id")


def withheld(ledger):
    ledger.taken.pop(next(iter(ledger.taken)))


def unpromised(ledger):
    ledger.taken[("another letter", "H13.01")].add("an id")


def falsified(ledger):
    ledger.bodies[ledger.letters[0].id].add("another digest")


def unacknowledged(ledger):
    ledger.acknowledged.popitem()


def unlike(ledger):
    ledger.letters[0].receipts.append(ledger.letters[0].receipts[0] + b" ")


def unanswered(ledger):
    ledger.letters[0].receipts.clear()


IN_THE_LEDGER = {
    doubled: "received_doubled",
    withheld: "not_received",
    unpromised: "received_unpromised",
    falsified: "body_differs",
    unacknowledged: "journal_tells_more",
    unlike: "receipt_differs",
    unanswered: "unanswered",
}


@pytest.mark.parametrize("change", IN_THE_LEDGER, ids=lambda change: change.__name__)
async def test_what_clients_saw_is_compared(grounds, story, change):
    ledger = copy.deepcopy(story.ledger)
    change(ledger)
    async with database(grounds) as connection:
        found = kinds(await compare(connection, ledger, grounds.data / "payloads"))
    assert IN_THE_LEDGER[change] in found


async def test_a_delivery_that_comes_back_after_its_acknowledgement_is_seen(grounds, story):
    load = Load(grounds, copy.deepcopy(story.ledger), Random(1))
    systems = ("H13", "H13.01", "H13.31", "H13.31.05.001")
    async with database(grounds) as connection:
        before = await connection.fetchval("SELECT now()")
        await connection.execute(f"UPDATE delivery SET open = true, state = 'waiting' WHERE letter = {FIRST}")
        with suppress(TimeoutError):
            async with asyncio.timeout(2):
                await asyncio.gather(*(load.receive(code) for code in systems))
        found = kinds(await compare(connection, load.ledger, grounds.data / "payloads"))
        await connection.execute("DELETE FROM journal WHERE at >= $1", before)  # as it was, for the others
    assert {"came_back", "acknowledged_twice", "journal_twice"} <= found.keys()
