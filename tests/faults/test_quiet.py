"""The floor: without a single NOTIFY, and with a relay that dies at work, everything arrives - once."""

import asyncio
import contextlib
import time

import pytest
from faults.grounds import WORKERS, furnished, kill
from faults.load import CODES
from faults.moments import until
from faults.stillness import stopped
from province import quick_letter

from exchange.broker.bell import SWEEP_SECONDS
from exchange.store import pool

EVERYBODY = CODES[1:]


@contextlib.asynccontextmanager
async def database(grounds):
    connection = await pool.connect(grounds.dsn)
    try:
        yield connection
    finally:
        await connection.close()


async def to_everybody(client, number):
    answer = await client.send(quick_letter(number, sender="H13", recipients=EVERYBODY))
    assert (answer.status, len(answer.body["receipt"]["recipients"])) == (201, 452)
    return answer.body["receipt"]["letter"]


async def expanded(connection, letter):
    """Deliveries and different recipients of a letter, once its relay says that it is done."""
    done = "SELECT expanded_at IS NOT NULL FROM letter WHERE id = $1"
    assert await until(lambda: connection.fetchval(done, letter))
    counts = "SELECT count(*), count(DISTINCT recipient) FROM delivery WHERE letter = $1"
    return tuple(await connection.fetchrow(counts, letter))


async def blocked(connection, relays):
    """Whether so many relays come to wait for a lock: one with its deliveries, the others for the letter."""
    query = """SELECT count(*) = $1 FROM pg_stat_activity
                WHERE wait_event_type = 'Lock'
                  AND (query LIKE 'INSERT INTO delivery%' OR query LIKE 'SELECT * FROM letter %FOR NO KEY UPDATE')"""
    return await until(lambda: connection.fetchval(query, relays))


@pytest.fixture(scope="module")
def silent():
    with furnished(CONGVAN_NOTIFY="off") as place:
        place.start()
        yield place


@pytest.fixture(scope="module")
def grounds():
    with furnished() as place:
        place.start()
        yield place


async def test_without_notify_a_long_poll_in_another_worker_ends_within_the_sweep(silent):
    assert await until(lambda: silent.told("worker_ready") == WORKERS)
    here, there = silent.workers()
    async with silent.client("H13.01") as sender, silent.client("H13.31") as recipient:
        with stopped(there):
            poll = asyncio.create_task(recipient.inbox("H13.31", wait=40))
            await asyncio.sleep(0.5)
        started = time.monotonic()
        with stopped(here):
            assert (await sender.send(quick_letter(1, recipients=["H13.31"]))).status == 201
        assert len((await poll).body["items"]) == 1
    assert time.monotonic() - started < 1.2 * SWEEP_SECONDS + 2


async def test_without_notify_a_letter_to_everybody_arrives(silent):
    await silent.ready()
    started = time.monotonic()
    async with silent.client("H13") as sender, silent.client("H13.31.05.001") as clerks:
        await to_everybody(sender, 1)
        page = await clerks.inbox(limit=500, wait=40)
    assert len({item["recipient"] for item in page.body["items"]}) == len(page.body["items"]) == 181
    assert time.monotonic() - started < 1.2 * SWEEP_SECONDS + 4


async def test_workers_killed_right_after_their_answer_leave_exactly_one_delivery_each(grounds):
    for number, moment in enumerate((0.0, 0.004, 0.02), 1):
        await grounds.ready()
        async with grounds.client("H13") as sender:
            letter = await to_everybody(sender, number)
        await asyncio.sleep(moment)
        kill(*grounds.workers())
        async with database(grounds) as connection:
            assert await expanded(connection, letter) == (452, 452)


async def test_two_relays_at_one_letter_make_exactly_one_delivery_each(grounds):
    """The relay of a killed worker stands in the midst of its statement, and goes on beside its successor's."""
    await grounds.ready()
    async with database(grounds) as holding, database(grounds) as watching, grounds.client("H13") as sender:
        async with holding.transaction():
            await holding.execute("LOCK TABLE delivery IN SHARE MODE")
            letter = await to_everybody(sender, 11)
            assert await blocked(watching, 1)
            kill(*grounds.workers())
            assert await blocked(watching, 2)
        assert await expanded(watching, letter) == (452, 452)
        assert await blocked(watching, 0)
        assert await expanded(watching, letter) == (452, 452)


async def test_an_expansion_begun_anew_brings_nothing_back(grounds):
    await grounds.ready()
    async with (
        database(grounds) as connection,
        grounds.client("H13") as sender,
        grounds.client("H13.31.05.001") as clerks,
    ):
        letter = await to_everybody(sender, 21)
        assert await expanded(connection, letter) == (452, 452)
        taken = [item["id"] async for item in clerks.pending() if item["letter"] == letter][:100]
        assert (await clerks.ack(taken)).body["acknowledged"] == taken
        lost = "DELETE FROM delivery WHERE letter = $1 AND state = 'waiting' AND id::text LIKE '%0'"
        assert await connection.execute(lost, letter) != "DELETE 0"
        await connection.execute("UPDATE letter SET expanded_at = NULL WHERE id = $1", letter)
        assert await expanded(connection, letter) == (452, 452)
        left = {item["id"] async for item in clerks.pending() if item["letter"] == letter}
    assert len(left) == 81
    assert not left & set(taken)
