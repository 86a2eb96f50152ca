"""A letter to a thousand: killed in the middle it still is a thousand deliveries, and small senders hardly notice it."""

import asyncio
import contextlib
import statistics
import time
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from itertools import count

import pytest
from faults.crowd import gathered
from faults.grounds import kill
from faults.load import CODES, systems
from faults.moments import until
from province import quick_letter

from exchange.links import sdk
from exchange.store import pool as pools

RECIPIENTS = 1_000
EVERYBODY = CODES[1:]
SLOW = """
CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.7); RETURN NULL; END $$;
CREATE TRIGGER dawdling BEFORE INSERT ON delivery FOR EACH STATEMENT EXECUTE FUNCTION dawdle();
"""
ROUNDS, WINDOW, SENDERS, PAUSE = 5, 4.0, 20, 0.1


@dataclass
class Crowd:
    """A server with a thousand recipients, one client of each system that acts for some, and a look at its database."""

    server: object
    codes: tuple
    clients: list
    connection: object
    numbers: count = field(default_factory=lambda: count(100_000))

    async def to_all(self):
        """A letter to all of them, accepted; its id."""
        raw = quick_letter(next(self.numbers), sender="H13", recipients=self.codes)
        answer = await self.clients[0].send(raw)
        assert (answer.status, len(answer.body["receipt"]["recipients"])) == (201, RECIPIENTS)
        return answer.body["receipt"]["letter"]

    async def made(self, letter):
        return await self.connection.fetchval("SELECT count(*) FROM delivery WHERE letter = $1", letter)

    async def expanded(self, letter):
        return await self.connection.fetchval(
            "SELECT expanded_at IS NOT NULL FROM letter WHERE id = $1", letter
        )

    async def went_on(self, letter, made):
        return await self.made(letter) > made or await self.expanded(letter)


@pytest.fixture
async def crowd(server):
    codes, key = await gathered(server, RECIPIENTS - len(EVERYBODY))
    keys = [*map(server.province.key_of, systems(server.province)), key]
    async with contextlib.AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(sdk.connected(server.url, one)) for one in keys]
        connection = await pools.connect(server.dsn)
        stack.push_async_callback(connection.close)
        await asyncio.sleep(6)  # what a worker knows of the directory may be five seconds old
        yield Crowd(server, (*EVERYBODY, *codes), clients, connection)


async def test_killed_in_the_midst_of_expansion_there_are_a_thousand_deliveries(crowd):
    """Both workers, twice for each letter, once some deliveries are made and others are not."""
    await crowd.connection.execute(SLOW)
    letters, met = [], []
    for _ in range(2):
        letters.append(await crowd.to_all())
        made = 0
        for _ in range(2):
            assert await until(partial(crowd.went_on, letters[-1], made))
            made = await crowd.made(letters[-1])
            met.append(made)
            kill(*crowd.server.workers())
            crowd.server.wait_ready()
        assert await until(partial(crowd.expanded, letters[-1]), 60)
    print(f"\ndeliveries made when both workers were killed: {met}")
    assert any(0 < n < RECIPIENTS for n in met)
    assert [await crowd.made(letter) for letter in letters] == [RECIPIENTS] * 2
    seen = Counter()
    for client in crowd.clients:
        async for item in client.pending(limit=300):
            seen[(item["letter"], item["recipient"])] += 1
    assert seen == Counter((letter, code) for letter in letters for code in crowd.codes)
    for client in crowd.clients:
        while items := (await client.inbox(limit=500)).body["items"]:
            acked = (await client.ack([item["id"] for item in items])).body
            assert len(acked["acknowledged"]) == len(items)
    checked = crowd.server.congvan("check", "--json")
    assert checked.returncode == 0, checked.stdout


async def send_small(crowd, code, numbers, taken, ending):
    """One small sender: letter after letter to one recipient, with a pause; (begin, end) of each."""
    async with crowd.server.client(code, attempts=1) as client:
        while not ending.is_set():
            raw = quick_letter(next(numbers), sender=code, recipients=["H13.31"])
            started = time.perf_counter()
            assert (await client.send(raw)).status == 201
            taken.append((started, time.perf_counter()))
            await asyncio.sleep(PAUSE)


def p99(times):
    return statistics.quantiles(times, n=100)[98]


async def measured(crowd, numbers, *, busy):
    """The small senders' times in one window; `busy`: those that met the expansion of a letter to a thousand."""
    taken, spans, ending = [], [], asyncio.Event()
    small = [
        asyncio.create_task(send_small(crowd, code, numbers, taken, ending))
        for code in CODES[1 : SENDERS + 1]
    ]
    deadline = time.perf_counter() + WINDOW
    while time.perf_counter() < deadline:
        if busy:
            started = time.perf_counter()
            letter = await crowd.to_all()
            assert await until(partial(crowd.expanded, letter))
            spans.append((started, time.perf_counter()))
        await asyncio.sleep(0.1)
    ending.set()
    await asyncio.gather(*small)
    if busy:
        taken = [one for one in taken if any(one[0] < end and one[1] > begin for begin, end in spans)]
    return [end - begin for begin, end in taken], spans


@pytest.mark.long
@pytest.mark.timeout(600)
async def test_small_senders_hardly_notice_a_letter_to_a_thousand(crowd):
    """Interleaved rounds: alone, then beside; of the ratios of their p99 the median counts."""
    numbers, ratios = count(1), []
    await measured(crowd, numbers, busy=True)
    for _ in range(ROUNDS):
        alone, _ = await measured(crowd, numbers, busy=False)
        beside, spans = await measured(crowd, numbers, busy=True)
        ratios.append(p99(beside) / p99(alone))
        print(
            f"\nalone p50 {1000 * statistics.median(alone):.0f} p99 {1000 * p99(alone):.0f} ms ({len(alone)});"
            f" beside {len(spans)} letters to {RECIPIENTS} p50 {1000 * statistics.median(beside):.0f}"
            f" p99 {1000 * p99(beside):.0f} ms ({len(beside)}): {ratios[-1]:.2f}"
        )
    print(f"median {statistics.median(ratios):.2f}")
    assert statistics.median(ratios) <= 3
